import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import type { PrefixedChunk } from '../../core/unit.js';
import { bytesOf, truncated } from './decoder.js';
import type { WholeMessage } from './index.js';
import { PREFIX_BYTES, takePrefix } from './prefix.js';

/**
 * Gives each message as one Buffer, without its prefix: a view of the input where the message sits in one chunk, a copy
 * where it spans several. A message of length 0 is an empty Buffer.
 *
 *     <00 00 00 00 00 00 00 0b, 4 bytes> <7 bytes, 00 00 00 00 00 00 00 00>
 *     <11 bytes> <0 bytes>
 *
 * It keeps at most `maxMessageBytes` and the chunk that goes beyond. Errors as `LengthPrefixDecoder`.
 *
 * @see LengthPrefixEncoder
 */
export class WholeMessageDecoder implements Codec<PrefixedChunk, WholeMessage> {
  readonly #maxMessageBytes: number;
  readonly #queue = new ByteQueue();
  /** Bytes of the message whose prefix is read; undefined between messages. */
  #announced: number | undefined;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  push(chunk: PrefixedChunk): void {
    this.#queue.push(bytesOf(chunk));
  }

  next(): WholeMessage | undefined {
    if (this.#announced === undefined) {
      if (this.#queue.length < PREFIX_BYTES) return undefined;
      this.#announced = takePrefix(this.#queue, this.#maxMessageBytes);
    }
    if (this.#queue.length < this.#announced) return undefined;
    const message = this.#queue.take(this.#announced);
    this.#announced = undefined;
    return message;
  }

  end(): void {
    if (this.#announced !== undefined) throw truncated('a message', this.#announced, this.#queue.length);
    if (this.#queue.length > 0) throw truncated('a length prefix', PREFIX_BYTES, this.#queue.length);
  }
}
