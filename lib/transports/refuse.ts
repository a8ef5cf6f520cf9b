import { InvalidOptionError } from '../core/errors.js';

/** Name of the transports in errors, where a transport has no name of its own there. */
export const TRANSPORT_LAYER = 'transport';

/** The error of a text that is no address, or of one with a figure outside its range. */
export function refuse(message: string, figures: { limit?: number; expected?: string; got: number | string }): InvalidOptionError {
  return new InvalidOptionError(message, { layer: TRANSPORT_LAYER, ...figures });
}
