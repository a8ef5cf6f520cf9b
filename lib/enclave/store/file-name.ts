import { FileNameError } from '../../core/errors.js';

/** UTF-8 bytes of a file name, its leading slash included. */
export const MAX_FILE_NAME_BYTES = 4096;
/** UTF-8 bytes between two slashes: NAME_MAX of the file systems that the original runs on. */
const MAX_SEGMENT_BYTES = 255;

/** Names without a slash that are streams of the program, not files. */
const STREAM_NAMES: ReadonlySet<string> = new Set(['stdin', 'stdout', 'stderr']);

const LAYER = 'file-store';
/** What nearly all names are: ASCII, in the normal form already, no segment that begins with a dot. */
const PLAIN = /^(?:\/[\w-][\w.-]{0,254})+$/;
/** Without its partner a surrogate has no UTF-8 form: two such names would meet on U+FFFD. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The one form of a file name that rights, pins and the store go by (wire spec §D, "VFS semantics").
 *
 *     input//a.dat/   ──▶  /input/a.dat        stdin  ──▶  stdin        /stdin  ──▶  /stdin
 *
 * A missing leading slash is added (the original client does), except for the streams `stdin`, `stdout` and `stderr`;
 * repeated slashes become one, a trailing one goes. Unicode is left alone: names that differ in their normal form only
 * are different names. Normalising twice changes nothing.
 *
 * @param maxBytes limit of the name as it came and as it is returned, in UTF-8 bytes. Default 4,096.
 * @throws FileNameError for the empty name, the bare root, a `.` or `..` segment, NUL, a lone surrogate, a name over
 * `maxBytes` or a segment over 255 bytes. (The original resolves `..` after it looked up the rights, which opens a hole.)
 */
export function normaliseName(name: string, maxBytes: number = MAX_FILE_NAME_BYTES): string {
  if (name.length <= maxBytes && PLAIN.test(name)) return name;
  checkBytes('file name', Buffer.byteLength(name), maxBytes);
  if (!name.isWellFormed()) throw refused('a lone surrogate', name.search(LONE_SURROGATE));
  if (name.includes('\0')) throw refused('a NUL', name.indexOf('\0'));
  if (STREAM_NAMES.has(name)) return name;
  const segments = name.split('/').filter((segment) => segment !== '');
  if (segments.length === 0) throw new FileNameError('the file name names no file', { layer: LAYER, expected: 'a name', got: 'none' });
  for (const segment of segments) {
    if (segment === '.' || segment === '..') {
      throw new FileNameError(`the file name has a ${segment} segment`, { layer: LAYER, got: segment });
    }
    checkBytes('segment of a file name', Buffer.byteLength(segment), MAX_SEGMENT_BYTES);
  }
  const normal = `/${segments.join('/')}`;
  checkBytes('file name', Buffer.byteLength(normal), maxBytes);
  return normal;
}

/** The same of a name that may also be the root, which is `/` then. */
export function normaliseTop(name: string, maxBytes?: number): string {
  return /^\/+$/.test(name) ? '/' : normaliseName(name, maxBytes);
}

/** Whether a name is in its normal form. */
export function isNormal(name: string): boolean {
  try {
    return normaliseName(name) === name;
  } catch {
    return false;
  }
}

/** Whether `name` is `top` or below it, both normal. Below the root is what is no stream. */
export function isAtOrBelow(name: string, top: string): boolean {
  return name === top || (name.startsWith('/') && name.startsWith(top === '/' ? top : `${top}/`));
}

function checkBytes(what: string, got: number, limit: number): void {
  if (got > limit) throw new FileNameError(`a ${what} of ${got} bytes, the limit is ${limit}`, { layer: LAYER, got, limit });
}

function refused(what: string, offset: number): FileNameError {
  return new FileNameError(`the file name has ${what} at ${offset}`, { layer: LAYER, got: what, offset });
}
