import { BodyDecoder, MAX_WHITESPACE_BYTES } from './body-decoder.js';

export interface SessionResponseOptions {
  /** White space in a row that a body may have, bytes, 1 to 2^20. Default 1024. */
  maxWhitespaceBytes?: number;
}

/**
 * Reads one response body, `<id> <b64> <b64>…` (wire spec §C), piece by piece and without a stream: after each `push`,
 * and after `end`, ask `next` until it says `undefined`.
 *
 *     push("71 aGV")         id 71, "aGV"
 *     push("sbG8= /w==")     "sbG8=" BOUNDARY "/w=="
 *     end()                  BOUNDARY
 *
 * An empty or blank body has no id and no items, an id alone no items; both are whole. Empty items vanish. The bounds
 * of items mean nothing to the session: their bytes are one stream.
 *
 * Errors: `SessionTextError` for an id that is none, `LimitError` for white space without end.
 */
export class SessionResponseDecoder extends BodyDecoder {
  constructor(options: SessionResponseOptions = {}) {
    super(Number.POSITIVE_INFINITY, options.maxWhitespaceBytes ?? MAX_WHITESPACE_BYTES);
  }
}
