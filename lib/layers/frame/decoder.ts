import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import { Announce, type AnnouncedChunk, BODY_END, BOUNDARY, type ItemChunk } from '../../core/unit.js';
import { lengthWithin, notAChunk, truncated } from './faults.js';
import { type FrameHeader, givenHeader } from './header.js';

/**
 * Takes the header off each payload and announces the payload's length. The bytes are passed on as they come, without a copy.
 *
 *     <2 bytes> <6 bytes of a header of 11, 4 bytes> <7 bytes, header of 2, 2 bytes>
 *     Announce(11) <4 bytes> <7 bytes> Announce(2) <2 bytes>
 *
 * The rules, which are the same for every header:
 *
 * - Input may be cut anywhere. Bytes after a payload begin the next header.
 * - A length over the limit is refused as soon as the header is read, before any byte of the payload is kept.
 * - A payload of length 0 becomes `Announce(0)`, without a Buffer after it.
 * - The input may end between two payloads and nowhere else.
 * - Bounds from the layer below (base64 writes them) are ignored.
 *
 * It keeps at most the current chunk and a part of a header.
 *
 * Errors: `LimitError` for an announced length over the limit; `TruncatedError` for an end inside a header or a payload;
 * `InvalidArgumentError` for a chunk that is neither a Buffer nor a bound.
 *
 * The bytes of each header: `FRAME_HEADERS`.
 *
 * @see FrameEncoder
 */
export class FrameDecoder implements Codec<ItemChunk, AnnouncedChunk> {
  readonly #header: FrameHeader;
  readonly #maxBytes: number;
  readonly #queue = new ByteQueue();
  /** Bytes of the current payload. */
  #length = 0;
  /** Bytes of the current payload that are still to come. */
  #owed = 0;

  /** `maxBytes`: bytes of the largest payload. */
  constructor(header: FrameHeader, maxBytes: number) {
    this.#header = givenHeader(header);
    this.#maxBytes = maxBytes;
  }

  push(chunk: ItemChunk): void {
    this.#queue.push(bytesOf(this.#header, chunk));
  }

  next(): AnnouncedChunk | undefined {
    if (this.#owed > 0) {
      if (this.#queue.length === 0) return undefined;
      const bytes = this.#queue.takeSome(this.#owed);
      this.#owed -= bytes.length;
      return bytes;
    }
    if (this.#queue.length < this.#header.bytes) return undefined;
    this.#length = this.#owed = takeLength(this.#queue, this.#header, this.#maxBytes);
    return new Announce(this.#length);
  }

  end(): void {
    if (this.#owed > 0) throw truncated(this.#header, 'payload', this.#length, this.#length - this.#owed);
    if (this.#queue.length > 0) throw truncated(this.#header, 'header', this.#header.bytes, this.#queue.length);
  }
}

const NOTHING = Buffer.alloc(0);

/** The bytes of a chunk from the layer below. A bound has none. */
export function bytesOf(header: FrameHeader, chunk: ItemChunk): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk === BOUNDARY || chunk === BODY_END) return NOTHING;
  throw notAChunk(header, 'a Buffer', chunk);
}

/** Takes a header off the head of `queue` and returns the length in it. The whole header must be there. */
export function takeLength(queue: ByteQueue, header: FrameHeader, maxBytes: number): number {
  const length = queue.readAt(0, header.bytes, header.read);
  queue.skip(header.bytes);
  return lengthWithin(header, length, maxBytes);
}
