import { given, integerInRange, oneOf, optionsOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import { DIALECTS, type Dialect } from '../formats/dialect.js';
import type { Side } from './messages.js';

/** Options of the functions that decode one message. */
export interface DecodeOptions {
  /**
   * Accepts a message with bytes after it and drops those bytes. The original does the same, because its bincode 1.3 does not
   * check. No known peer sends such bytes. Default false: the message is refused.
   */
  allowTrailing?: boolean;
}

/** Options of `bincode()`. */
export interface BincodeOptions<S extends Side = Side, R extends Side = Side> extends DecodeOptions {
  /** The dialect of the other end. The bytes on the wire do not tell it. */
  dialect: Dialect;
  /** `request` for the Server, `response` for the Runtime Manager. */
  sends: S;
  /** The other one of the two: `response` for the Server, `request` for the Runtime Manager. */
  receives: R;
  /** Bytes of one message in either direction, 4 to 2^53 - 1. Default 1 MiB. Messages are kept in memory until complete. */
  maxMessageBytes?: number;
}

/** Defaults of `BincodeOptions`. */
export const BINCODE_DEFAULTS = Object.freeze({ allowTrailing: false, maxMessageBytes: 1_048_576 });

const SIDES: readonly Side[] = ['request', 'response'];

/** The options, checked and completed. Throws `InvalidOptionError`. */
export function bincodeOptions<S extends Side, R extends Side>(options: BincodeOptions<S, R>): Required<BincodeOptions<S, R>> {
  return optionsOf('bincode', () => checked(given('options', options)));
}

function checked<S extends Side, R extends Side>(options: BincodeOptions<S, R>): Required<BincodeOptions<S, R>> {
  const all = {
    ...options,
    allowTrailing: options.allowTrailing ?? BINCODE_DEFAULTS.allowTrailing,
    maxMessageBytes: options.maxMessageBytes ?? BINCODE_DEFAULTS.maxMessageBytes,
  };
  oneOf('dialect', all.dialect, DIALECTS);
  oneOf('sends', all.sends, SIDES);
  oneOf('receives', all.receives, SIDES);
  integerInRange('maxMessageBytes', all.maxMessageBytes, 4, Number.MAX_SAFE_INTEGER);
  if (typeof all.allowTrailing !== 'boolean') {
    throw new InvalidOptionError('allowTrailing must be true or false', { expected: 'boolean', got: typeof all.allowTrailing });
  }
  return all;
}
