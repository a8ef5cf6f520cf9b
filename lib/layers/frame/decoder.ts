import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import { InvalidArgumentError, LimitError, TruncatedError } from '../../core/errors.js';
import { Announce, type BincodeChunk, type FrameChunk } from '../../core/unit.js';
import type { FrameHeader } from './header.js';

/**
 * Frames, cut anywhere → announced units of bytes.
 *
 *     <2 bytes>  <7 bytes, 1016 bytes, 9 bytes>  →  Announce(1016)  <1016 bytes>  …
 *
 * Nothing of a payload is kept: it goes on in the pieces that it came in. Throws `LimitError` for a header that tells
 * more than `maxFrameBytes`, before any of the payload is given, and `TruncatedError` when the input ends inside a
 * header or a payload; `InvalidArgumentError` for what is no Buffer.
 *
 * @see FrameEncoder
 */
export class FrameDecoder implements Codec<FrameChunk, BincodeChunk> {
  readonly #header: FrameHeader;
  readonly #maxFrameBytes: number;
  readonly #queue = new ByteQueue();
  /** Length of the frame at hand, and how much of it must still come. */
  #length = 0;
  #owed = 0;

  constructor(header: FrameHeader, maxFrameBytes: number) {
    this.#header = header;
    this.#maxFrameBytes = maxFrameBytes;
  }

  push(chunk: FrameChunk): void {
    if (!Buffer.isBuffer(chunk)) {
      throw new InvalidArgumentError('frames are Buffers', { layer: 'frame', expected: 'Buffer', got: typeof chunk });
    }
    this.#queue.push(chunk);
  }

  next(): BincodeChunk | undefined {
    if (this.#owed > 0) {
      if (this.#queue.length === 0) return undefined;
      const bytes = this.#queue.takeSome(this.#owed);
      this.#owed -= bytes.length;
      return bytes;
    }
    if (this.#queue.length < this.#header.bytes) return undefined;
    const length = this.#header.read(this.#queue.take(this.#header.bytes));
    if (length > this.#maxFrameBytes) {
      throw new LimitError(`a frame of ${length} bytes, at most ${this.#maxFrameBytes} are allowed`, {
        layer: 'frame',
        limit: this.#maxFrameBytes,
        got: length,
      });
    }
    this.#length = Number(length);
    this.#owed = this.#length;
    return new Announce(this.#length);
  }

  end(): void {
    if (this.#owed > 0) throw truncated('payload', this.#length, this.#length - this.#owed);
    if (this.#queue.length > 0) throw truncated('header', this.#header.bytes, this.#queue.length);
  }
}

function truncated(part: string, expected: number, got: number): TruncatedError {
  return new TruncatedError(`the input ended ${got} bytes into a ${part} of ${expected}`, { layer: 'frame', expected, got });
}
