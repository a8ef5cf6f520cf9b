import type { DeferredBytes } from '../core/deferred-bytes.js';

/** The smallest size of a new buffer, in bytes. */
const SMALLEST_BYTES = 4096;

/** A whole body in one Buffer. `release` returns the Buffer to its pool, and must be called when nobody reads it any more. */
export interface GatheredBody {
  readonly bytes: Buffer;
  readonly release: () => void;
}

/** Buffers that may be used again, in the sizes to which they have grown. */
export class BufferPool {
  readonly #keep: number;
  readonly #free: Buffer[] = [];

  /** @param keep how many buffers to keep: as many as are in use at once, if that is known */
  constructor(keep: number) {
    this.#keep = keep;
  }

  take(): Buffer | undefined {
    return this.#free.pop();
  }

  give(buffer: Buffer): void {
    // The Buffer of an empty body has no room, so it is not worth keeping.
    if (buffer.length > 0 && this.#free.length < this.#keep) this.#free.push(buffer);
  }
}

/**
 * Collects bodies, each into one Buffer of a pool. A new Buffer of a megabyte for each POST would cost more, in page faults and
 * garbage collection, than the copy does.
 */
export class BodyBuffer {
  readonly #pool: BufferPool;
  #buffer: Buffer = Buffer.alloc(0);
  /** Bytes of the current body so far. */
  #length = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Bytes of the current body so far. */
  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer | DeferredBytes): void {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) this.#grow(length);
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  /** Returns the body. The next body begins empty. */
  take(): GatheredBody {
    const buffer = this.#buffer;
    const bytes = buffer.subarray(0, this.#length);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    return { bytes, release: () => this.#pool.give(buffer) };
  }

  #grow(length: number): void {
    const before = this.#buffer;
    let next = this.#length === 0 ? this.#pool.take() : undefined;
    if (next === undefined || next.length < length) next = Buffer.allocUnsafeSlow(Math.max(SMALLEST_BYTES, length, 2 * before.length));
    before.copy(next, 0, 0, this.#length);
    this.#buffer = next;
  }
}
