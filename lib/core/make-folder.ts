import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder, and those above it that are missing, for their owner alone (mode 0700). A folder that is there is left as it
 * is.
 *
 * `mkdir` of Node with `recursive` makes a missing folder's parent and tries again until it is told something else than
 * ENOENT. Some file systems say nothing else, `/proc` for one, so it never ends there. This tries each folder once.
 *
 * @throws what the system says: EEXIST for what is there and is no folder, ENOENT, EACCES, EROFS, ENOTDIR …
 */
export function makeFolder(path: string): void {
  if (!make(path)) return;
  const above = dirname(resolve(path));
  if (above !== resolve(path)) makeFolder(above);
  mkdirSync(path, { mode: 0o700 });
}

/** Tries once. True when the folder above is missing. */
function make(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    // A folder that is there, in a file system that refuses new ones, is not always called EEXIST.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
  return false;
}
