/** Where a body is saved: what is at a path of this machine, and how bytes get there. */

import { constants, createWriteStream, open, readlinkSync, realpathSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { clock } from '../../core/clock.js';
import { InvalidArgumentError, TimeoutError } from '../../core/errors.js';

/**
 * `file`: a regular file, or nothing yet: the new one takes its place when it is complete. `pipe`: a FIFO. `opened`: a
 * device, or a file that the process has open already; it is written to its end, as it is.
 */
export interface Target {
  readonly kind: 'file' | 'pipe' | 'opened';
  /** The path, with symbolic links at its end followed. */
  readonly path: string;
}

/** A place that bytes can be written into: a stream, and how many it has passed on. */
export type Place = Writable & { readonly bytesWritten: number };

/** Names of descriptors. What stands behind one is the process's own, and must not be replaced by another file. */
const DESCRIPTOR = /^\/(?:dev\/(?:fd\/\d+|stdin|stdout|stderr)|proc\/(?:self|thread-self|\d+)\/fd\/\d+)$/;
/** Symbolic links that are followed, as many as Linux follows. */
const MAX_LINKS = 40;
/** Milliseconds between two looks whether somebody reads a FIFO. */
const READER_POLL_MS = 50;

/**
 * Says what is at a path.
 *
 * @throws InvalidArgumentError for a folder, a socket, a block device and a circle of links; and what the system throws
 */
export function targetOf(path: string): Target {
  const at = followed(path);
  const found = statSync(at, { throwIfNoEntry: false });
  if (found === undefined) return { kind: 'file', path: at };
  if (found.isFIFO()) return { kind: 'pipe', path: at };
  if (found.isFile()) return { kind: DESCRIPTOR.test(resolve(at)) ? 'opened' : 'file', path: at };
  if (found.isCharacterDevice()) return { kind: 'opened', path: at };
  const what = found.isDirectory() ? 'it is a folder' : 'it is no file, pipe or device that bytes can be written to';
  throw new InvalidArgumentError(`cannot write ${path}: ${what}`, { layer: 'client', got: path });
}

function followed(path: string): string {
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const target = DESCRIPTOR.test(resolve(at)) ? undefined : linkAt(at);
    if (target === undefined) return at;
    at = target.startsWith('/') ? target : join(realpathSync(dirname(at)), target);
  }
  throw new InvalidArgumentError(`cannot write ${path}: its symbolic links lead in a circle`, { layer: 'client', got: path });
}

/** What a symbolic link says; undefined where there is none. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Opens a target that is no file to be replaced. A FIFO is opened when somebody reads it; `gone` ends the wait for that.
 *
 * @param timeoutMs of the wait; 0 waits for ever
 * @throws TimeoutError when nobody reads the FIFO; what the system throws
 */
export async function openPlace({ kind, path }: Target, gone: () => boolean, timeoutMs: number): Promise<Place> {
  if (kind !== 'pipe') return createWriteStream(path, { flags: 'a' });
  for (const started = clock.monotonic(); ; ) {
    try {
      // Without O_NONBLOCK the system would let a thread of node wait, which then also keeps the process from its end.
      const fd = await promisify(open)(path, constants.O_WRONLY | constants.O_NONBLOCK);
      return new Socket({ fd, readable: false, writable: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO' || gone()) throw error;
    }
    if (timeoutMs > 0 && clock.monotonic() - started >= timeoutMs) {
      throw new TimeoutError(`nobody reads ${path}: no reader came for ${timeoutMs} ms`, { layer: 'client', limit: timeoutMs });
    }
    await clock.sleep(READER_POLL_MS);
  }
}
