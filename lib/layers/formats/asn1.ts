/** ASN.1 values in DER: short functions around the reader and writer of node-forge, with Buffers in and out. */
import { isUtf8 } from 'node:buffer';
// Only the ASN.1 part of node-forge: all of it would cost a client another 4 MB of memory.
import asn1 from 'node-forge/lib/asn1.js';

/** One ASN.1 value: the content of a primitive one as a "binary string", the items of a constructed one. */
export interface Asn1 {
  readonly tagClass: number;
  readonly type: number;
  readonly constructed: boolean;
  readonly value: string | Asn1[];
}

const { Class, Type } = asn1;

/** Bytes as the "binary string" that forge works on. */
const binary = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
const primitive = (type: number, value: string): Asn1 => asn1.create(Class.UNIVERSAL, type, false, value);

export const sequence = (...items: Asn1[]): Asn1 => asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, items);
export const set = (...items: Asn1[]): Asn1 => asn1.create(Class.UNIVERSAL, Type.SET, true, items);
export const oid = (dotted: string): Asn1 => primitive(Type.OID, asn1.oidToDer(dotted).getBytes());
export const nil = (): Asn1 => primitive(Type.NULL, '');
export const boolean = (value: boolean): Asn1 => primitive(Type.BOOLEAN, value ? '\xff' : '\0');
/** `bytes` must be the two's complement, big-endian, without needless leading bytes. This is not checked. */
export const integer = (bytes: Uint8Array): Asn1 => primitive(Type.INTEGER, binary(bytes));
export const octets = (bytes: Uint8Array): Asn1 => primitive(Type.OCTETSTRING, binary(bytes));
export const utf8 = (text: string): Asn1 => primitive(Type.UTF8, binary(Buffer.from(text)));
export const printable = (text: string): Asn1 => primitive(Type.PRINTABLESTRING, text);
/** A BIT STRING with `unused` bits at the end of the last byte. */
export const bits = (bytes: Uint8Array, unused = 0): Asn1 => primitive(Type.BITSTRING, String.fromCharCode(unused) + binary(bytes));
/** A context-specific `[tag]` around whole values. */
export const tagged = (tag: number, ...items: Asn1[]): Asn1 => asn1.create(Class.CONTEXT_SPECIFIC, tag, true, items);
/** A context-specific `[tag]` that replaces the universal tag of a primitive value. */
export const implicit = (tag: number, bytes: Uint8Array): Asn1 => asn1.create(Class.CONTEXT_SPECIFIC, tag, false, binary(bytes));

/** A point in time as X.509 wants it: UTCTime to the end of 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
export function time(date: Date): Asn1 {
  return date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date));
}

export function toDer(value: Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), 'latin1');
}

/**
 * Reads exactly one DER value. Throws forge's own error for anything else, which callers wrap into an error of theirs.
 *
 * `bitStrings: false` leaves BIT STRINGs as bytes. Otherwise forge tries to read ASN.1 inside them, even inside signatures.
 */
export function fromDer(bytes: Uint8Array, { bitStrings = true } = {}): Asn1 {
  return asn1.fromDer(binary(bytes), { strict: true, decodeBitStrings: bitStrings });
}

/** A value of the bytes of a `SEQUENCE`, which are written again as they stand. */
export function derOf(bytes: Buffer): Asn1 {
  const [start, end] = contentRange(bytes, 0);
  // forge writes a primitive value's content without a look at it. 0x30 is SEQUENCE with the bit that says constructed.
  return primitive(0x30, binary(bytes.subarray(start, end)));
}

/** The items of a constructed value, each as the bytes that it is. Throws a RangeError when their lengths do not fit. */
export function derItems(bytes: Buffer): Buffer[] {
  const list: Buffer[] = [];
  const [start, end] = contentRange(bytes, 0);
  for (let at = start; at < end; ) {
    const [, next] = contentRange(bytes, at);
    if (next > end) throw new RangeError(`an item at ${at} is longer than what it stands in`);
    list.push(bytes.subarray(at, next));
    at = next;
  }
  return list;
}

/** Where the content of the value at `at` starts, and where it ends. */
function contentRange(bytes: Buffer, at: number): [start: number, end: number] {
  const first = bytes.readUInt8(at + 1);
  if (first < 0x80) return [at + 2, at + 2 + first];
  const width = first & 0x7f;
  if (width === 0 || width > 4) throw new RangeError(`a length of ${width} bytes at ${at}`);
  const start = at + 2 + width;
  return [start, start + bytes.readUIntBE(at + 2, width)];
}

/** The items of a constructed value. A primitive value has none. */
export function items(value: Asn1 | undefined): Asn1[] {
  return value !== undefined && Array.isArray(value.value) ? value.value : [];
}

/** Whether `value` is a universal value of that type. A SEQUENCE or SET must have items, any other type must have none. */
export function isA(value: Asn1 | undefined, type: 'INTEGER' | 'OID' | 'SEQUENCE' | 'SET'): value is Asn1 {
  if (value?.tagClass !== Class.UNIVERSAL || value.type !== Type[type]) return false;
  return Array.isArray(value.value) === (type === 'SEQUENCE' || type === 'SET');
}

/** The tags of texts in names: UTF8, Numeric, Printable, Teletex, IA5, Universal and BMP strings. */
const STRING_TAGS: ReadonlySet<number> = new Set([12, 18, 19, 20, 22, 28, 30]);

export function isString(value: Asn1 | undefined): boolean {
  if (value?.tagClass !== Class.UNIVERSAL || !STRING_TAGS.has(value.type) || Array.isArray(value.value)) return false;
  return value.type !== Type.UTF8 || isUtf8(content(value));
}

export function isTagged(value: Asn1 | undefined, tag: number): boolean {
  return value?.tagClass === Class.CONTEXT_SPECIFIC && value.type === tag && Array.isArray(value.value);
}

/** The content bytes of a primitive value. A constructed value has none. */
export function content(value: Asn1 | undefined): Buffer {
  return value !== undefined && typeof value.value === 'string' ? Buffer.from(value.value, 'latin1') : Buffer.alloc(0);
}

/** The bytes of a BIT STRING of whole bytes. forge may have read them as ASN.1: an ECDSA signature is a SEQUENCE. */
export function bitBytes(value: Asn1): Buffer {
  const raw = (value as Asn1 & { bitStringContents?: string }).bitStringContents;
  return (raw === undefined ? content(value) : Buffer.from(raw, 'latin1')).subarray(1);
}

/** The OID in `value`, in dotted form. */
export function dotted(value: Asn1): string {
  return asn1.derToOid(content(value).toString('latin1'));
}

/** The items inside of `[tag]`, which is looked for in `list`. Empty when the list has no such tag. */
export function inTag(list: readonly Asn1[], tag: number): Asn1[] {
  return items(list.find(({ tagClass, type }) => tagClass === Class.CONTEXT_SPECIFIC && type === tag));
}
