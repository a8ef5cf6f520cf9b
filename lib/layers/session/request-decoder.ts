import { givenRecord } from '../../core/check.js';
import { SessionTextError } from '../../core/errors.js';
import { BOUNDARY } from '../../core/unit.js';
import { BodyDecoder, MAX_WHITESPACE_BYTES } from './body-decoder.js';
import { SESSION } from './format.js';

/** Options of a `SessionRequestDecoder`. */
export interface SessionRequestOptions {
  /** Accepts `<id> ` without data, with which a client asks for output. The original server refuses it. Default true. */
  allowPoll?: boolean;
  /** White space in a row that a body may have, bytes, 1 to 2^20. Default 1024. */
  maxWhitespaceBytes?: number;
}

/**
 * Reads one request body, `<id> <b64>` (wire spec §C), piece by piece and without a stream.
 *
 *     push("71 aGV")  id 71, "aGV"
 *     push("sbG8=")   "sbG8="
 *     end()
 *
 * It accepts only an id, a decimal number of up to 32 bits, and then exactly one field, with ASCII white space around the two in runs of up to
 * `maxWhitespaceBytes`. It does not check whether the field is base64.
 *
 * @see sessionHead
 */
export class SessionRequestDecoder {
  readonly #allowPoll: boolean;
  readonly #body: BodyDecoder;

  constructor(options: SessionRequestOptions = {}) {
    this.#allowPoll = givenRecord('options', options).allowPoll ?? true;
    this.#body = new BodyDecoder(1, options.maxWhitespaceBytes ?? MAX_WHITESPACE_BYTES);
  }

  /** The id. It is known as soon as the byte after it, or the end of the body, has come. */
  get id(): number | undefined {
    return this.#body.id;
  }

  /**
   * Takes the next piece of the body. Returns the base64 text in it as a view, if there is any.
   * @throws SessionTextError, LimitError
   */
  push(piece: Buffer): Buffer | undefined {
    let text: Buffer | undefined;
    this.#body.push(piece);
    for (;;) {
      const item = this.#body.next();
      if (item === undefined) return text;
      if (item !== BOUNDARY) text = item;
    }
  }

  /** The body is over. @throws SessionTextError when the id is missing, or data that must be there */
  end(): void {
    this.#body.end();
    const missing = this.#body.id === undefined ? 'session id' : this.#body.fields === 0 && !this.#allowPoll ? 'data' : undefined;
    if (missing === undefined) return;
    const got = this.#body.length;
    throw new SessionTextError(`a request body of ${got} bytes has no ${missing}`, { layer: SESSION, expected: missing, got, offset: got });
  }
}
