import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { targetOf } from '../roles/client/target.js';

/**
 * Whether two paths lead to the same regular file, there already or not: by another spelling, or by a link. What is written to
 * one would spoil what is written to the other. Devices and pipes are no files: two things may go to `/dev/null`.
 */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map(placeOf);
  return a !== undefined && a === b;
}

/** What is the same for all paths of a file; undefined for what is none, or has no folder. */
function placeOf(path: string): string | undefined {
  try {
    const { kind, path: end } = targetOf(path);
    if (kind !== 'file') return undefined;
    const found = statSync(end, { throwIfNoEntry: false, bigint: true });
    // A hard link has another path.
    if (found !== undefined) return `${found.dev}:${found.ino}`;
    return join(realpathSync(dirname(resolve(end))), basename(end));
  } catch {
    return undefined;
  }
}
