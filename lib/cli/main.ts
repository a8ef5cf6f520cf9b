#!/usr/bin/env node
import { Command } from 'commander';
import { clientCommand } from './client/command.js';
import { demoCommand } from './demo/command.js';
import { exitWith } from './exit.js';
import { tuneHeap } from './heap.js';
import { inspectCommand } from './inspect/command.js';
import { runtimeCommand } from './runtime.js';
import { serverCommand } from './server.js';
import { VERSION } from './version.js';

tuneHeap();
const program = new Command('veracruz-streams')
  .description('The network stack of Veracruz: the roles, from the command line.')
  .version(VERSION)
  .showHelpAfterError('(--help shows what is there)')
  .addCommand(clientCommand())
  .addCommand(runtimeCommand())
  .addCommand(serverCommand())
  .addCommand(demoCommand())
  .addCommand(inspectCommand())
  .addHelpText('after', '\nExit status: 0 done, 1 failed, 2 wrong use, 130 interrupted.');

try {
  await program.parseAsync();
} catch (error) {
  exitWith(error);
}
