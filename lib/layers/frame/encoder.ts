import type { Codec } from '../../core/codec.js';
import { InvalidArgumentError, LengthMismatchError, LimitError } from '../../core/errors.js';
import { Announce, type BincodeChunk, type FrameChunk } from '../../core/unit.js';
import type { FrameHeader } from './header.js';

/** A first chunk up to this long shares a Buffer with the header: one write less, for a copy that costs nothing. */
const MERGE_MAX_BYTES = 64;

/**
 * Announced units of bytes → frames.
 *
 *     Announce(1016)  <16 bytes>  <1000 bytes>  →  <9-byte header and 16 bytes>  <1000 bytes, uncopied>
 *
 * A Buffer that no `Announce` stands before is a frame of its own, for those who compose by hand; once something was
 * announced, everything must be, so that a source that gives too much is noticed however it is cut.
 *
 * Throws `LimitError` for a length above `maxFrameBytes` and `LengthMismatchError` when more or fewer bytes come than
 * were announced, `InvalidArgumentError` for what is neither a Buffer nor an announcement of a length.
 *
 * @see FrameDecoder
 */
export class FrameEncoder implements Codec<BincodeChunk, FrameChunk> {
  readonly #header: FrameHeader;
  readonly #maxFrameBytes: number;
  /** Length of the frame at hand, and how much of it must still come. */
  #length = 0;
  #owed = 0;
  /** Whether the header of the frame at hand is still to be written. */
  #headed = true;
  /** Whether an `Announce` was ever seen. */
  #announced = false;
  readonly #ready: Buffer[] = [];

  constructor(header: FrameHeader, maxFrameBytes: number) {
    this.#header = header;
    this.#maxFrameBytes = maxFrameBytes;
  }

  push(chunk: BincodeChunk): void {
    if (chunk instanceof Announce) {
      this.#open(chunk.length);
      this.#announced = true;
      return;
    }
    if (!Buffer.isBuffer(chunk)) {
      throw new InvalidArgumentError(`a chunk must be a Buffer or an Announce, got ${typeof chunk}`, { layer: 'frame', got: typeof chunk });
    }
    if (!this.#announced) this.#open(chunk.length);
    if (chunk.length > this.#owed) throw mismatch(this.#length, this.#length - this.#owed + chunk.length);
    if (chunk.length === 0) return;
    this.#owed -= chunk.length;
    if (this.#headed) this.#ready.push(chunk);
    else this.#head(chunk);
  }

  next(): FrameChunk | undefined {
    return this.#ready.shift();
  }

  end(): void {
    if (this.#owed > 0) throw mismatch(this.#length, this.#length - this.#owed);
  }

  #open(length: number): void {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new InvalidArgumentError(`an announced length of ${length}`, { layer: 'frame', expected: '0..2^53-1', got: length });
    }
    if (this.#owed > 0) throw mismatch(this.#length, this.#length - this.#owed);
    if (length > this.#maxFrameBytes) {
      throw new LimitError(`a frame of ${length} bytes, at most ${this.#maxFrameBytes} are allowed`, {
        layer: 'frame',
        limit: this.#maxFrameBytes,
        got: length,
      });
    }
    this.#length = length;
    this.#owed = length;
    this.#headed = false;
    // Without a payload the header would wait for the next frame.
    if (length === 0) this.#head();
  }

  #head(first?: Buffer): void {
    const size = this.#header.bytes;
    const merge = first !== undefined && first.length <= MERGE_MAX_BYTES;
    const head = Buffer.allocUnsafe(merge ? size + first.length : size);
    this.#header.write(head, this.#length);
    if (merge) first.copy(head, size);
    this.#ready.push(head);
    if (first !== undefined && !merge) this.#ready.push(first);
    this.#headed = true;
  }
}

function mismatch(expected: number, got: number): LengthMismatchError {
  return new LengthMismatchError(`a frame of ${expected} bytes was announced, ${got} came`, { layer: 'frame', expected, got });
}
