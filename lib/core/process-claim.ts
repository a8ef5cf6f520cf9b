import { randomBytes } from 'node:crypto';
import { readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Backoff } from './backoff.js';
import { identityOfProcess, isAlive, type ProcessIdentity } from './process-identity.js';

/** Milliseconds of the longest pause between two tries: who claims at the same moment gives up and tries again. */
const MAX_PAUSE_MS = 25;

/** Files of claims that this process holds no more, but could not remove: the disk failed. They keep nobody out. */
const abandoned = new Set<string>();

/**
 * A claim of this process on something that a folder stands for. It is an empty file, named after the process that holds it:
 *
 *     <name>-<pid>-<start of the process, clock ticks>-<boot id>-<random>
 *
 * Who claims first creates a file of its own and then looks for others, so at least one of two sees the other. The file of a
 * living process is never removed. A dead holder is recognised, even when its pid now belongs to another process, so a crash
 * needs no manual clean-up. Processes in different pid namespaces (containers) cannot see each other.
 */
export class ProcessClaim {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Claims `name` in `folder`, in at most so many tries. Gives the pid of the holder where another claim is held, also when
   * this process holds it. @throws what the file system throws
   */
  static async take(folder: string, name: string, tries: number): Promise<ProcessClaim | number> {
    const { start, boot } = identityOfProcess(process.pid) as ProcessIdentity;
    const own = `${name}-${process.pid}-${start}-${boot}-${randomBytes(8).toString('hex')}`;
    const path = join(folder, own);
    const pauses = new Backoff({ firstMs: MAX_PAUSE_MS, lastMs: MAX_PAUSE_MS, jitter: 1 });
    for (let attempt = 1; ; attempt++) {
      const holder = await claim(folder, name, own);
      if (holder === undefined) return new ProcessClaim(path);
      await remove(path);
      if (attempt === tries) return holder;
      await pauses.wait();
    }
  }

  async release(): Promise<void> {
    await remove(this.#path);
  }
}

/** Creates the file `own`. Gives the pid of another holder if there is one; when that cannot be told, nothing is claimed. */
async function claim(folder: string, name: string, own: string): Promise<number | undefined> {
  const path = join(folder, own);
  try {
    await writeFile(path, '', { flag: 'wx', mode: 0o600 });
    return await livingHolder(folder, name, own);
  } catch (error) {
    await remove(path).catch(() => {});
    throw error;
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
    abandoned.delete(path);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') abandoned.add(path);
    throw thrown;
  }
}

/** The pid of another living process with a claim here, if there is one. Removes files of dead processes, and abandoned ones. */
async function livingHolder(folder: string, name: string, own: string): Promise<number | undefined> {
  for (const file of await readdir(folder)) {
    if (file === own || !file.startsWith(`${name}-`)) continue;
    const [, pid, start = '', boot = ''] = /^(\d+)-(\d*)-([\da-f-]*)-[\da-f]{16}$/.exec(file.slice(name.length + 1)) ?? [];
    if (pid === undefined) continue;
    const path = join(folder, file);
    if (!abandoned.has(path) && isAlive(Number(pid), { start, boot })) return Number(pid);
    await remove(path).catch((thrown: unknown) => {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    });
  }
  return undefined;
}
