import { InvalidArgumentError, LimitError } from '../../core/errors.js';

/** The error when `what` is in the registry but revoked. */
export function revoked(what: string): InvalidArgumentError {
  return new InvalidArgumentError(`${what} was revoked; it is taken in again only by word (restore)`, { layer: 'registry' });
}

/** The error when the registry has the most entries of kind `what` that it may have. */
export function full(what: string, limit: number): LimitError {
  return new LimitError(`the registry keeps at most ${limit} ${what}, and has them`, { layer: 'registry', limit });
}
