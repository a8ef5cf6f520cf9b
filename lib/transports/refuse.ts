import { InvalidOptionError } from '../core/errors.js';

/** The layer in errors of transports that have no name of their own in errors. */
export const TRANSPORT_LAYER = 'transport';

/** The error for a text that is no address, or whose port or path is out of range. */
export function refuse(message: string, figures: { limit?: number; expected?: string; got: number | string }): InvalidOptionError {
  return new InvalidOptionError(message, { layer: TRANSPORT_LAYER, ...figures });
}
