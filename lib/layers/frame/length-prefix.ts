import { givenBytes, givenRecord, integerInRange, oneOf, optionsOf } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { type Layer, layerOf } from '../../core/layer.js';
import type { MessageChunk, PrefixedChunk } from '../../core/unit.js';
import { FrameDecoder } from './decoder.js';
import { FrameEncoder } from './encoder.js';
import { lengthWithin } from './faults.js';
import { encodeHeader, FRAME_HEADERS } from './header.js';
import { WholeFrameDecoder } from './whole-decoder.js';

const HEADER = FRAME_HEADERS.be64;

/** One message in one Buffer. (`Extract`, not `Exclude`: to tsc a Buffer is an Announce too, because it has a `length`.) */
export type WholeMessage = Extract<MessageChunk, Buffer>;

/** Options of `lengthPrefix()`. */
export interface LengthPrefixOptions {
  /**
   * Bytes of the largest message, in either direction, 1 to 2^53 - 1. A longer message is refused as soon as its length is
   * read, before any of it is kept. Default 16 GiB where messages are streamed, 16 MiB where they are delivered whole.
   */
  maxMessageBytes?: number;
  /**
   * How messages come in. `streamed` (default): an Announce, then the bytes as they arrive. `whole`: one Buffer a message,
   * for messages that fit in memory.
   */
  deliver?: 'streamed' | 'whole';
}

/** Defaults of `LengthPrefixOptions`. `maxWholeMessageBytes` is that of `maxMessageBytes` where messages are delivered whole. */
export const LENGTH_PREFIX_DEFAULTS = Object.freeze({
  deliver: 'streamed',
  maxMessageBytes: 16 * 1024 ** 3,
  /** The default of `maxMessageBytes` where messages are delivered whole. */
  maxWholeMessageBytes: 16 * 1024 ** 2,
});

/**
 * The framing of end-to-end messages: 8 bytes of big-endian length, then the message (wire spec §A "Framing").
 * It stands between protobuf and TLS. Rules and errors: `FrameEncoder` and `FrameDecoder` with the header `be64`.
 *
 * @throws InvalidOptionError
 * @example
 * stack(lengthPrefix(), tls({ role: 'client', certificate, key, authority })).over(socket);
 */
export function lengthPrefix(options?: LengthPrefixOptions & { deliver?: 'streamed' }): Layer<MessageChunk, PrefixedChunk>;
export function lengthPrefix(options: LengthPrefixOptions & { deliver: 'whole' }): Layer<WholeMessage, PrefixedChunk>;
export function lengthPrefix(options: LengthPrefixOptions = {}): Layer<MessageChunk, PrefixedChunk> | Layer<WholeMessage, PrefixedChunk> {
  const { deliver, maxMessageBytes } = optionsOf(HEADER.layer, () => checked(options));
  const common = { name: HEADER.layer, limits: { deliver, maxMessageBytes }, encoder: () => new FrameEncoder(HEADER, maxMessageBytes) };
  return deliver === 'whole'
    ? layerOf<WholeMessage, PrefixedChunk>({ ...common, decoder: () => new WholeFrameDecoder(HEADER, maxMessageBytes) })
    : layerOf<MessageChunk, PrefixedChunk>({ ...common, decoder: () => new FrameDecoder(HEADER, maxMessageBytes) });
}

function checked(options: LengthPrefixOptions) {
  givenRecord('options', options);
  const deliver = oneOf('deliver', options.deliver ?? LENGTH_PREFIX_DEFAULTS.deliver, ['streamed', 'whole']);
  const preset = deliver === 'whole' ? LENGTH_PREFIX_DEFAULTS.maxWholeMessageBytes : LENGTH_PREFIX_DEFAULTS.maxMessageBytes;
  return { deliver, maxMessageBytes: integerInRange('maxMessageBytes', options.maxMessageBytes ?? preset, 1, HEADER.maxLength) };
}

/** Bytes of a prefix. The prefix does not count itself. */
export const PREFIX_BYTES = HEADER.bytes;

/** The prefix of a message of `length` bytes (0 to 2^53 - 1). @throws InvalidArgumentError @see readPrefix */
export function encodePrefix(length: number): Buffer {
  return encodeHeader(HEADER, length);
}

/**
 * The length that the 8 bytes of `prefix` announce.
 * @throws LimitError when it is over `maxBytes`; `got` is exact, a bigint from 2^53 on. InvalidArgumentError for what is no prefix
 * @see encodePrefix
 */
export function readPrefix(prefix: Buffer, maxBytes: number): number {
  const bytes = givenBytes('prefix', prefix);
  if (bytes.length < PREFIX_BYTES) {
    throw new InvalidArgumentError(`a prefix has ${PREFIX_BYTES} bytes, got ${bytes.length}`, {
      layer: HEADER.layer,
      expected: PREFIX_BYTES,
      got: bytes.length,
    });
  }
  return lengthWithin(HEADER, HEADER.read(bytes), integerInRange('maxBytes', maxBytes, 0, HEADER.maxLength));
}
