import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { identityOfProcess, isAlive, type ProcessIdentity } from '../../core/process-identity.js';

/** Of the host name: process numbers of another machine or container mean nothing here. */
const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const NAME = /^veracruz-run-([\da-f]{8})-(\d+)-(\d*)-([\da-f-]*)-[A-Za-z\d]{6}$/;

/**
 * What one run has on disk, as long as it lasts.
 *
 *     <scratch>/<name>/program    the program
 *                     /world/     what it sees as its root
 *                     /streams/   stdin, stdout and stderr, a file each
 *                     /filter     of system calls, for the sandbox; not there without one
 *
 * The name tells whose it is: `veracruz-run-<host>-<pid>-<start of the process>-<boot id>-<random>`.
 */
export class RunFolder {
  readonly path: string;
  readonly program: string;
  readonly world: string;
  readonly streams: { readonly stdin: string; readonly stdout: string; readonly stderr: string };

  private constructor(path: string) {
    const stream = (name: string) => join(path, 'streams', name);
    this.path = path;
    this.program = join(path, 'program');
    this.world = join(path, 'world');
    this.streams = { stdin: stream('stdin'), stdout: stream('stdout'), stderr: stream('stderr') };
  }

  static async make(scratch: string): Promise<RunFolder> {
    const { start, boot } = identityOfProcess(process.pid) as ProcessIdentity;
    const identity = [HOST, process.pid, start, boot].join('-');
    const folder = new RunFolder(await mkdtemp(join(await realpath(scratch), `veracruz-run-${identity}-`)));
    await mkdir(folder.world, { mode: 0o700 });
    await mkdir(join(folder.path, 'streams'), { mode: 0o700 });
    for (const stream of Object.values(folder.streams)) await writeFile(stream, '', { mode: 0o600 });
    return folder;
  }

  /** The same folder as a process sees it that knows it by another path. */
  seenAt(path: string): RunFolder {
    return new RunFolder(path);
  }

  /** Where a file of the store is for the program: below its root, or behind a stream. */
  placeOf(name: string): string {
    return (this.streams as Readonly<Record<string, string>>)[name] ?? join(this.world, name);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * Removes the folders of runs whose manager is dead. Mostly the guardian of the program's process did that; it could not
 * where it was killed together with the manager. What cannot be removed stays.
 */
export async function removeAbandoned(scratch: string): Promise<void> {
  for (const name of await readdir(scratch).catch(() => [])) {
    const [, host, pid, start = '', boot = ''] = NAME.exec(name) ?? [];
    if (host !== HOST || isAlive(Number(pid), { start, boot })) continue;
    const path = join(scratch, name);
    if (await isOwn(path)) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** In a folder for temporary files anybody may have given something this name. */
async function isOwn(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() === true && (process.getuid === undefined || stats.uid === process.getuid());
}
