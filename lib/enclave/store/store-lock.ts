import { randomBytes } from 'node:crypto';
import { readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Backoff } from '../../core/backoff.js';
import { FileStoreError } from '../../core/errors.js';
import { identityOfProcess, isAlive, type ProcessIdentity } from '../../core/process-identity.js';
import { errno, STORE_LAYER } from './store-error.js';

/** Two stores that claim a folder at the same moment both step back; these tries, and pauses at random, part them. */
const ATTEMPTS = 5;
const MAX_PAUSE_MS = 25;

const CLAIM = /^lock-(\d+)-(\d*)-([\da-f-]*)-[\da-f]{16}$/;

/**
 * Keeps a second process (or a second store of this one) off a folder, by an empty file whose name tells its holder:
 *
 *     lock-<pid>-<start of the process, clock ticks>-<boot id>-<random>
 *
 * First claim, then look: of two stores at least one sees the other, and no claim is ever taken from a living holder. A
 * killed holder is recognised (also when its pid belongs to another process by now), so a crash needs nobody to clean up.
 * Processes in different pid namespaces (containers) cannot see each other: give each its own folder.
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

/** The pid of another living claimant, if there is one. Claims of the dead are removed. */
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
