/** The field level of the protobuf encoding: tags, varints, lengths. As strict as Rust's reader; errors have offsets. */
import { given } from '../../core/check.js';
import { ProtobufError } from '../../core/errors.js';
import { DELIMITED, FIXED32, FIXED64, PROTOBUF, VARINT } from './schema.js';

/** Bytes of the longest head of a field: a tag and a value or length, ten bytes each. */
export const MAX_HEAD_BYTES = 20;

/** Tag and value (or length) of one field. */
export interface FieldHead {
  readonly number: number;
  readonly wire: number;
  /** For a varint: its low 32 bits as int32 (the original keeps no more of a longer one). Otherwise 0. */
  readonly value: number;
  /** Bytes of the tag, and of the varint after it if there is one. */
  readonly headBytes: number;
  /** Bytes that follow the head: 0, 4, 8, or the announced length. It is inexact from 2^53 on, but then refused in any case. */
  readonly restBytes: number;
}

interface Varint {
  /** Inexact from 2^53 on. */
  readonly value: number;
  readonly low: number;
  readonly next: number;
}

/** Reads a varint at `at`; `undefined` when `bytes` ends inside it. */
function readVarint(bytes: Buffer, at: number, base: number): Varint | undefined {
  let value = 0;
  let low = 0;
  let factor = 1;
  // The loop ends at the tenth byte at the latest: that byte ends the varint or is too large.
  for (let i = 0; ; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    if (i === 9 && byte > 1) {
      throw new ProtobufError(`a varint of more than 64 bits at offset ${base + at}`, {
        layer: PROTOBUF,
        expected: '0 or 1',
        got: byte,
        offset: base + at + i,
      });
    }
    value += (byte & 0x7f) * factor;
    if (i < 5) low |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return { value, low, next: at + i + 1 };
    factor *= 128;
  }
  /* c8 ignore next -- the loop has no other end */
}

/**
 * Reads the head of the field at `at`; `undefined` when `bytes` ends inside it.
 *
 *     tag varint = number << 3 | wire     wire 0: + varint     wire 2: + length varint
 *
 * `base` is the offset of `bytes` in the message, for errors. Throws `ProtobufError` for field 0, for a number above
 * 2^29 - 1, for groups (wire types 3 and 4) and for wire types 6 and 7. No message of the schema has groups, so nothing nests
 * deeper than an arm.
 */
export function readFieldHead(bytes: Buffer, at: number, base: number): FieldHead | undefined {
  const tag = readVarint(given('bytes', bytes), at, base);
  if (tag === undefined) return undefined;
  const offset = base + at;
  if (tag.value > 0xffffffff)
    throw new ProtobufError(`a tag of more than 32 bits at offset ${offset}`, { layer: PROTOBUF, expected: 'a tag of 32 bits', offset });
  const number = tag.low >>> 3;
  const wire = tag.low & 7;
  if (number === 0) throw new ProtobufError(`field number 0 at offset ${offset}`, { layer: PROTOBUF, got: 0, offset });
  if (wire === VARINT || wire === DELIMITED) {
    const next = readVarint(bytes, tag.next, base);
    if (next === undefined) return undefined;
    const headBytes = next.next - at;
    return wire === VARINT
      ? { number, wire, value: next.low, headBytes, restBytes: 0 }
      : { number, wire, value: 0, headBytes, restBytes: next.value };
  }
  if (wire !== FIXED32 && wire !== FIXED64) {
    throw new ProtobufError(`wire type ${wire} of field ${number} at offset ${offset}`, {
      layer: PROTOBUF,
      expected: '0, 1, 2 or 5',
      got: wire,
      offset,
    });
  }
  return { number, wire, value: 0, headBytes: tag.next - at, restBytes: wire === FIXED32 ? 4 : 8 };
}

/** Bytes of an integer from -2^31 to 2^53 - 1 as a varint. A negative integer is written as 64 bits. */
export function sizeOfVarint(value: number): number {
  if (value < 0) return 10;
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Writes `value` in as many bytes as `sizeOfVarint` says. Returns the offset behind it. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  let end = at;
  if (value < 0) {
    // -1 - value has the bits of value inverted, and fits 31 bits. The other 33 of the 64 bits are ones.
    const turned = -1 - value;
    for (let shift = 0; shift < 35; shift += 7) target[end++] = ((~(turned >>> shift) & 0x7f) | 0x80) >>> 0;
    for (let i = 0; i < 4; i++) target[end++] = 0xff;
    target[end++] = 1;
    return end;
  }
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[end++] = (rest % 0x80) | 0x80;
  target[end++] = rest;
  return end;
}
