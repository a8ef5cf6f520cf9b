/** One-line checks of options and arguments. Their errors name the option or argument. */
import { asBuffer } from './as-buffer.js';
import { InvalidArgumentError, InvalidOptionError } from './errors.js';

/** `value` unchanged, if it is a whole number from `min` to `max` (both included). */
export function integerInRange(name: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new InvalidOptionError(`${name} must be a whole number from ${min} to ${max}, got ${value}`, {
      expected: `${min}..${max}`,
      got: value,
    });
  }
  return value;
}

/** `value` unchanged, if it is one of `choices`. */
export function oneOf<T extends string>(name: string, value: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) {
    throw new InvalidOptionError(`${name} must be one of ${choices.join(', ')}, got ${value}`, { expected: choices.join('|'), got: value });
  }
  return found;
}

/**
 * What `check` returns. An InvalidOptionError of it carries the name of the layer or role whose options are checked.
 */
export function optionsOf<T>(layer: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof InvalidOptionError) error.layer ??= layer;
    throw error;
  }
}

/** `T` without undefined as a value: a key may be missing instead. */
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The options without those that are undefined. An undefined option would otherwise replace a default. @throws InvalidOptionError */
export function definedOf<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(givenRecord('options', options)).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** `value` unchanged, if it is neither undefined nor null. */
export function given<T>(name: string, value: T): NonNullable<T> {
  if (value === undefined || value === null) throw new InvalidOptionError(`${name} is missing`, { expected: name });
  return value;
}

/** `value` unchanged, if it is an object: options, or what else has fields. */
export function givenRecord<T extends object>(name: string, value: T): T {
  if (typeof given(name, value) === 'object') return value;
  throw new InvalidOptionError(`${name} must be an object, got ${typeof value}`, { expected: 'object', got: typeof value });
}

/** The same bytes as a Buffer, without a copy. @throws InvalidArgumentError for what is no bytes */
export function givenBytes(name: string, value: Uint8Array): Buffer {
  if (value instanceof Uint8Array) return asBuffer(value);
  throw new InvalidArgumentError(`${name} must be a Buffer or a Uint8Array, got ${kindOf(value)}`, {
    expected: 'bytes',
    got: kindOf(value),
  });
}

/** `value` unchanged, if it is an array. @throws InvalidArgumentError */
export function givenList<T extends readonly unknown[]>(name: string, value: T): T {
  if (Array.isArray(value)) return value;
  throw new InvalidArgumentError(`${name} must be an array, got ${kindOf(value)}`, { expected: 'array', got: kindOf(value) });
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

/** A SHA-256 as 64 lowercase hex digits. It may be given as such, in either case, or as its 32 bytes. */
export function sha256Text(name: string, hash: string | Uint8Array): string {
  const text = hash instanceof Uint8Array ? Buffer.from(hash).toString('hex') : hash;
  if (typeof text === 'string' && /^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  const got = typeof hash === 'string' ? `${hash.length} characters` : hash instanceof Uint8Array ? `${hash.length} bytes` : typeof hash;
  throw new InvalidOptionError(`${name} is 64 hex digits, or 32 bytes; got ${got}`, { expected: 64, got });
}

/** A hash as bytes. A text must be the 64 hex digits of a SHA-256; how many bytes there must be is for the caller to check. */
export function hashBytes(name: string, hash: string | Uint8Array): Buffer {
  return typeof hash === 'string' ? Buffer.from(sha256Text(name, hash), 'hex') : givenBytes(name, hash);
}

/** `value` unchanged, if it is a string. */
export function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string') {
    throw new InvalidOptionError(`${name} must be a text, got ${typeof value}`, { expected: 'string', got: typeof value });
  }
  return value;
}
