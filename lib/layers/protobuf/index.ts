/** The protobuf layer: messages of the four envelopes above it, their bytes below it (wire spec §A). */
import { given, oneOf, optionsOf } from '../../core/check.js';
import { type Layer, layerOf } from '../../core/layer.js';
import type { MessageChunk } from '../../core/unit.js';
import { ProtobufDecoder } from './decoder.js';
import { ProtobufEncoder } from './encoder.js';
import type { OnMalformed } from './faults.js';
import type { Received, Sent, WholeMessage } from './messages.js';
import { completeOptions, MAX_WHOLE_MESSAGE_BYTES, type MessageOptions } from './options.js';
import { ENVELOPES, type EnvelopeName, envelopeTable, PROTOBUF } from './schema.js';
import { WholeProtobufDecoder } from './whole-decoder.js';

export { FieldCounter } from './check-fields.js';
export type { OnMalformed } from './faults.js';
export { IncomingBody } from './incoming-body.js';
export { decodeMessage, encodeMessage } from './message.js';
export type { ArmName, BodySource, OutgoingBody, Received, ResponseStatusName, Sent, WholeMessage } from './messages.js';
export { type MessageOptions, PROTOBUF_DEFAULTS, type ProtobufLimits } from './options.js';
export { MessageParser, type PlainMessage } from './parser.js';
export {
  ENVELOPES,
  type EnvelopeName,
  envelopeTable,
  type Field,
  type MessageTable,
  statusName,
} from './schema.js';
export { wholeBody } from './source-reader.js';
export { type FieldHead, readFieldHead } from './wire.js';

export interface ProtobufOptions<S extends EnvelopeName, R extends EnvelopeName> extends MessageOptions {
  /** The envelope of the messages that go out. */
  sends: S;
  /** The envelope of the messages that come in. */
  receives: R;
  /**
   * What happens when a message cannot be decoded. `'fail'` ends the stack with the error. `'give'` skips the message and gives
   * `{ oneof: null, malformed: error }` in its place. A length above `maxMessageBytes` always ends the stack. Default `'fail'`.
   */
  onMalformed?: OnMalformed;
  /**
   * When messages are given. `streamed` (default): as soon as the head has come, with an `IncomingBody` that must be read.
   * `whole`: when all of it has come, with the body as a Buffer; for messages that fit in memory.
   */
  deliver?: 'streamed' | 'whole';
}

/**
 * Messages above, announced bytes below. Files are streamed in both directions, and kept whole only with `deliver: 'whole'`.
 *
 * Options out of range throw `InvalidOptionError`. Outbound raises `InvalidArgumentError`, `LimitError` and
 * `LengthMismatchError`; inbound `ProtobufError`, `LimitError` and `TruncatedError`.
 *
 * @example
 * const messages = protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' });
 * const client = stack(messages, lengthPrefix(), tls({ role: 'client', certificate, key, authority }));
 */
export function protobuf<S extends EnvelopeName, R extends EnvelopeName>(
  options: ProtobufOptions<S, R> & { deliver?: 'streamed' },
): Layer<Sent<S>, MessageChunk, Received<R>>;
export function protobuf<S extends EnvelopeName, R extends EnvelopeName>(
  options: ProtobufOptions<S, R> & { deliver: 'whole' },
): Layer<Sent<S>, MessageChunk, WholeMessage<R>>;
export function protobuf<S extends EnvelopeName, R extends EnvelopeName>(
  options: ProtobufOptions<S, R>,
): Layer<Sent<S>, MessageChunk, Received<R>> | Layer<Sent<S>, MessageChunk, WholeMessage<R>> {
  const { deliver, dialect, limits, sends, receives, onMalformed } = optionsOf(PROTOBUF, () => checked(given('options', options)));
  const common = {
    name: PROTOBUF,
    messages: true,
    limits: { deliver, dialect, ...limits },
    encoder: () => new ProtobufEncoder<S>(sends, limits),
  };
  return deliver === 'whole'
    ? layerOf<Sent<S>, MessageChunk, WholeMessage<R>>({
        ...common,
        decoder: (connection) => new WholeProtobufDecoder<R>(receives, limits, onMalformed, { layer: PROTOBUF, connection }),
      })
    : layerOf<Sent<S>, MessageChunk, Received<R>>({
        ...common,
        decoder: (connection) => new ProtobufDecoder<R>(receives, limits, onMalformed, { layer: PROTOBUF, connection }),
      });
}

function checked<S extends EnvelopeName, R extends EnvelopeName>(options: ProtobufOptions<S, R>) {
  const deliver = oneOf('deliver', options.deliver ?? 'streamed', ['streamed', 'whole']);
  const { dialect, limits } = completeOptions(
    deliver === 'whole' ? { ...options, maxMessageBytes: options.maxMessageBytes ?? MAX_WHOLE_MESSAGE_BYTES } : options,
  );
  return {
    deliver,
    dialect,
    limits,
    sends: envelopeTable(oneOf('sends', options.sends, ENVELOPES), dialect),
    receives: envelopeTable(oneOf('receives', options.receives, ENVELOPES), dialect),
    onMalformed: oneOf('onMalformed', options.onMalformed ?? 'fail', ['fail', 'give']),
  };
}
