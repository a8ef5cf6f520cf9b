import { givenBytes } from '../../core/check.js';
import { InvalidArgumentError, LimitError, SessionTextError } from '../../core/errors.js';

/** Name of the layer. */
export const SESSION = 'session';
/** The largest session id: a u32. */
export const MAX_SESSION_ID = 0xffff_ffff;
/** The id of a request that opens a new session (wire spec §C). */
export const NEW_SESSION_ID = 0;
/** Digits of the largest id. */
const MAX_ID_DIGITS = 10;

export const SPACE = Buffer.from(' ', 'latin1');
/** The bytes that separate fields: space, line feed, carriage return, tab. */
export const WHITESPACE = [0x20, 0x0a, 0x0d, 0x09] as const;

/** Whether a byte is ASCII white space. */
export function isWhitespace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/**
 * The start of a body, `<id> `: 2 to 11 bytes, before the first base64 text.
 * @throws InvalidArgumentError unless `id` is a u32
 */
export function sessionHead(id: number): Buffer {
  return Buffer.from(`${checkSessionId(id)} `, 'latin1');
}

/** `id` unchanged, if it is a u32. */
export function checkSessionId(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id <= MAX_SESSION_ID) return id;
  throw new InvalidArgumentError(`a session id is 0 to ${MAX_SESSION_ID}, got ${id}`, {
    layer: SESSION,
    expected: `0..${MAX_SESSION_ID}`,
    got: id,
  });
}

/**
 * Reads a session id digit by digit, so that an endless row of digits is refused at the eleventh. An id is `0` or a decimal
 * without sign and leading zeros, up to 4294967295.
 */
export class IdReader {
  #value = 0;
  #digits = 0;

  /** True before the first digit. */
  get empty(): boolean {
    return this.#digits === 0;
  }

  get value(): number {
    return this.#value;
  }

  /** Takes one byte that is not white space. `offset` counts from the start of the body. @throws SessionTextError */
  push(byte: number, offset: number): void {
    if (byte < 0x30 || byte > 0x39) throw textError('a session id has digits only', byte, offset);
    if (this.#digits === 1 && this.#value === 0) throw textError('a session id has no leading zeros', byte, offset);
    const value = this.#value * 10 + byte - 0x30;
    if (++this.#digits > MAX_ID_DIGITS || value > MAX_SESSION_ID) {
      throw textError(`a session id is at most ${MAX_SESSION_ID}`, byte, offset);
    }
    this.#value = value;
  }
}

/** Counts white space in a row, up to its limit. */
export class WhitespaceRun {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Another byte of white space has come. @throws LimitError */
  push(offset: number): void {
    if (++this.#bytes <= this.#maxBytes) return;
    throw new LimitError(`a body has more than ${this.#maxBytes} bytes of white space in a row (maxWhitespaceBytes)`, {
      layer: SESSION,
      limit: this.#maxBytes,
      got: this.#bytes,
      offset,
    });
  }

  /** A byte that is not white space has come. */
  end(): void {
    this.#bytes = 0;
  }
}

export function textError(message: string, got: number | string, offset: number): SessionTextError {
  return new SessionTextError(`${message}: at offset ${offset}`, { layer: SESSION, got, offset });
}

/** The fewest bytes of a part of a body: an id, a blank, and one group of letters. */
const LEAST_PART_BYTES = MAX_ID_DIGITS + 1 + 4;

/**
 * Cuts a request's body, `<id> <b64>`, into bodies of at most `maxBytes` each that mean the same, one after the other: each
 * begins with the id, and goes on with whole groups of four letters.
 *
 * @returns undefined for a body that opens a session, because each part would open another; and for a `maxBytes` below 15
 */
export function splitBody(body: Uint8Array, maxBytes: number): Buffer[] | undefined {
  const whole = givenBytes('body', body);
  const head = whole.subarray(0, whole.indexOf(SPACE) + 1);
  if (head.length < 2 || head.toString('latin1') === `${NEW_SESSION_ID} ` || maxBytes < LEAST_PART_BYTES) return undefined;
  const letters = Math.floor((maxBytes - head.length) / 4) * 4;
  const parts: Buffer[] = [];
  for (let at = head.length; at < whole.length; at += letters) parts.push(Buffer.concat([head, whole.subarray(at, at + letters)]));
  return parts;
}
