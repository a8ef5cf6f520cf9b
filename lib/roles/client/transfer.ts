/** The small parts of a transfer: names, results, and where the bytes go. */
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { definedOf } from '../../core/check.js';
import { closed } from '../../core/closed.js';
import {
  AbortedError,
  HttpStatusError,
  InvalidArgumentError,
  RequestFailedError,
  SessionUnknownError,
  TimeoutError,
  TlsHandshakeError,
  TruncatedError,
  type VeracruzError,
} from '../../core/errors.js';
import { fileFault } from '../../core/file-faults.js';
import { StallWatch } from '../../core/stall-watch.js';
import { IncomingBody, type Received } from '../../layers/protobuf/index.js';
import { openPlace, type Place, targetOf } from './target.js';

const LAYER = 'client';

type Response = Received<'RuntimeManagerResponse'>;

/** A leading `/`, which the manager's files all have; the streams have none (wire spec §D). */
export function absolute(name: string): string {
  if (typeof name !== 'string') throw new InvalidArgumentError(`the name of a file is a text, not ${typeof name}`, { layer: LAYER });
  return name.startsWith('/') || ['stdin', 'stdout', 'stderr'].includes(name) ? name : `/${name}`;
}

/** The file of an answer. The original says SUCCESS and nothing more of one that is empty (wire spec §D). */
export function fileOf(response: Response): IncomingBody {
  return response.oneof === null ? noBytes() : resultOf(response);
}

/** The exit code of an answer: a 4-byte little-endian number (wire spec §D). */
export async function exitCodeOf(response: Response): Promise<number> {
  const body = resultOf(response);
  if (body.length !== 4) {
    body.destroy();
    throw new RequestFailedError('the manager answered with a result that is no exit code', {
      layer: LAYER,
      expected: 4,
      got: body.length,
    });
  }
  const code: Buffer[] = [];
  for await (const chunk of body) code.push(chunk as Buffer);
  return Buffer.concat(code).readUInt32LE(0);
}

function resultOf(response: Response): IncomingBody {
  if (response.oneof !== 'result') throw unexpected(response);
  return response.fields.data;
}

function noBytes(): IncomingBody {
  const body: IncomingBody = new IncomingBody(
    0,
    () => body.push(null),
    () => {},
  );
  body.complete = true;
  return body;
}

export function unexpected(response: Response): RequestFailedError {
  return new RequestFailedError(`the manager answered with ${response.oneof ?? 'nothing'}`, {
    layer: LAYER,
    got: response.oneof ?? 'none',
  });
}

/** OpenSSL's code for a first record that is none. */
const NOT_TLS = 'ERR_SSL_WRONG_VERSION_NUMBER';
/** Statuses of somebody who knows no `/runtime_manager`, or no POST to it. */
const NOT_THERE: readonly unknown[] = [404, 405, 501];

/**
 * What a fault before there was a session means; itself, unless somebody else than a Veracruz Server has answered, or one that
 * clients reach in another way.
 */
export function noServer(error: VeracruzError): VeracruzError {
  if (error instanceof TlsHandshakeError && error.got === NOT_TLS) {
    const hint = 'what answers there is not TLS: it may be a Server that clients reach over http://, as in the dialect 2207';
    return new TlsHandshakeError(`${error.message}: ${hint}`, { layer: error.layer, got: error.got, cause: error });
  }
  if (!(error instanceof SessionUnknownError || error instanceof HttpStatusError) || !NOT_THERE.includes(error.got)) return error;
  return new HttpStatusError(`the server answered ${error.got} to POST /runtime_manager: is there a Veracruz Server at that URL?`, {
    layer: error.layer,
    expected: 200,
    got: error.got,
    cause: error,
  });
}

/** What is wrong with a path on this side, in words, where the system's number is clear enough. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such folder',
  ENOTDIR: 'no such folder',
  EISDIR: 'it is a folder',
  EACCES: 'no permission',
  EROFS: 'no permission',
  ENOSPC: 'no space left',
};

/** A file that cannot be written, and why. */
export function cannotWrite(path: string, cause: unknown): VeracruzError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return fileFault(`cannot write ${path}: ${WORDS[code] ?? message}`, cause, LAYER);
}

/** How long a body that is saved waits for who takes it. */
export interface SaveWaits {
  /** Ends the transfer. */
  readonly signal: AbortSignal | undefined;
  /** Milliseconds in which a FIFO or a device must take something; 0 waits for ever. */
  readonly timeoutMs: number;
}

