import { givenRecord, integerInRange, oneOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import { DIALECTS, type Dialect } from '../formats/dialect.js';

/** Limits of one message, the same in both directions. All are finite by default. */
export interface ProtobufLimits {
  /**
   * Bytes of one message, streamed body included. Default 17,179,869,184 (16 GiB), or 16,777,216 where messages are
   * delivered whole; at most 2^53 - 1.
   */
  maxMessageBytes?: number;
  /** Bytes of one message that are in memory at once: all except a streamed body. Default 1,048,576. */
  maxBufferedMessageBytes?: number;
  /** Bytes of a `file_name`. Default 4,096. */
  maxFileNameBytes?: number;
  /** Fields of one message, those of its arm and unknown ones included. Default 1,024. */
  maxFields?: number;
}

/** The default limits. */
export const PROTOBUF_DEFAULTS: Readonly<Required<ProtobufLimits>> = Object.freeze({
  maxMessageBytes: 16 * 2 ** 30,
  maxBufferedMessageBytes: 2 ** 20,
  maxFileNameBytes: 4096,
  maxFields: 1024,
});

/** The default of `maxMessageBytes` where messages are delivered whole. */
export const MAX_WHOLE_MESSAGE_BYTES = 16 * 2 ** 20;

export interface MessageOptions extends ProtobufLimits {
  /** Default `'2207'`. */
  dialect?: Dialect;
}

/** The options with all defaults filled in. */
interface CompleteOptions {
  readonly dialect: Dialect;
  readonly limits: Readonly<Required<ProtobufLimits>>;
}

const NOTHING_SAID: CompleteOptions = Object.freeze({ dialect: '2207', limits: PROTOBUF_DEFAULTS });

/** Completes and checks the options. Throws `InvalidOptionError`. */
export function completeOptions(options?: MessageOptions): CompleteOptions {
  // A shortcut, because `encodeMessage` and `decodeMessage` come here for each message.
  if (options === undefined) return NOTHING_SAID;
  givenRecord('options', options);
  const limit = (name: keyof ProtobufLimits, min: number, max: number) =>
    integerInRange(name, options[name] ?? PROTOBUF_DEFAULTS[name], min, max);
  const limits = {
    maxMessageBytes: limit('maxMessageBytes', 1, Number.MAX_SAFE_INTEGER),
    maxBufferedMessageBytes: limit('maxBufferedMessageBytes', 1, 2 ** 30),
    maxFileNameBytes: limit('maxFileNameBytes', 1, 2 ** 30),
    maxFields: limit('maxFields', 1, 2 ** 20),
  };
  // Otherwise a file name within its own limit could be refused by the other limit, with a figure that nobody has set.
  if (limits.maxFileNameBytes > limits.maxBufferedMessageBytes) {
    throw new InvalidOptionError(
      `maxFileNameBytes (${limits.maxFileNameBytes}) must not exceed maxBufferedMessageBytes (${limits.maxBufferedMessageBytes})`,
      { expected: limits.maxBufferedMessageBytes, got: limits.maxFileNameBytes },
    );
  }
  return { dialect: oneOf('dialect', options.dialect ?? NOTHING_SAID.dialect, DIALECTS), limits: Object.freeze(limits) };
}
