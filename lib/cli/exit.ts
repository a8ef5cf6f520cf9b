import { CommanderError } from 'commander';
import { InvalidArgumentError, InvalidOptionError, VeracruzError } from '../core/errors.js';

/** A signal asked for the end of what was under way. */
export class Interrupted extends Error {}

/** Says in one line what went wrong and ends the process: 2 for wrong use, 130 for a signal, 1 for everything else. */
export function exitWith(error: unknown): never {
  if (error instanceof Interrupted) {
    process.stderr.write('interrupted\n');
    process.exit(130);
  }
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  const known = error instanceof VeracruzError ? ` (${error.code})` : '';
  process.stderr.write(`veracruz-streams: ${error instanceof Error ? error.message : String(error)}${known}\n`);
  process.exit(error instanceof InvalidOptionError || error instanceof InvalidArgumentError ? 2 : 1);
}
