import type { DeferredBytes } from '../core/deferred-bytes.js';

/** Bytes that a fresh buffer has at least. */
const SMALLEST_BYTES = 4096;

/** A body that is whole, in one Buffer; `release` gives the Buffer back when nobody reads it any more. */
export interface GatheredBody {
  readonly bytes: Buffer;
  readonly release: () => void;
}

/** Buffers that are free to be used again, as large as they have become. */
export class BufferPool {
  readonly #keep: number;
  readonly #free: Buffer[] = [];

  /** @param keep how many are kept: as many as are in use at once, where that is known */
  constructor(keep: number) {
    this.#keep = keep;
  }

  take(): Buffer | undefined {
    return this.#free.pop();
  }

  give(buffer: Buffer): void {
    // That of an empty body is of no use to anybody.
    if (buffer.length > 0 && this.#free.length < this.#keep) this.#free.push(buffer);
  }
}

/**
 * Gathers bodies, each into one Buffer of a pool: a fresh megabyte a POST costs more in page faults and garbage collection
 * than the copy does.
 */
export class BodyBuffer {
  readonly #pool: BufferPool;
  #buffer: Buffer = Buffer.alloc(0);
  /** Bytes of the body so far. */
  #length = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Bytes of the body so far. */
  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer | DeferredBytes): void {
    const length = this.#length + chunk.length;
    if (length > this.#buffer.length) this.#grow(length);
    chunk.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  /** The body; the next begins empty. */
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
