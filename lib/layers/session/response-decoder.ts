import { givenRecord } from '../../core/check.js';
import { BodyDecoder, MAX_WHITESPACE_BYTES } from './body-decoder.js';

/** Options of a `SessionResponseDecoder`. */
export interface SessionResponseOptions {
  /** White space in a row that a body may have, bytes, 1 to 2^20. Default 1024. */
  maxWhitespaceBytes?: number;
}

/**
 * Reads one response body, `<id> <b64> <b64>…` (wire spec §C), piece by piece and without a stream. After each `push`,
 * and after `end`, call `next` until it returns `undefined`.
 *
 *     push("71 aGV")         id 71, "aGV"
 *     push("sbG8= /w==")     "sbG8=" BOUNDARY "/w=="
 *     end()                  BOUNDARY
 *
 * An empty or blank body has no id and no items. A body may also be an id without items. Both are complete. Empty items are
 * dropped. The items of a body have no meaning for the session: their bytes are one stream.
 *
 * Errors: `SessionTextError` for an invalid id, `LimitError` for too much white space in a row.
 */
export class SessionResponseDecoder extends BodyDecoder {
  constructor(options: SessionResponseOptions = {}) {
    super(Number.POSITIVE_INFINITY, givenRecord('options', options).maxWhitespaceBytes ?? MAX_WHITESPACE_BYTES);
  }
}
