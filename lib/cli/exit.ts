import { createReadStream, type ReadStream } from 'node:fs';
import { CommanderError } from 'commander';
import { InvalidArgumentError, InvalidOptionError, VeracruzError } from '../core/errors.js';

/** A signal asked for the end of what was under way. */
export class Interrupted extends Error {}

let unopened = 0;

/**
 * What a pipe or a device has. A named pipe is open when it has a writer; until then the system holds a thread of this process,
 * and Node waits for that thread when it ends. So `exitWith` must know.
 */
export function readUnsized(path: string): ReadStream {
  const stream = createReadStream(path);
  const opened = () => {
    unopened--;
    stream.off('open', opened).off('error', opened);
  };
  unopened++;
  return stream.once('open', opened).once('error', opened);
}

/** Says in one line what went wrong and ends the process: 2 for wrong use, 130 for a signal, 1 for everything else. */
export function exitWith(error: unknown): never {
  if (error instanceof Interrupted) {
    process.stderr.write('interrupted\n');
    if (unopened > 0) {
      // A shell says 130 of this, too.
      process.removeAllListeners('SIGINT');
      process.kill(process.pid, 'SIGINT');
    }
    process.exit(130);
  }
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  const known = error instanceof VeracruzError ? ` (${error.code})` : '';
  process.stderr.write(`veracruz-streams: ${error instanceof Error ? error.message : String(error)}${known}\n`);
  process.exit(error instanceof InvalidOptionError || error instanceof InvalidArgumentError ? 2 : 1);
}
