import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import type { PrefixedChunk } from '../../core/unit.js';
import { bytesOf, truncated } from './decoder.js';
import type { WholeMessage } from './index.js';
import { PREFIX_BYTES, prefixAt, takePrefix } from './prefix.js';

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
  /** A chunk in which whole messages are found, from `#at` on; what is left of it at the end goes to the queue. */
  #chunk: Buffer | undefined;
  #at = 0;
  readonly #queue = new ByteQueue();
  /** Bytes of the message whose prefix is read; undefined between messages. */
  #announced: number | undefined;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  push(chunk: PrefixedChunk): void {
    const bytes = bytesOf(chunk);
    if (this.#queue.length > 0 || this.#announced !== undefined) this.#queue.push(bytes);
    else this.#use(bytes);
  }

  #use(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  next(): WholeMessage | undefined {
    return this.#chunk === undefined ? this.#fromQueue() : this.#fromChunk(this.#chunk);
  }

  /** The usual case: small messages, many in a chunk. */
  #fromChunk(chunk: Buffer): WholeMessage | undefined {
    const start = this.#at + PREFIX_BYTES;
    if (start <= chunk.length) {
      const end = start + prefixAt(chunk, this.#at, this.#maxMessageBytes);
      if (end <= chunk.length) {
        this.#at = end;
        return chunk.subarray(start, end);
      }
    }
    this.#chunk = undefined;
    this.#queue.push(chunk.subarray(this.#at));
    return this.#fromQueue();
  }

  #fromQueue(): WholeMessage | undefined {
    if (this.#announced === undefined) {
      if (this.#queue.length < PREFIX_BYTES) return undefined;
      this.#announced = takePrefix(this.#queue, this.#maxMessageBytes);
    }
    if (this.#queue.length < this.#announced) return undefined;
    const message = this.#queue.take(this.#announced);
    this.#announced = undefined;
    // What is left has come with the last chunk, and is all in that.
    if (this.#queue.length > 0) this.#use(this.#queue.takeSome(this.#queue.length));
    return message;
  }

  end(): void {
    if (this.#announced !== undefined) throw truncated('a message', this.#announced, this.#queue.length);
    if (this.#queue.length > 0) throw truncated('a length prefix', PREFIX_BYTES, this.#queue.length);
  }
}
