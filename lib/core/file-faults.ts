/** What the system says of a file on this side, as an error of this library. */
import { InvalidArgumentError, LocalFileError } from './errors.js';
import { messageOf } from './message-of.js';

/** The system means the path: it is a wrong one, or is not for us. Another path would do. */
const OF_THE_PATH: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EEXIST',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENODEV',
  'ENOENT',
  'ENOTDIR',
  'ENXIO',
  'EPERM',
  'EROFS',
  'ETXTBSY',
]);

/**
 * The error for `cause`, which came of the use of a file. It is a wrong argument where the path is wrong, and LocalFileError where
 * the system has failed: a disk that is full or broken, too many open files, a pipe whose reader has left.
 */
export function fileFault(message: string, cause: unknown, layer?: string): InvalidArgumentError | LocalFileError {
  const { code, syscall } = cause as NodeJS.ErrnoException;
  // Without a call it is not the system that speaks.
  if (syscall === undefined || OF_THE_PATH.has(code)) return new InvalidArgumentError(message, { layer, cause });
  return new LocalFileError(message, { layer, got: code, cause });
}

/** A file that cannot be read, and why. */
export function cannotRead(path: string, cause: unknown, layer?: string): InvalidArgumentError | LocalFileError {
  return fileFault(`cannot read ${path}: ${messageOf(cause as Error)}`, cause, layer);
}

/** A file that cannot be written, and why. */
export function cannotWrite(path: string, cause: unknown, layer?: string): InvalidArgumentError | LocalFileError {
  return fileFault(`cannot write ${path}: ${messageOf(cause as Error)}`, cause, layer);
}
