import { FileStoreError, VeracruzError } from '../../core/errors.js';

export const STORE_LAYER = 'file-store';

/** The system's name of an error, e.g. `ENOENT`. */
export function errno(thrown: unknown): string | undefined {
  return (thrown as NodeJS.ErrnoException | undefined)?.code;
}

/** Wraps what the system raised while the store was trying `what`; `got` is the system's name of it. */
export function storeError(what: string, thrown: unknown): VeracruzError {
  if (thrown instanceof VeracruzError) return thrown;
  const code = errno(thrown) ?? 'unknown';
  return new FileStoreError(`cannot ${what}: ${code}`, { layer: STORE_LAYER, got: code, cause: thrown });
}

/** Whether what a store threw says that the file is not there (see `FileStore`). */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof FileStoreError && thrown.got === 'ENOENT';
}

/** For `.catch`: a missing file is undefined, and all else is thrown again. */
export function undefinedIfMissing(thrown: unknown): undefined {
  if (!isMissing(thrown)) throw thrown;
}

/** What stands in the store under a name is a directory, a symbolic link, a device: not a file of the store. */
export function notAFile(): FileStoreError {
  return new FileStoreError('not a regular file', { layer: STORE_LAYER, expected: 'a regular file', got: 'ENOTSUP' });
}
