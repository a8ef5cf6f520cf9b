import { CommanderError } from 'commander';
import { InvalidArgumentError, InvalidOptionError, VeracruzError } from '../core/errors.js';

/** Says in one line what went wrong and ends the process: 2 for wrong use, 1 for everything else. */
export function exitWith(error: unknown): never {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  const known = error instanceof VeracruzError ? ` (${error.code})` : '';
  process.stderr.write(`veracruz-streams: ${error instanceof Error ? error.message : String(error)}${known}\n`);
  process.exit(error instanceof InvalidOptionError || error instanceof InvalidArgumentError ? 2 : 1);
}
