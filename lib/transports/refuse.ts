import { InvalidOptionError } from '../core/errors.js';
import { TRANSPORT_LAYER } from './transport.js';

/** The error of a text that is no address, or of one with a figure outside its range. */
export function refuse(message: string, figures: { limit?: number; expected?: string; got: number | string }): InvalidOptionError {
  return new InvalidOptionError(message, { layer: TRANSPORT_LAYER, ...figures });
}
