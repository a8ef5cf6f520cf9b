import { InvalidArgumentError, LimitError } from '../../core/errors.js';

/** `what` is in the registry, marked as revoked. */
export function revoked(what: string): InvalidArgumentError {
  return new InvalidArgumentError(`${what} was revoked; it is taken in again only by word (restore)`, { layer: 'registry' });
}

/** There are as many of `what` as may be. */
export function full(what: string, limit: number): LimitError {
  return new LimitError(`the registry keeps at most ${limit} ${what}, and has them`, { layer: 'registry', limit });
}
