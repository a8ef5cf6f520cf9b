import { InvalidArgumentError } from '../../core/errors.js';
import { type Bytes, slicesOf } from './slices.js';

/** Room for the small fields between two byte vectors, when the first estimate was too low. */
const PART_BYTES = 32;
const UINT32_MAX = 0xffff_ffff;

/**
 * Writes bincode 1.3 values (little-endian, fixed width) as slices. Byte vectors become slices without a copy. The small fields
 * before, between and after them are written into small Buffers.
 *
 *     new SliceWriter(16).u32(7).u32(5).bytes('data', data).finish()
 *     [ 07000000 05000000 0200000000000000 ] [ data, uncopied ]
 *
 * A value that does not fit its field throws `InvalidArgumentError`, with the name of the field.
 *
 * @see SliceReader
 */
export class SliceWriter {
  readonly #slices: Buffer[] = [];
  /** The Buffer that takes the small fields. Its bytes before `#start` are in `#slices` already. */
  #part: Buffer;
  #start = 0;
  #end = 0;

  /** @param firstPartBytes bytes of all fields before the content of the first byte vector */
  constructor(firstPartBytes: number) {
    this.#part = Buffer.allocUnsafe(firstPartBytes);
  }

  /** A u32 that the caller has computed, such as a variant index. It is not checked. */
  u32(value: number): this {
    this.#room(4);
    this.#end = this.#part.writeUInt32LE(value, this.#end);
    return this;
  }

  /** The id of a TLS session: a u32. */
  session(value: number): this {
    return this.u32(checkedInteger('session', value, 0, UINT32_MAX));
  }

  i32(name: string, value: number | string): this {
    return this.u32(checkedInteger(name, value, -0x8000_0000, 0x7fff_ffff) >>> 0);
  }

  bool(name: string, value: boolean): this {
    if (typeof value !== 'boolean') throw refused(name, 'true or false', value);
    this.#room(1);
    this.#part[this.#end++] = value ? 1 : 0;
    return this;
  }

  /** A u64 length or count. */
  u64(value: number): this {
    this.#room(8);
    this.#part.writeUInt32LE(value % 2 ** 32, this.#end);
    this.#end = this.#part.writeUInt32LE(Math.floor(value / 2 ** 32), this.#end + 4);
    return this;
  }

  /** A byte vector: u64 length, then the bytes, which are not copied. */
  bytes(name: string, value: Bytes): this {
    const slices = slicesOf(value, name);
    let length = 0;
    for (const slice of slices) length += slice.length;
    this.u64(length);
    if (length === 0) return this;
    this.#flush();
    for (const slice of slices) if (slice.length > 0) this.#slices.push(slice);
    return this;
  }

  /** A text: u64 length of its UTF-8, then the UTF-8. A lone surrogate has no UTF-8 and is refused. */
  text(name: string, value: string): this {
    if (typeof value !== 'string') throw refused(name, 'a string', value);
    if (/\p{Cs}/u.test(value)) throw new InvalidArgumentError(`${name} has a lone surrogate`, { layer: 'bincode', expected: 'UTF-16' });
    return this.bytes(name, Buffer.from(value, 'utf8'));
  }

  /** A UUID: u64 length 16, then its 16 bytes in the order of its digits. */
  uuid(name: string, value: number | string): this {
    if (typeof value !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) throw refused(name, 'a UUID', value);
    return this.bytes(name, Buffer.from(value.replaceAll('-', ''), 'hex'));
  }

  /** All slices written, in order. No slice is empty. */
  finish(): readonly Buffer[] {
    this.#flush();
    return this.#slices;
  }

  #room(count: number): void {
    if (this.#end + count <= this.#part.length) return;
    this.#flush();
    this.#part = Buffer.allocUnsafe(PART_BYTES);
    this.#start = 0;
    this.#end = 0;
  }

  #flush(): void {
    if (this.#end === this.#start) return;
    const whole = this.#start === 0 && this.#end === this.#part.length;
    this.#slices.push(whole ? this.#part : this.#part.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}

function checkedInteger(name: string, value: number | string, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw refused(name, `a whole number from ${min} to ${max}`, value);
}

/** Shows a number, but only the type of any other value, because that may be data of the caller. */
function refused(name: string, expected: string, value: unknown): InvalidArgumentError {
  const got = typeof value === 'number' ? value : typeof value;
  return new InvalidArgumentError(`${name} must be ${expected}, got ${got}`, { layer: 'bincode', expected, got });
}
