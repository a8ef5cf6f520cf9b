#!/usr/bin/env node
import { Command } from 'commander';
import { exitWith } from './exit.js';
import { keepOutputErrors, print } from './standard-output.js';
import { tuneV8 } from './tune-v8.js';
import { VERSION } from './version.js';

/** Only the command that is called is loaded: it begins in half the time. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  client: async () => (await import('./client/command.js')).clientCommand(),
  runtime: async () => (await import('./runtime.js')).runtimeCommand(),
  server: async () => (await import('./server.js')).serverCommand(),
  attest: async () => (await import('./attest.js')).attestCommand(),
  demo: async () => (await import('./demo/command.js')).demoCommand(),
  identity: async () => (await import('./identity.js')).identityCommand(),
  inspect: async () => (await import('./inspect/command.js')).inspectCommand(),
  policy: async () => (await import('./policy.js')).policyCommand(),
  measure: async () => (await import('./measure.js')).measureCommand(),
  device: async () => (await import('./device.js')).deviceCommand(),
  conformance: async () => (await import('./conformance.js')).conformanceCommand(),
};

/** For the list of them, all. */
async function loaded(): Promise<Command[]> {
  const called = Object.entries(COMMANDS).find(([name]) => name === process.argv[2]);
  return called === undefined ? Promise.all(Object.values(COMMANDS).map((load) => load())) : [await called[1]()];
}

tuneV8();
keepOutputErrors();
/** Help and version: commander says them, and says by an error that they were asked for. */
let said = '';
const program = new Command('veracruz-streams')
  .description('The network stack of Veracruz: the roles, from the command line.')
  .version(VERSION)
  .showHelpAfterError('(--help shows what is there)')
  // Wrong use is thrown, and comes to `exitWith`: commander itself would exit with 1.
  .exitOverride()
  .configureOutput({
    writeOut: (text) => {
      said += text;
    },
  })
  .addHelpText('after', '\nExit status: 0 done, 1 failed, 2 wrong use, 130 interrupted.');

/** Commands that were made apart do not know of the settings above. */
function inherit(command: Command): void {
  for (const child of command.commands) inherit(child.copyInheritedSettings(command));
}

for (const command of await loaded()) program.addCommand(command);
inherit(program);
try {
  await program.parseAsync().finally(() => print(said));
} catch (error) {
  exitWith(error);
}
