import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Makes one folder whose parent is there. */
type Mkdir = (path: string, options: { readonly mode: number }) => Promise<unknown>;

/**
 * Makes a folder, and those above it that are missing, for their owner alone (mode 0700). A folder that is there is left as it
 * is.
 *
 * `mkdir` of Node with `recursive` makes a missing folder's parent and tries again until it is told something else than
 * ENOENT. Some file systems say nothing else, `/proc` for one, so it never ends there. This tries each folder twice at most.
 *
 * @param make makes each of the folders. Default: the machine's `mkdir`
 * @returns the topmost folder that was made; undefined when all were there
 * @throws what the system says: EEXIST for what is there and is no folder, ENOENT, EACCES, EROFS, ENOTDIR …
 */
export async function makeFolder(path: string, make: Mkdir = mkdir): Promise<string | undefined> {
  const first = await attempt(path, make);
  if (first !== 'orphan') return first === 'made' ? path : undefined;
  const above = dirname(resolve(path));
  const topmost = above === resolve(path) ? undefined : await makeFolder(above, make);
  // Others may make the same folders at the same time.
  return (await attempt(path, make, true)) === 'made' ? (topmost ?? path) : topmost;
}

/** Tries once. `orphan`: the folder above is missing. It was made already when this is tried `again`, so then that is an error. */
async function attempt(path: string, make: Mkdir, again = false): Promise<'made' | 'there' | 'orphan'> {
  try {
    await make(path, { mode: 0o700 });
    return 'made';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !again) return 'orphan';
    // A folder that is there, in a file system that refuses new ones, is not always called EEXIST.
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory() !== true) throw error;
    return 'there';
  }
}
