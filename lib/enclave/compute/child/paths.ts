import { ERRNO } from './preview1.js';

const MAX_PATH_BYTES = 4096;
const MAX_SEGMENT_BYTES = 255;

/**
 * The normal name of what `path` means below `folder`, or the number of an error. There are no links in a program's world,
 * so `..` takes away the segment before it, and the rights looked up are those of what is reached. (Whether there is
 * something under the segment that it takes away is not asked.) It does not lead out of `folder`.
 *
 *     /input, a//b/./  ──▶  /input/a/b          /, a/../b  ──▶  /b          /input, ../x  ──▶  NOTCAPABLE
 */
export function resolvePath(folder: string, path: string): string | number {
  if (path === '' || path.includes('\0')) return ERRNO.INVAL;
  if (path.startsWith('/')) return ERRNO.NOTCAPABLE;
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..' && segments.pop() === undefined) return ERRNO.NOTCAPABLE;
    if (segment !== '' && segment !== '.' && segment !== '..') segments.push(segment);
  }
  if (segments.some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)) return ERRNO.NAMETOOLONG;
  const name = [folder === '/' ? '' : folder, ...segments].join('/') || '/';
  return Buffer.byteLength(name) > MAX_PATH_BYTES ? ERRNO.NAMETOOLONG : name;
}
