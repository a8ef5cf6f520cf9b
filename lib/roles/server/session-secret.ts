import { randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 16;

/** What a request shows of a session's secret. */
export type Shown = 'right' | 'wrong' | 'nothing';

/**
 * What a client of this library must show beside the id of its session: 128 random bits, 22 letters of base64url. An id alone
 * has 32 bits, and strangers can guess one of many.
 */
export class SessionSecret {
  readonly text = randomBytes(SECRET_BYTES).toString('base64url');
  readonly #bytes = Buffer.from(this.text, 'latin1');

  /** Compares in constant time. @param header the header of a request; undefined when it has none */
  compare(header: string | readonly string[] | undefined): Shown {
    if (header === undefined) return 'nothing';
    const shown = Buffer.from(String(header), 'latin1');
    return shown.length === this.#bytes.length && timingSafeEqual(shown, this.#bytes) ? 'right' : 'wrong';
  }
}
