import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import { InvalidArgumentError, TruncatedError } from '../../core/errors.js';
import { Announce, BODY_END, BOUNDARY, type ItemChunk, type MessageChunk, type PrefixedChunk } from '../../core/unit.js';
import { LENGTH_PREFIX, PREFIX_BYTES, takePrefix } from './prefix.js';

/**
 * Takes the length off each message and tells it, then passes the bytes on as they come, uncopied.
 *
 *     <00 00> <00 00 00 00 00 0b, 4 bytes> <7 bytes, 00 00 00 00 00 00 00 02, 2 bytes>
 *     Announce(11) <4 bytes> <7 bytes> Announce(2) <2 bytes>
 *
 * It keeps at most the chunk that it was given and 7 bytes of a prefix. What comes after a message begins the next. Marks
 * of the layer below are passed over.
 *
 * Errors: `InvalidArgumentError` for anything that is neither a Buffer nor a mark; `LimitError` for an announced length over `maxMessageBytes`, before anything of the message is kept;
 * `TruncatedError` when the input ends inside a prefix or a message.
 *
 * @see LengthPrefixEncoder
 */
export class LengthPrefixDecoder implements Codec<PrefixedChunk, MessageChunk> {
  readonly #maxMessageBytes: number;
  readonly #queue = new ByteQueue();
  #announced = 0;
  /** Bytes of the message that are still to come. */
  #owed = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  push(chunk: PrefixedChunk): void {
    this.#queue.push(bytesOf(chunk));
  }

  next(): MessageChunk | undefined {
    if (this.#owed > 0) {
      if (this.#queue.length === 0) return undefined;
      const bytes = this.#queue.takeSome(this.#owed);
      this.#owed -= bytes.length;
      return bytes;
    }
    if (this.#queue.length < PREFIX_BYTES) return undefined;
    this.#announced = this.#owed = takePrefix(this.#queue, this.#maxMessageBytes);
    return new Announce(this.#announced);
  }

  end(): void {
    if (this.#owed > 0) throw truncated('a message', this.#announced, this.#announced - this.#owed);
    if (this.#queue.length > 0) throw truncated('a length prefix', PREFIX_BYTES, this.#queue.length);
  }
}

const NOTHING = Buffer.alloc(0);

/** What a neighbour gave, in bytes: base64 ends its texts with marks, which mean nothing here. */
export function bytesOf(chunk: PrefixedChunk | ItemChunk): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk === BOUNDARY || chunk === BODY_END) return NOTHING;
  throw new InvalidArgumentError('prefixed messages are Buffers', { layer: LENGTH_PREFIX, expected: 'Buffer', got: typeof chunk });
}

/** The input ended inside `what`. */
export function truncated(what: string, expected: number, got: number): TruncatedError {
  return new TruncatedError(`the input ended inside ${what}: ${got} of ${expected} bytes`, { layer: LENGTH_PREFIX, expected, got });
}
