/** Standard output and standard error of a command: what is given to them is known to be written, or the command fails. */
import { fstatSync, write } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';

const writeSome = promisify(write);

/** Standard output, or standard error. */
export type Output = 'stdout' | 'stderr';
const DESCRIPTORS: Readonly<Record<Output, number>> = { stdout: 1, stderr: 2 };
const NAMES: Readonly<Record<Output, string>> = { stdout: 'standard output', stderr: 'standard error' };

/** What the system's codes mean here, where its own words are not clear enough. */
const WORDS: Readonly<Record<string, string>> = { EPIPE: 'nobody reads it any more', ENOSPC: 'no space left' };

/** What was printed could not be written: it is lost. `code` is the system's, e.g. `ENOSPC`. */
export class OutputError extends Error {
  readonly code: string;

  constructor(to: Output, cause: unknown) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    super(`cannot write to ${NAMES[to]}: ${WORDS[code] ?? message}`, { cause });
    this.code = code;
  }
}

/**
 * Writes a text, and settles when the system has taken all of it.
 *
 * @throws OutputError when it does not
 */
export async function print(text: string, to: Output = 'stdout'): Promise<void> {
  if (text === '') return;
  try {
    await writeAll(to, Buffer.from(text));
  } catch (cause) {
    throw new OutputError(to, cause);
  }
}

/** Standard output as the end of a stream: it finishes when the system has taken all bytes, and fails with OutputError. */
export function standardOutput(): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      writeAll('stdout', chunk).then(
        () => done(),
        (cause: unknown) => done(new OutputError('stdout', cause)),
      );
    },
  });
}

/**
 * Errors of these streams come to whoever wrote; without a listener node would also end the process with a stack. Of what
 * is only said on the side (status lines, logs) the loss is nobody's failure.
 */
export function keepOutputErrors(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

/**
 * Node's own stream of a file takes a short write (a disk that is nearly full) for a whole one, so files and devices are
 * written here. Pipes, sockets and terminals are node's: it can wait for their readers without a thread.
 */
async function writeAll(to: Output, bytes: Buffer): Promise<void> {
  const descriptor = DESCRIPTORS[to];
  if (!isFileOrDevice(descriptor)) {
    await new Promise<void>((resolve, reject) => process[to].write(bytes, (error) => (error ? reject(error) : resolve())));
    return;
  }
  for (let at = 0; at < bytes.length; ) at += (await writeSome(descriptor, bytes, at)).bytesWritten;
}

function isFileOrDevice(descriptor: number): boolean {
  const found = fstatSync(descriptor);
  return found.isFile() || found.isBlockDevice() || (found.isCharacterDevice() && !isatty(descriptor));
}
