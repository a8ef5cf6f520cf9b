import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { closed } from '../../core/closed.js';
import { AccessDeniedError, NotReadyError } from '../../core/errors.js';
import { fileRightsOf, pinOf, RIGHTS, rightsOf } from '../policy/index.js';
import type { StoredFile } from '../store/file-store.js';
import { undefinedIfMissing } from '../store/store-error.js';
import { COMPUTE_LAYER, computeError, failed } from './compute-error.js';
import type { Computation } from './engine.js';
import type { RunFolder } from './run-folder.js';

/** Bytes of a path that the system takes, without the NUL at its end. */
export const MAX_PATH_BYTES = process.platform === 'linux' ? 4095 : 1023;
const READ_RIGHTS = RIGHTS.PATH_OPEN | RIGHTS.FD_READ;

/** A file as it was put into the program's world. */
export interface StagedFile {
  readonly inode: bigint;
  readonly length: bigint;
  /** When the system last saw it changed. Not fine enough on its own: the program may follow within one tick of it. */
  readonly changedNs: bigint;
}

/** What a program finds. */
export interface Staged {
  /** Files below its root, by their names in the store. */
  readonly files: ReadonlyMap<string, StagedFile>;
  /** Names of directories that are open for it. */
  readonly directories: readonly string[];
}

/**
 * Puts into the folder of a run what the program may see: itself, the files that its principal may read, `stdin`, and the
 * directories that the policy lists for it. Copies, of which nothing leads back into the store. Every file has the time 0,
 * so that one which was changed can be told from one which was not. What has too long a path there for the system is left
 * out: the program could not reach it either, and is told so when it tries.
 */
export async function stage(folder: RunFolder, computation: Computation, maxProgramBytes: number, signal: AbortSignal): Promise<Staged> {
  const { policy, principal, store } = computation;
  await stageProgram(folder, computation, maxProgramBytes, signal);
  const files = new Map<string, StagedFile>();
  for await (const { name } of store.list()) {
    signal.throwIfAborted();
    const path = folder.placeOf(name);
    if (!fits(path)) continue;
    if (name === 'stdout' || name === 'stderr' || (rightsOf(policy, principal, name) & READ_RIGHTS) !== READ_RIGHTS) continue;
    const file = await store.read(name).catch(undefinedIfMissing);
    if (file === undefined) continue;
    const staged = await copy(file, path, pinOf(policy, name), name, signal);
    if (name.startsWith('/')) files.set(name, staged);
  }
  const listed = fileRightsOf(policy, principal).map(({ file_name }) => file_name);
  const directories = listed.filter((name) => name.startsWith('/') && name !== '/' && !files.has(name) && fits(folder.placeOf(name)));
  for (const name of directories) await makeDirectory(folder.placeOf(name));
  return { files, directories };
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_PATH_BYTES;
}

async function stageProgram(folder: RunFolder, { policy, program, store }: Computation, limit: number, signal: AbortSignal): Promise<void> {
  const file = await store.read(program).catch(undefinedIfMissing);
  if (file === undefined) throw new NotReadyError('the program is not provisioned', { layer: COMPUTE_LAYER, got: program });
  if (file.length > limit) {
    file.stream.destroy();
    throw failed(`a program of ${file.length} bytes, the limit is ${limit}`, { got: file.length, limit });
  }
  await copy(file, folder.program, pinOf(policy, program), program, signal);
}

async function copy(file: StoredFile, path: string, pin: string | undefined, name: string, signal: AbortSignal): Promise<StagedFile> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const target = createWriteStream(path, { mode: 0o600 });
    try {
      if (pin === undefined) await pipeline(file.stream, target, { signal });
      else await pipeline(file.stream, checked(pin, name), target, { signal });
    } finally {
      await closed(target.destroy());
    }
    await utimes(path, 0, 0);
    const { ino, size, ctimeNs } = await lstat(path, { bigint: true });
    return { inode: ino, length: size, changedNs: ctimeNs };
  } catch (thrown) {
    file.stream.destroy();
    throw computeError("put a file into the program's world", thrown);
  }
}

/** Passes on what must have this SHA-256, and throws at its end when it has another: the store may be older than the policy. */
function checked(pin: string, name: string): (chunks: Readable) => AsyncGenerator<Buffer> {
  return async function* (chunks) {
    const hash = createHash('sha256');
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest('hex') === pin) return;
    throw new AccessDeniedError('a file is not what the policy pins', { layer: COMPUTE_LAYER, expected: pin, got: name });
  };
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (thrown) {
    throw computeError("put a directory into the program's world", thrown);
  }
}
