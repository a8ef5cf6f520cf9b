import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import type { ItemChunk } from '../../core/unit.js';
import { bytesOf, takeLength } from './decoder.js';
import { lengthWithin, truncated } from './faults.js';
import { type FrameHeader, givenHeader } from './header.js';

/**
 * Gives each payload as one Buffer, without its header. The Buffer is a view of the input if the payload is inside one chunk,
 * and a copy if it spans several. A payload of length 0 is an empty Buffer.
 *
 *     <header of 11, 4 bytes> <7 bytes, header of 0>
 *     <11 bytes> <0 bytes>
 *
 * It keeps at most `maxBytes` and the last chunk. Rules and errors are those of `FrameDecoder`.
 *
 * @see FrameEncoder
 */
export class WholeFrameDecoder implements Codec<ItemChunk, Buffer> {
  readonly #header: FrameHeader;
  readonly #maxBytes: number;
  /** A chunk that holds whole payloads from `#at` on. The part that is left at its end goes to the queue. */
  #chunk: Buffer | undefined;
  #at = 0;
  readonly #queue = new ByteQueue();
  /** Bytes of the payload whose header was read; undefined between payloads. */
  #length: number | undefined;

  /** `maxBytes`: bytes of the largest payload. */
  constructor(header: FrameHeader, maxBytes: number) {
    this.#header = givenHeader(header);
    this.#maxBytes = maxBytes;
  }

  push(chunk: ItemChunk): void {
    const bytes = bytesOf(this.#header, chunk);
    if (this.#queue.length > 0 || this.#length !== undefined) this.#queue.push(bytes);
    else this.#use(bytes);
  }

  #use(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  next(): Buffer | undefined {
    return this.#chunk === undefined ? this.#fromQueue() : this.#fromChunk(this.#chunk);
  }

  /** The usual case: small payloads, many in one chunk. */
  #fromChunk(chunk: Buffer): Buffer | undefined {
    const header = this.#header;
    const start = this.#at + header.bytes;
    if (start <= chunk.length) {
      const end = start + lengthWithin(header, header.read(chunk, this.#at), this.#maxBytes);
      if (end <= chunk.length) {
        this.#at = end;
        return chunk.subarray(start, end);
      }
    }
    this.#chunk = undefined;
    this.#queue.push(chunk.subarray(this.#at));
    return this.#fromQueue();
  }

  #fromQueue(): Buffer | undefined {
    if (this.#length === undefined) {
      if (this.#queue.length < this.#header.bytes) return undefined;
      this.#length = takeLength(this.#queue, this.#header, this.#maxBytes);
    }
    if (this.#queue.length < this.#length) return undefined;
    const payload = this.#queue.take(this.#length);
    this.#length = undefined;
    // All bytes that are left came with the last chunk, so they are in one piece.
    if (this.#queue.length > 0) this.#use(this.#queue.takeSome(this.#queue.length));
    return payload;
  }

  end(): void {
    if (this.#length !== undefined) throw truncated(this.#header, 'payload', this.#length, this.#queue.length);
    if (this.#queue.length > 0) throw truncated(this.#header, 'header', this.#header.bytes, this.#queue.length);
  }
}
