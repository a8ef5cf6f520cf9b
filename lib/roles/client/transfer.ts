/** The small parts of a transfer: names, results, and where the bytes go. */
import { createWriteStream } from 'node:fs';
import { chmod, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { closed } from '../../core/closed.js';
import {
  HttpStatusError,
  InvalidArgumentError,
  RequestFailedError,
  SessionUnknownError,
  TruncatedError,
  type VeracruzError,
} from '../../core/errors.js';
import { IncomingBody, type Received } from '../../layers/protobuf/index.js';

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

/** Statuses of somebody who knows no `/runtime_manager`, or no POST to it. */
const NOT_THERE: readonly unknown[] = [404, 405, 501];

/** What a fault before there was a session means; itself, unless somebody else than a Veracruz Server has answered. */
export function noServer(error: VeracruzError): VeracruzError {
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
export function cannotWrite(path: string, cause: unknown): InvalidArgumentError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return new InvalidArgumentError(`cannot write ${path}: ${WORDS[code] ?? message}`, { layer: LAYER, cause });
}

/**
 * Saves a body under a name that appears when all of it is there. Until then only the owner may read what is written.
 *
 * @param mode of the file, whatever the umask is
 * @throws InvalidArgumentError when it cannot be written there
 */
export async function save(body: IncomingBody, path: string, mode: number): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    // A file that somebody has put there would keep his mode.
    await rm(partial, { force: true });
    const file = createWriteStream(partial, { highWaterMark: 1024 * 1024, flags: 'wx', mode: 0o600 });
    await pipeline(body, file).finally(() => closed(file.destroy()));
    if (file.bytesWritten !== body.length) {
      throw new TruncatedError('the file is not complete', { layer: LAYER, expected: body.length, got: file.bytesWritten });
    }
    await chmod(partial, mode);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    // What the system says is of the file; the body's own faults are ours.
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : cannotWrite(path, error);
  }
}
