import { givenList } from '../../core/check.js';
import { BincodeError, type ErrorFigures } from '../../core/errors.js';
import { joined, NO_BYTES, type Slices } from './slices.js';

/** Refuses what is not UTF-8, and keeps U+FEFF at the start, because the hash of a policy covers its exact bytes. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NO_BUFFER = Buffer.alloc(0);
const UUID_BYTES = 16;
/** Bytes of the smallest item of a list of byte vectors: an item is at least its length. */
const LIST_ITEM_MIN_BYTES = 8;

/**
 * Reads bincode 1.3 values (little-endian, fixed width) from one whole message in slices, which may be cut anywhere. Byte
 * vectors are given as views of the slices.
 *
 * Every length and count is compared with the bytes that are left before anything is allocated for it. A value that does not
 * fit throws `BincodeError` with `offset` (of the start of the field), `expected` and `got`.
 */
export class SliceReader {
  readonly #slices: Slices;
  readonly #total: number;
  /** The current slice, the index of the next one, and the offset in the current one. */
  #slice: Buffer = NO_BUFFER;
  #next = 0;
  #at = 0;
  #offset = 0;

  constructor(slices: Slices) {
    this.#slices = givenList('slices', slices);
    let total = 0;
    for (const slice of slices) total += slice.length;
    this.#total = total;
  }

  /** Number of bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Reads the index of an enum variant and returns the item of `variants` at that index. */
  variant<T>(what: string, variants: readonly T[]): T {
    const offset = this.#offset;
    const index = this.u32(what);
    const found = variants[index];
    if (found !== undefined) return found;
    throw bad(`${what} ${index} does not exist`, { offset, expected: `0..${variants.length - 1}`, got: index });
  }

  /** The next four bytes, little-endian. */
  u32(what: string): number {
    this.#need(what, 4);
    this.#offset += 4;
    this.#settle();
    const at = this.#at;
    if (this.#slice.length - at >= 4) {
      this.#at = at + 4;
      return this.#slice.readUInt32LE(at);
    }
    return this.#byte() + this.#byte() * 0x100 + this.#byte() * 0x1_0000 + this.#byte() * 0x100_0000;
  }

  /** The next four bytes, little-endian and signed. */
  i32(what: string): number {
    return this.u32(what) | 0;
  }

  /** The next byte, which must be 0 or 1. */
  bool(what: string): boolean {
    const offset = this.#offset;
    this.#need(what, 1);
    this.#offset++;
    const value = this.#byte();
    if (value <= 1) return value === 1;
    throw bad(`${what} is neither 0 nor 1 but ${value}`, { offset, expected: '0|1', got: value });
  }

  /** A byte vector, as views of the slices. */
  bytes(what: string): Slices {
    const count = this.#length(what, 1);
    this.#offset += count;
    if (count === 0) return NO_BYTES;
    this.#settle();
    let rest = count;
    const slices: Buffer[] = [];
    for (;;) {
      const part = this.#slice.subarray(this.#at, this.#at + rest);
      slices.push(part);
      this.#at += part.length;
      rest -= part.length;
      if (rest === 0) return slices;
      this.#settle();
    }
  }

  /** A list of byte vectors. */
  list(what: string): Slices[] {
    const count = this.#length(what, LIST_ITEM_MIN_BYTES);
    const items: Slices[] = [];
    for (let i = 0; i < count; i++) items.push(this.bytes(`${what} ${i}`));
    return items;
  }

  /** The next text: its length, and as many bytes of UTF-8. */
  text(what: string): string {
    const offset = this.#offset;
    const bytes = joined(this.bytes(what));
    try {
      return UTF8.decode(bytes);
    } catch (cause) {
      throw bad(`${what} of ${bytes.length} bytes is not UTF-8`, { offset, expected: 'UTF-8', got: bytes.length, cause });
    }
  }

  /** A UUID in lower case: `8-4-4-4-12` hex digits. */
  uuid(what: string): string {
    const offset = this.#offset;
    const bytes = joined(this.bytes(what));
    if (bytes.length !== UUID_BYTES) {
      throw bad(`${what} has ${bytes.length} bytes, not ${UUID_BYTES}`, { offset, expected: UUID_BYTES, got: bytes.length });
    }
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  /** The message must be over here. Throws when bytes are left, unless `allowTrailing` is set. */
  finish(allowTrailing: boolean): void {
    const rest = this.#total - this.#offset;
    if (rest === 0 || allowTrailing) return;
    throw bad(`${rest} bytes after the message of ${this.#offset}`, { offset: this.#offset, expected: 0, got: rest });
  }

  /** A u64 that counts items of at least `unitBytes` bytes each. The rest of the message must have room for all of them. */
  #length(what: string, unitBytes: number): number {
    const offset = this.#offset;
    this.#need(what, 8);
    const low = this.u32(what);
    const high = this.u32(what);
    const count = high * 2 ** 32 + low;
    const most = Math.floor((this.#total - this.#offset) / unitBytes);
    if (count <= most) return count;
    // From 2^53 on that sum is rounded, but it is far above `most` all the same.
    const expected = Number.isSafeInteger(count) ? count : (BigInt(high) << 32n) | BigInt(low);
    throw bad(`${what} announces ${expected}, the message has room for ${most}`, { offset, expected, got: most });
  }

  #need(what: string, count: number): void {
    const rest = this.#total - this.#offset;
    if (rest < count) throw bad(`${what} needs ${count} bytes, ${rest} are left`, { offset: this.#offset, expected: count, got: rest });
  }

  /** The next byte. The caller has checked with `#need` that there is one. */
  #byte(): number {
    this.#settle();
    return this.#slice[this.#at++] as number;
  }

  /** Moves on to the next slice that has bytes, if the current one is used up. */
  #settle(): void {
    while (this.#at === this.#slice.length && this.#next < this.#slices.length) {
      this.#slice = this.#slices[this.#next++] as Buffer;
      this.#at = 0;
    }
  }
}

function bad(message: string, figures: ErrorFigures): BincodeError {
  return new BincodeError(message, { layer: 'bincode', ...figures });
}
