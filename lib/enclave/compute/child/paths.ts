import { ERRNO } from './preview1.js';

const MAX_PATH_BYTES = 4096;
const MAX_SEGMENT_BYTES = 255;

/**
 * The normal name of what `path` means below `folder`, or the number of an error. Stricter than WASI: `..` is refused
 * wherever it stands, so that the rights looked up are those of what is reached. (There are no links in a program's world.)
 *
 *     /input, a//b/./  ──▶  /input/a/b          /, .  ──▶  /          /input, ../x  ──▶  NOTCAPABLE
 */
export function resolvePath(folder: string, path: string): string | number {
  if (path === '' || path.includes('\0')) return ERRNO.INVAL;
  if (path.startsWith('/')) return ERRNO.NOTCAPABLE;
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (segments.includes('..')) return ERRNO.NOTCAPABLE;
  if (segments.some((segment) => Buffer.byteLength(segment) > MAX_SEGMENT_BYTES)) return ERRNO.NAMETOOLONG;
  const name = [folder === '/' ? '' : folder, ...segments].join('/') || '/';
  return Buffer.byteLength(name) > MAX_PATH_BYTES ? ERRNO.NAMETOOLONG : name;
}
