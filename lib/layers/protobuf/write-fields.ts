/** The small fields of an outbound message: their lengths and their bytes. @see readFieldHead */
import { type Field, VARINT } from './schema.js';
import { sizeOfVarint, writeVarint } from './wire.js';

/** Text of up to this many characters is written here, because the call into Node costs more. */
const SHORT_TEXT = 64;

/** A field that will be written. Its value has been checked. */
export interface Part {
  readonly field: Field;
  readonly value: number | string | Uint8Array;
  /** Bytes of the value. */
  readonly length: number;
}

/** The part for `value`. `undefined` for the default of the type, because defaults are not written. */
export function partOf(field: Field, value: number | string | Uint8Array): Part | undefined {
  if (typeof value === 'number') return value === 0 ? undefined : { field, value, length: sizeOfVarint(value) };
  const length = typeof value === 'string' ? sizeOfText(value) : value.length;
  return length === 0 ? undefined : { field, value, length };
}

/** Bytes of all parts. */
export function sizeOf(parts: readonly Part[]): number {
  let size = 0;
  for (const { field, length } of parts) size += (field.wire === VARINT ? sizeOfVarint(field.tag) : sizeOfHead(field, length)) + length;
  return size;
}

/** Writes the parts in the order of their numbers. Returns the offset behind them. */
export function writeParts(target: Buffer, at: number, parts: Part[]): number {
  if (parts.length > 1) parts.sort((a, b) => a.field.number - b.field.number);
  let end = at;
  for (const { field, value, length } of parts) {
    if (typeof value === 'number') {
      end = writeVarint(target, writeVarint(target, end, field.tag), value);
    } else {
      end = writeHead(target, end, field, length);
      if (typeof value === 'string') writeText(target, end, value, length);
      else target.set(value, end);
      end += length;
    }
  }
  return end;
}

/** Bytes of the tag and length of a field whose value has `length` bytes. */
export function sizeOfHead(field: Field, length: number): number {
  return sizeOfVarint(field.tag) + sizeOfVarint(length);
}

/** Writes the tag and length of a field whose value has `length` bytes. Returns the offset behind them. */
export function writeHead(target: Buffer, at: number, field: Field, length: number): number {
  return writeVarint(target, writeVarint(target, at, field.tag), length);
}

function sizeOfText(text: string): number {
  return isShortAscii(text) ? text.length : Buffer.byteLength(text);
}

/** `length` is the number of bytes in UTF-8. */
function writeText(target: Buffer, at: number, text: string, length: number): void {
  // The loop is for ASCII only: there `length` equals the number of code units.
  if (length !== text.length || length > SHORT_TEXT) target.write(text, at, 'utf8');
  else for (let i = 0; i < length; i++) target[at + i] = text.charCodeAt(i);
}

/** Whether `text` is short and all ASCII. Then it has one byte a character. */
function isShortAscii(text: string): boolean {
  if (text.length > SHORT_TEXT) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}
