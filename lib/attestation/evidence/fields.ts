/** Type checks for the parts of evidence. All throw `EvidenceError`. */
import { EvidenceError } from '../../core/errors.js';
import { Tagged } from './cbor.js';

export function malformed(what: string, expected: string, got: string): EvidenceError {
  return new EvidenceError(`${what}: expected ${expected}, got ${got}`, { layer: 'evidence', expected, got });
}

/** `value`, if it is a byte string, and has exactly `length` bytes if that is given. */
export function bytesOf(value: unknown, what: string, length?: number): Buffer {
  if (!(value instanceof Uint8Array)) throw malformed(what, length === undefined ? 'bytes' : `${length} bytes`, kindOf(value));
  if (length !== undefined && value.length !== length) throw malformed(what, `${length} bytes`, kindOf(value));
  return Buffer.from(value.buffer, value.byteOffset, value.length);
}

/** `value`, if it is a map. */
export function mapOf(value: unknown, what: string): ReadonlyMap<unknown, unknown> {
  if (!(value instanceof Map)) throw malformed(what, 'a map', kindOf(value));
  return value;
}

/** `value`, if it is text. */
export function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string') throw malformed(what, 'text', kindOf(value));
  return value;
}

/** `value`, if it is a whole number. */
export function integerOf(value: unknown, what: string): number | bigint {
  if (!Number.isInteger(value) && typeof value !== 'bigint') throw malformed(what, 'a whole number', kindOf(value));
  return value as number | bigint;
}

/** Describes a CBOR value for error messages: its type and size, never its contents. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return value === null ? 'null' : 'nothing';
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Map) return `a map of ${value.size}`;
  if (value instanceof Tagged) return `tag ${value.tag}`;
  if (typeof value === 'string') return `text of ${value.length} characters`;
  return typeof value === 'boolean' ? 'a boolean' : 'a number';
}
