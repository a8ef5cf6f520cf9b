import { randomBytes } from 'node:crypto';
import { readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Backoff } from '../../core/backoff.js';
import { FileStoreError } from '../../core/errors.js';
import { identityOfProcess, isAlive, type ProcessIdentity } from '../../core/process-identity.js';
import { errno, STORE_LAYER } from './store-error.js';

/** Two stores that claim a folder at the same moment both give up and try again after random pauses. */
const ATTEMPTS = 5;
const MAX_PAUSE_MS = 25;

const CLAIM = /^lock-(\d+)-(\d*)-([\da-f-]*)-[\da-f]{16}$/;

/**
 * Keeps a second process, or a second store in this process, from using a folder. The lock is an empty file, named after the
 * process that holds it:
 *
 *     lock-<pid>-<start of the process, clock ticks>-<boot id>-<random>
 *
 * A store first creates its own file and then looks for others, so at least one of two stores sees the other. A store never
 * removes the file of a living process. A dead holder is recognised, even when its pid now belongs to another process, so a
 * crash needs no manual clean-up. Processes in different pid namespaces (containers) cannot see each other and need a folder
 * each.
 */
export class StoreLock {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws FileStoreError with the holder's pid in `got` while another store has the folder. */
  static async take(folder: string): Promise<StoreLock> {
    const { start, boot } = identityOfProcess(process.pid) as ProcessIdentity;
    const own = `lock-${process.pid}-${start}-${boot}-${randomBytes(8).toString('hex')}`;
    const path = join(folder, own);
    const pauses = new Backoff({ firstMs: MAX_PAUSE_MS, lastMs: MAX_PAUSE_MS, jitter: 1 });
    for (let attempt = 1; ; attempt++) {
      await writeFile(path, '', { flag: 'wx', mode: 0o600 });
      const holder = await livingHolder(folder, own);
      if (holder === undefined) return new StoreLock(path);
      await unlink(path);
      if (attempt === ATTEMPTS) {
        throw new FileStoreError(`the folder of the store is in use by process ${holder}`, { layer: STORE_LAYER, got: holder });
      }
      await pauses.wait();
    }
  }

  async release(): Promise<void> {
    await unlink(this.#path);
  }
}

/** The pid of another living process with a lock file here, if there is one. Removes the files of dead processes. */
async function livingHolder(folder: string, own: string): Promise<number | undefined> {
  for (const name of await readdir(folder)) {
    const [, pid, start = '', boot = ''] = CLAIM.exec(name) ?? [];
    if (pid === undefined || name === own) continue;
    if (isAlive(Number(pid), { start, boot })) return Number(pid);
    await unlink(join(folder, name)).catch((thrown: unknown) => {
      if (errno(thrown) !== 'ENOENT') throw thrown;
    });
  }
  return undefined;
}
