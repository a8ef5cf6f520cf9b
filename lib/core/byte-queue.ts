/** The buffer in which every decoder collects its input. */

/** A chunk shorter than this is copied: many tiny slices would each pin the large buffer they were cut from. */
const SMALL_CHUNK_BYTES = 1024;
/** Size of the blocks that small chunks are copied into. */
const BLOCK_BYTES = 8192;

/**
 * A first-in-first-out queue of bytes that avoids copies.
 *
 * `take` gives a view of the pushed chunk when the wanted bytes are inside one chunk, and a copy when they span several
 * chunks. `takeSome` never copies. Small chunks (under 1 KiB) that follow each other are copied into blocks of 8 KiB.
 * So a peer that sends single bytes costs memory and time in proportion to those bytes only.
 */
export class ByteQueue {
  #chunks: Buffer[] = [];
  /** Index of the first chunk in use. The array is cut when more than half of it is before that chunk. */
  #head = 0;
  /** Bytes of the first chunk that were taken already. */
  #offset = 0;
  #length = 0;
  /** The block that small chunks go to, while it is the last chunk of the queue. */
  #block: Buffer | undefined;
  #blockUsed = 0;
  /** The last chunk of the queue is small and was not copied into a block. */
  #lone = false;

  /** Bytes in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Adds a chunk at the end. Its bytes are not copied. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    if (chunk.length >= SMALL_CHUNK_BYTES) {
      this.#block = undefined;
      this.#lone = false;
      this.#chunks.push(chunk);
      return;
    }
    if (this.#block === undefined || this.#blockUsed + chunk.length > BLOCK_BYTES) {
      // A single small chunk is kept as it is: copying pays only when a second one follows.
      if (this.#length === chunk.length || (this.#block === undefined && !this.#lone)) {
        this.#block = undefined;
        this.#lone = true;
        this.#chunks.push(chunk);
        return;
      }
      this.#lone = false;
      this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#blockUsed = 0;
      this.#chunks.push(this.#block.subarray(0, 0));
    }
    chunk.copy(this.#block, this.#blockUsed);
    const start = this.#blockUsed - (this.#chunks[this.#chunks.length - 1] as Buffer).length;
    this.#blockUsed += chunk.length;
    this.#chunks[this.#chunks.length - 1] = this.#block.subarray(start, this.#blockUsed);
  }

  /** The byte at `index`, which must be less than `length`. */
  at(index: number): number {
    let rest = index + this.#offset;
    for (let i = this.#head; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i] as Buffer;
      if (rest < chunk.length) return chunk[rest] as number;
      rest -= chunk.length;
    }
    throw new RangeError(`byte ${index} of a queue of ${this.#length}`);
  }

  /** The first `count` bytes, which stay in the queue. `count` must not exceed `length`. */
  peek(count: number): Buffer {
    const first = this.#chunks[this.#head];
    if (first !== undefined && first.length - this.#offset >= count) return first.subarray(this.#offset, this.#offset + count);
    return this.#copy(count);
  }

  /**
   * The result of `read` for the `count` bytes (at least one) from `index` on. All of them must be in the queue, and they stay
   * in it. `read` gets a Buffer and the offset at which the bytes begin. They are copied only when they span several chunks.
   */
  readAt<T>(index: number, count: number, read: (source: Buffer, offset: number) => T): T {
    let rest = index + this.#offset;
    for (let i = this.#head; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i] as Buffer;
      if (rest + count <= chunk.length) return read(chunk, rest);
      if (rest < chunk.length) break;
      rest -= chunk.length;
    }
    return read(this.#copy(count, index), 0);
  }

  /** Takes exactly `count` bytes, which must not exceed `length`. */
  take(count: number): Buffer {
    const bytes = this.peek(count);
    this.skip(count);
    return bytes;
  }

  /** Takes at most `max` bytes, and at least one if there are any. It never copies. */
  takeSome(max: number): Buffer {
    const first = this.#chunks[this.#head];
    if (first === undefined || max === 0) return Buffer.alloc(0);
    const count = Math.min(max, first.length - this.#offset);
    const bytes = count === first.length ? first : first.subarray(this.#offset, this.#offset + count);
    this.skip(count);
    return bytes;
  }

  /** Drops the first `count` bytes. */
  skip(count: number): void {
    if (count > this.#length) throw new RangeError(`${count} bytes of a queue of ${this.#length}`);
    this.#length -= count;
    let rest = count + this.#offset;
    const first = this.#chunks[this.#head];
    if (first !== undefined && rest < first.length) {
      this.#offset = rest;
      return;
    }
    while (this.#head < this.#chunks.length) {
      const size = (this.#chunks[this.#head] as Buffer).length;
      if (rest < size) break;
      rest -= size;
      this.#head++;
    }
    this.#offset = rest;
    if (this.#head === this.#chunks.length) {
      // One chunk is the usual case: `pop` costs less than a new array.
      if (this.#head === 1) this.#chunks.pop();
      else this.#chunks = [];
      this.#head = 0;
      this.#offset = 0;
      this.#block = undefined;
    } else if (this.#head > 32 && this.#head * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
  }

  #copy(count: number, index = 0): Buffer {
    if (index + count > this.#length) throw new RangeError(`${index + count} bytes of a queue of ${this.#length}`);
    const bytes = Buffer.allocUnsafe(count);
    let filled = 0;
    let offset = this.#offset + index;
    for (let i = this.#head; filled < count; i++) {
      const chunk = this.#chunks[i] as Buffer;
      if (offset < chunk.length) filled += chunk.copy(bytes, filled, offset, offset + count - filled);
      offset = Math.max(0, offset - chunk.length);
    }
    return bytes;
  }
}
