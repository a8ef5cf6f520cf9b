import { textOf } from '../../core/check.js';
import { FileNameError } from '../../core/errors.js';

/** Most UTF-8 bytes of a file name, including its leading slash. */
export const MAX_FILE_NAME_BYTES = 4096;
/** Most UTF-8 bytes between two slashes: NAME_MAX of the file systems that the original runs on. */
const MAX_SEGMENT_BYTES = 255;

/** Names without a slash that are streams of the program, not files. */
const STREAM_NAMES: ReadonlySet<string> = new Set(['stdin', 'stdout', 'stderr']);

const LAYER = 'file-store';
/** Matches nearly all names fast: ASCII, already in the normal form, no segment that begins with a dot. */
const PLAIN = /^(?:\/[\w-][\w.-]{0,254})+$/;
/** A surrogate without its partner. It has no UTF-8 form and would become U+FFFD, so different names would become equal. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The normal form of a file name, by which rights, pins and files are looked up (wire spec §D, "VFS semantics").
 *
 *     input//a.dat/   ──▶  /input/a.dat        stdin  ──▶  stdin        /stdin  ──▶  /stdin
 *
 * A missing leading slash is added, as the original's client does, except for the streams `stdin`, `stdout` and `stderr`.
 * Repeated slashes become one, and a trailing slash is removed. Unicode is not normalised: names that differ only in their
 * Unicode normal form are different names. Normalising twice changes nothing.
 *
 * @param maxBytes most UTF-8 bytes of the name, before and after normalising. Default 4,096.
 * @throws FileNameError for the empty name, the bare root, a `.` or `..` segment, NUL, a lone surrogate, a name over
 * `maxBytes` or a segment over 255 bytes. (The original resolves `..` only after it checked the rights, so that a `..` can
 * bypass them.)
 */
export function normaliseName(name: string, maxBytes: number = MAX_FILE_NAME_BYTES): string {
  if (typeof name === 'string' && name.length <= maxBytes && PLAIN.test(name)) return name;
  checkBytes('file name', Buffer.byteLength(textOf('name', name)), maxBytes);
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

/** As `normaliseName`, but also accepts the root, whose normal form is `/`. */
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

/** Whether `name` is `top` or below it; both in normal form. All names except the streams are below the root. */
export function isAtOrBelow(name: string, top: string): boolean {
  return name === top || (name.startsWith('/') && name.startsWith(top === '/' ? top : `${top}/`));
}

function checkBytes(what: string, got: number, limit: number): void {
  if (got > limit) throw new FileNameError(`a ${what} of ${got} bytes, the limit is ${limit}`, { layer: LAYER, got, limit });
}

function refused(what: string, offset: number): FileNameError {
  return new FileNameError(`the file name has ${what} at ${offset}`, { layer: LAYER, got: what, offset });
}