/**
 * Saves a body at a path. A regular file appears there, or is replaced, when all of the body is there; a symbolic link is
 * followed, and stays. A FIFO, a device or a descriptor of the process (`/dev/fd/3`) is written as the body comes.
 *
 * @throws InvalidArgumentError when it cannot be written there; LocalFileError when the system fails to; TimeoutError when a
 * FIFO or a device takes nothing; AbortedError
 */
export async function save(body: IncomingBody, path: string, { mode, ...waits }: SaveWaits & { readonly mode: number }): Promise<void> {
  const { signal, timeoutMs } = waits;
  try {
    const target = targetOf(path);
    if (target.kind === 'file') await replace(body, target.path, mode, signal);
    else {
      const place = await openPlace(target, () => signal?.aborted === true || body.errored !== null, timeoutMs);
      await complete(body, place, () => pour(body, place, path, waits));
    }
  } catch (error) {
    // Whoever sends it would wait for a reader.
    body.destroy();
    if (signal?.aborted === true) throw new AbortedError('the transfer was aborted', { layer: LAYER, cause: signal.reason });
    // What the system says is of the file; the body's own faults are ours.
    const ofBody = body.errored ?? error;
    throw (ofBody as NodeJS.ErrnoException).syscall === undefined ? ofBody : cannotWrite(path, ofBody);
  }
}

/**
 * Writes a new file beside the old one, which takes its place when it is complete. It is on the disk then, and so is its name:
 * the caller may ask the manager to end, and with it goes the only other copy.
 */
async function replace(body: IncomingBody, path: string, mode: number, signal: AbortSignal | undefined): Promise<void> {
  const partial = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.partial`;
  try {
    // `wx`: a file that somebody has put there would keep his mode.
    const place = createWriteStream(partial, { highWaterMark: 1024 * 1024, flags: 'wx', mode: 0o600 });
    await complete(body, place, () => pipeline(body, place, definedOf({ signal })).finally(() => closed(place.destroy())));
    await settle(partial, mode);
    await rename(partial, path);
    await settleName(path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw error;
  }
}

/** Gives a file its mode and waits until the disk has all of it. */
async function settle(path: string, mode: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What a folder says that cannot be made to reach the disk: a file system without that, or one that we may not read. */
const NO_FOLDER_SYNC: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUP', 'EACCES', 'EPERM']);

/** Waits until the disk has the name of a file. */
async function settleName(path: string): Promise<void> {
  try {
    const folder = await open(dirname(path));
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    if (!NO_FOLDER_SYNC.has((error as NodeJS.ErrnoException).code)) throw error;
  }
}

/** Runs `work`, which brings a body to its place. */
async function complete(body: IncomingBody, place: Place, work: () => Promise<void>): Promise<void> {
  await work();
  if (place.bytesWritten !== body.length) {
    throw new TruncatedError('the file is not complete', { layer: LAYER, expected: body.length, got: place.bytesWritten });
  }
}

/** Bytes of one write to who may read slowly: each write that is taken shows that something is read. */
const PIECE_BYTES = 16_384;

/**
 * Passes a body on to a pipe or a device, which take what they like when they like, and closes it.
 *
 * @param name of the place, for the message
 * @throws TimeoutError when it takes nothing for `timeoutMs`; what the streams throw
 */
export async function pour(
  body: Readable & { readonly length: number },
  place: Writable,
  name: string,
  { signal, timeoutMs }: SaveWaits,
): Promise<void> {
  const late = new AbortController();
  let given = 0;
  const pieces = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const piece = chunk.subarray(at, at + PIECE_BYTES);
        given += piece.length;
        yield piece;
      }
    }
  };
  let idle = 0;
  const watch = new StallWatch({
    limitMs: timeoutMs,
    due: () => true,
    // While nothing waits to be taken, it is the body that is late, and its own deadlines count.
    signs: () => (place.writableLength === 0 ? given + ++idle : given - place.writableLength),
    stalled: () => late.abort(),
  });
  watch.begin();
  try {
    await pipeline(body, pieces, place, { signal: AbortSignal.any([late.signal, ...(signal === undefined ? [] : [signal])]) });
  } catch (error) {
    if (!late.signal.aborted) throw error;
    throw new TimeoutError(`nothing of ${body.length} bytes was taken by ${name} for ${timeoutMs} ms`, {
      layer: LAYER,
      limit: timeoutMs,
      expected: body.length,
      got: given - place.writableLength,
    });
  } finally {
    watch.end();
    place.destroy();
    // A write to a device that takes nothing cannot be taken back, and its end may never come.
    if (!late.signal.aborted && signal?.aborted !== true) await closed(place);
  }
}
