/** The small fields of an outbound message: how long they are, and their bytes. @see readFieldHead */
import { type Field, VARINT } from './schema.js';
import { sizeOfVarint, writeVarint } from './wire.js';

/** Text up to this long is written here: cheaper than the call into Node and back. */
const SHORT_TEXT = 64;

/** One field that is not left out, its value checked. */
export interface Part {
  readonly field: Field;
  readonly value: number | string | Uint8Array;
  /** Bytes of the value. */
  readonly length: number;
}

/** The part that `value` makes; `undefined` for the default of its type, which is left out. */
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

/** Writes the parts in the order of their numbers; gives the place behind them. */
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

/** Bytes of the tag and length of a field that has `length` bytes. */
export function sizeOfHead(field: Field, length: number): number {
  return sizeOfVarint(field.tag) + sizeOfVarint(length);
}

/** Writes tag and length of a field that has `length` bytes; gives the place behind them. */
export function writeHead(target: Buffer, at: number, field: Field, length: number): number {
  return writeVarint(target, writeVarint(target, at, field.tag), length);
}

function sizeOfText(text: string): number {
  return isShortAscii(text) ? text.length : Buffer.byteLength(text);
}

/** `length` is that of its UTF-8. */
function writeText(target: Buffer, at: number, text: string, length: number): void {
  // One byte a code unit: it is all ASCII.
  if (length !== text.length || length > SHORT_TEXT) target.write(text, at, 'utf8');
  else for (let i = 0; i < length; i++) target[at + i] = text.charCodeAt(i);
}

/** Whether `text` is short and nothing but ASCII: one byte a letter, and none that needs a second look. */
function isShortAscii(text: string): boolean {
  if (text.length > SHORT_TEXT) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}
