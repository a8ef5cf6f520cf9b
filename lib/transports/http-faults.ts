/** What both ends of HTTP say of bodies and answers that are not as they should be. */
import { LimitError } from '../core/errors.js';

/** Name of this transport in errors. */
export const HTTP_LAYER = 'http';
/** Bytes of a refusal's text that are looked at. */
const MAX_REASON_BYTES = 512;

/** An answer other than 200, whose text says why: its first line does, as far as that is printable ASCII, 512 bytes at most. */
export class Refusal {
  readonly #status: number;
  #text = '';

  constructor(status: number) {
    this.#status = status;
  }

  /** Takes a piece of the answer's body. True: that was enough, for a body need not end. */
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

/** The error of `what`, e.g. `a body`, over the limit: `got` bytes, or at least so many. */
export function tooLong(what: string, got: number, limit: number): LimitError {
  return new LimitError(`${what} of ${got} bytes passes the limit of ${limit}`, { layer: HTTP_LAYER, limit, got });
}
