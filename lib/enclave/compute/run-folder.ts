import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What one run has on disk, as long as it lasts.
 *
 *     <scratch>/veracruz-run-<random>/program    the program
 *                                    /world/     what it sees as its root
 *                                    /streams/   stdin, stdout and stderr, a file each
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
    const folder = new RunFolder(await mkdtemp(join(await realpath(scratch), 'veracruz-run-')));
    await mkdir(folder.world, { mode: 0o700 });
    await mkdir(join(folder.path, 'streams'), { mode: 0o700 });
    for (const stream of Object.values(folder.streams)) await writeFile(stream, '', { mode: 0o600 });
    return folder;
  }

  /** Where a file of the store is for the program: below its root, or behind a stream. */
  placeOf(name: string): string {
    return (this.streams as Readonly<Record<string, string>>)[name] ?? join(this.world, name);
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}
