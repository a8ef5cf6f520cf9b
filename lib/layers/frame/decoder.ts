import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import { Announce, type AnnouncedChunk, BODY_END, BOUNDARY, type ItemChunk } from '../../core/unit.js';
import { lengthWithin, notAChunk, truncated } from './faults.js';
import type { FrameHeader } from './header.js';

/**
 * Takes the header off each payload and tells its length, then passes the bytes on as they come, uncopied.
 *
 *     <2 bytes> <6 bytes of a header of 11, 4 bytes> <7 bytes, header of 2, 2 bytes>
 *     Announce(11) <4 bytes> <7 bytes> Announce(2) <2 bytes>
 *
 * The rules, which are the same for every header:
 *
 * - Input may be cut anywhere. Bytes after a payload begin the next header.
 * - A length over the limit is refused by the header alone, before anything of the payload is kept.
 * - A payload of length 0 is `Announce(0)`, and no Buffer follows it.
 * - The input may end between two payloads and nowhere else.
 * - Marks of the layer below (base64 ends its texts with them) mean nothing here.
 *
 * It keeps at most the chunk that it was given and a part of a header.
 *
 * Errors: `LimitError` for an announced length over the limit; `TruncatedError` for an end inside a header or a payload;
 * `InvalidArgumentError` for what is neither a Buffer nor a mark.
 *
 * The bytes of each header: `FRAME_HEADERS`.
 *
 * @see FrameEncoder
 */
export class FrameDecoder implements Codec<ItemChunk, AnnouncedChunk> {
  readonly #header: FrameHeader;
  readonly #maxBytes: number;
  readonly #queue = new ByteQueue();
  /** Bytes of the payload at hand. */
  #length = 0;
  /** Bytes of it that are still to come. */
  #owed = 0;

  /** `maxBytes`: bytes of the largest payload. */
  constructor(header: FrameHeader, maxBytes: number) {
    this.#header = header;
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

/** The bytes of a chunk from the layer below; a mark has none. */
export function bytesOf(header: FrameHeader, chunk: ItemChunk): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk === BOUNDARY || chunk === BODY_END) return NOTHING;
  throw notAChunk(header, 'a Buffer', chunk);
}

/** Takes a header, which must be there, off the head of `queue`, and gives the length that it tells. */
export function takeLength(queue: ByteQueue, header: FrameHeader, maxBytes: number): number {
  const length = queue.readAt(0, header.bytes, header.read);
  queue.skip(header.bytes);
  return lengthWithin(header, length, maxBytes);
}
