import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder, and those above it that are missing, for their owner alone (mode 0700). A folder that is there is left as it
 * is.
 *
 * `mkdir` of Node with `recursive` makes a missing folder's parent and tries again until it is told something else than
 * ENOENT. Some file systems say nothing else, `/proc` for one, so it never ends there. This tries each folder once.
 *
 * @returns the topmost folder that was made; undefined when all were there
 * @throws what the system says: EEXIST for what is there and is no folder, ENOENT, EACCES, EROFS, ENOTDIR …
 */
export function makeFolder(path: string): string | undefined {
  const outcome = make(path);
  if (outcome !== 'orphan') return outcome === 'made' ? path : undefined;
  const above = dirname(resolve(path));
  const topmost = above === resolve(path) ? undefined : makeFolder(above);
  // Others may make the same folders at the same time.
  return make(path, true) === 'made' ? (topmost ?? path) : topmost;
}

/** Tries once. `orphan`: the folder above is missing; `again`: it was made, so that this is an error. */
function make(path: string, again = false): 'made' | 'there' | 'orphan' {
  try {
    mkdirSync(path, { mode: 0o700 });
    return 'made';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !again) return 'orphan';
    // A folder that is there, in a file system that refuses new ones, is not always called EEXIST.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
    return 'there';
  }
}
