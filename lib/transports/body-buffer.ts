/** Bytes that a fresh buffer has at least. */
const SMALLEST_BYTES = 4096;

/** A body that is whole, in one Buffer; `release` gives the Buffer back when nobody reads it any more. */
export interface GatheredBody {
  readonly bytes: Buffer;
  readonly release: () => void;
}

/**
 * Gathers bodies, each into one Buffer, out of a few Buffers that are used again and again: a fresh megabyte a POST costs
 * more in page faults and garbage collection than the copy does.
 */
export class BodyBuffer {
  readonly #keep: number;
  /** Buffers that are free, as large as they have become. */
  readonly #free: Buffer[] = [];
  #buffer: Buffer = Buffer.alloc(0);
  /** Bytes of the body so far. */
  #length = 0;

  /** @param keep Buffers that are kept for later: as many as bodies are under way at once */
  constructor(keep: number) {
    this.#keep = keep;
  }

  /** Bytes of the body so far. */
  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer): void {
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
    return {
      bytes,
      release: () => {
        if (this.#free.length < this.#keep) this.#free.push(buffer);
      },
    };
  }

  #grow(length: number): void {
    const before = this.#buffer;
    let next = this.#length === 0 ? this.#free.pop() : undefined;
    if (next === undefined || next.length < length) next = Buffer.allocUnsafeSlow(Math.max(SMALLEST_BYTES, length, 2 * before.length));
    before.copy(next, 0, 0, this.#length);
    this.#buffer = next;
  }
}
