/** The errors that both ends of HTTP raise for bodies and answers. */
import { LimitError } from '../core/errors.js';

/** Name of this transport in errors. */
export const HTTP_LAYER = 'http';
/**
 * A server of this library gives a secret in this header with the answer that opens a session. Its client sends it with each
 * later request for the session (wire spec §C.6).
 */
export const SESSION_SECRET_HEADER = 'x-veracruz-session-secret';
/** The least that a server may announce as the bytes of a body: an id, and some base64. */
export const MIN_BODY_BYTES = 64;
/** Bytes of a refusal's text that are read at most. */
const MAX_REASON_BYTES = 512;

/** An answer with a status other than 200. The reason is its first line, as far as it is printable ASCII: 512 bytes at most. */
export class Refusal {
  readonly #status: number;
  #text = '';

  constructor(status: number) {
    this.#status = status;
  }

  /** Takes a piece of the answer's body. True when that was enough, because a body may be endless. */
  push(piece: Buffer): boolean {
    this.#text += piece.toString('latin1', 0, MAX_REASON_BYTES);
    return this.#text.length >= MAX_REASON_BYTES || this.#text.includes('\n');
  }

  /** One line on what the server answered. */
  get message(): string {
    const line = /^[ -~]*/.exec(this.#text.slice(0, MAX_REASON_BYTES))?.[0].trimEnd();
    return `the server answered ${this.#status}${line ? `: ${line}` : ''}`;
  }
}

/** The error for `what` (e.g. `a body`) over its limit: it has `got` bytes or more. */
export function tooLong(what: string, got: number, limit: number): LimitError {
  return new LimitError(`${what} of ${got} bytes passes the limit of ${limit}`, { layer: HTTP_LAYER, limit, got });
}
