import { integerInRange, oneOf } from '../../core/check.js';
import { type Layer, layerOf } from '../../core/layer.js';
import type { MessageChunk, PrefixedChunk } from '../../core/unit.js';
import { LengthPrefixDecoder } from './decoder.js';
import { LengthPrefixEncoder } from './encoder.js';
import { LENGTH_PREFIX } from './prefix.js';
import { WholeMessageDecoder } from './whole-message-decoder.js';

export { LengthPrefixDecoder } from './decoder.js';
export { LengthPrefixEncoder } from './encoder.js';
export { encodePrefix, PREFIX_BYTES, readPrefix } from './prefix.js';
export { WholeMessageDecoder } from './whole-message-decoder.js';

/** One message in one Buffer. (`Extract`, not `Exclude`: a Buffer has all that an Announce has.) */
export type WholeMessage = Extract<MessageChunk, Buffer>;

export interface LengthPrefixOptions {
  /**
   * Bytes of the largest message, in either direction, 1 to 2^53 - 1. A longer one is refused by its length, before anything of
   * it is kept. Default 16 GiB where messages are streamed, 16 MiB where they are delivered whole.
   */
  maxMessageBytes?: number;
  /**
   * How messages come in. `streamed` (default): Announce, then the bytes as they come. `whole`: one Buffer a message;
   * for messages that fit in memory.
   */
  deliver?: 'streamed' | 'whole';
}

export const LENGTH_PREFIX_DEFAULTS = Object.freeze({
  deliver: 'streamed',
  maxMessageBytes: 16 * 1024 ** 3,
  /** `maxMessageBytes` where messages are delivered whole. */
  maxWholeMessageBytes: 16 * 1024 ** 2,
});

/**
 * The framing of end-to-end messages: 8 bytes of big-endian length, then the message (wire spec §A "Framing").
 * It stands between protobuf and TLS.
 *
 * @throws InvalidOptionError
 * @example
 * stack(lengthPrefix(), tls({ ... })).over(socket);
 */
export function lengthPrefix(options?: LengthPrefixOptions & { deliver?: 'streamed' }): Layer<MessageChunk, PrefixedChunk>;
export function lengthPrefix(options: LengthPrefixOptions & { deliver: 'whole' }): Layer<WholeMessage, PrefixedChunk>;
export function lengthPrefix(options: LengthPrefixOptions = {}): Layer<MessageChunk, PrefixedChunk> | Layer<WholeMessage, PrefixedChunk> {
  const deliver = oneOf('deliver', options.deliver ?? LENGTH_PREFIX_DEFAULTS.deliver, ['streamed', 'whole']);
  const preset = deliver === 'whole' ? LENGTH_PREFIX_DEFAULTS.maxWholeMessageBytes : LENGTH_PREFIX_DEFAULTS.maxMessageBytes;
  const maxMessageBytes = integerInRange('maxMessageBytes', options.maxMessageBytes ?? preset, 1, Number.MAX_SAFE_INTEGER);
  const common = { name: LENGTH_PREFIX, limits: { deliver, maxMessageBytes }, encoder: () => new LengthPrefixEncoder(maxMessageBytes) };
  return deliver === 'whole'
    ? layerOf<WholeMessage, PrefixedChunk>({ ...common, decoder: () => new WholeMessageDecoder(maxMessageBytes) })
    : layerOf<MessageChunk, PrefixedChunk>({ ...common, decoder: () => new LengthPrefixDecoder(maxMessageBytes) });
}
