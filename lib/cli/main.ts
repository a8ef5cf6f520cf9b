#!/usr/bin/env node
import { Command } from 'commander';
import { attestCommand } from './attest.js';
import { clientCommand } from './client/command.js';
import { demoCommand } from './demo/command.js';
import { deviceCommand } from './device.js';
import { exitWith } from './exit.js';
import { identityCommand } from './identity.js';
import { inspectCommand } from './inspect/command.js';
import { measureCommand } from './measure.js';
import { policyCommand } from './policy.js';
import { runtimeCommand } from './runtime.js';
import { serverCommand } from './server.js';
import { tuneV8 } from './tune-v8.js';
import { VERSION } from './version.js';

tuneV8();
const program = new Command('veracruz-streams')
  .description('The network stack of Veracruz: the roles, from the command line.')
  .version(VERSION)
  .showHelpAfterError('(--help shows what is there)')
  // Wrong use is thrown, and comes to `exitWith`: commander itself would exit with 1.
  .exitOverride()
  .addCommand(clientCommand())
  .addCommand(runtimeCommand())
  .addCommand(serverCommand())
  .addCommand(attestCommand())
  .addCommand(demoCommand())
  .addCommand(identityCommand())
  .addCommand(inspectCommand())
  .addCommand(policyCommand())
  .addCommand(measureCommand())
  .addCommand(deviceCommand())
  .addHelpText('after', '\nExit status: 0 done, 1 failed, 2 wrong use, 130 interrupted.');

/** Commands that were made apart do not know of the settings above. */
function inherit(command: Command): void {
  for (const child of command.commands) inherit(child.copyInheritedSettings(command));
}

inherit(program);
try {
  await program.parseAsync();
} catch (error) {
  exitWith(error);
}
