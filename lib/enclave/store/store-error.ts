import { FileStoreError, OutcomeUnknownError, VeracruzError } from '../../core/errors.js';

export const STORE_LAYER = 'file-store';

/** The system's name for an error, e.g. `ENOENT`. */
export function errno(thrown: unknown): string | undefined {
  return (thrown as NodeJS.ErrnoException | undefined)?.code;
}

/**
 * Wraps a system error in a FileStoreError. `what` is what the store was trying; `got` is the system's name for the error.
 */
export function storeError(what: string, thrown: unknown): VeracruzError {
  if (thrown instanceof VeracruzError) return thrown;
  const code = errno(thrown) ?? 'unknown';
  return new FileStoreError(`cannot ${what}: ${code}`, { layer: STORE_LAYER, got: code, cause: thrown });
}

/** The error for a change that is done, but may be undone by a crash of the machine, because it could not be made durable. */
export function unknownOutcome(what: string, thrown: unknown): OutcomeUnknownError {
  const got = errno(thrown) ?? 'unknown';
  return new OutcomeUnknownError(`${what}: ${got}`, { layer: STORE_LAYER, got, cause: thrown });
}

/** Whether an error of a store means that the file is missing (see `FileStore`). */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof FileStoreError && thrown.got === 'ENOENT';
}

/** For `.catch`: turns the error for a missing file into undefined, and throws all others again. */
export function undefinedIfMissing(thrown: unknown): undefined {
  if (!isMissing(thrown)) throw thrown;
}

/** The error for a directory, symbolic link or device where the store expects a file. */
export function notAFile(): FileStoreError {
  return new FileStoreError('not a regular file', { layer: STORE_LAYER, expected: 'a regular file', got: 'ENOTSUP' });
}
