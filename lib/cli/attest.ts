import { Command } from 'commander';
import { deviceCommands } from './attest/devices.js';
import { keyCommands } from './attest/keys.js';
import { runtimeCommands } from './attest/runtimes.js';
import { serveCommand } from './attest/serve.js';

/** `veracruz-streams attest` */
export function attestCommand(): Command {
  const attest = new Command('attest')
    .description('Run a Proxy Attestation Server: certifies Runtime Managers that prove what they are.')
    .addCommand(serveCommand(), { isDefault: true });
  for (const command of [...keyCommands(), ...runtimeCommands(), ...deviceCommands()]) attest.addCommand(command);
  return attest.addHelpText(
    'after',
    `
The commands work on the state folder, or on --database; those on a folder also while the server runs.
A database's URL may stand in VERACRUZ_STREAMS_DATABASE, its password in PGPASSWORD or ~/.pgpass.

Examples:
  veracruz-streams attest allow linux 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --label 'release 1.4'
  veracruz-streams attest enroll device.pem --label 'rack 7'
  veracruz-streams attest --listen tcp://0.0.0.0:3010
  veracruz-streams attest --database postgres://attest@db.example/attest --ca-cert ca.pem --ca-key ca.key
  veracruz-streams attest devices --json`,
  );
}
