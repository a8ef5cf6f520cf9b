import { Command } from 'commander';
import { measureRuntime } from '../attestation/evidence/index.js';
import { print } from './standard-output.js';

/** `veracruz-streams measure` */
export function measureCommand(): Command {
  return new Command('measure')
    .description('Print the runtime hash of this code on Linux, 64 hex digits, as policies and `attest allow linux` take it.')
    .option('--json', 'print it as one line of JSON')
    .addHelpText(
      'after',
      `
It covers the compiled library, without type declarations and source maps: not node_modules, not Node, not the machine.

Examples:
  veracruz-streams measure
  veracruz-streams attest allow linux "$(veracruz-streams measure)"
  veracruz-streams policy create --runtime-hash "$(veracruz-streams measure)" …`,
    )
    .action(async ({ json }: { json?: boolean }) => {
      const runtimeHash = (await measureRuntime()).toString('hex');
      await print(`${json === true ? JSON.stringify({ runtimeHash }) : runtimeHash}\n`);
    });
}
