import type { Codec } from '../../core/codec.js';
import { TruncatedError } from '../../core/errors.js';
import type { CipherChunk, RecordChunk } from '../../core/unit.js';
import { RecordHeaderReader } from '../formats/tls-record.js';
import { RECORD_CHECK, RECORDS } from './header.js';

/**
 * Passes TLS records on as ciphertext. Each chunk stays as it is; only the record headers in it are checked.
 *
 *     <17 03> <03 00 13, 19 bytes> BOUNDARY <16 03 01 …>
 *     <17 03> <03 00 13, 19 bytes> <16 03 01 …>
 *
 * A record or a header may span units and chunks. A byte that is invalid in a record header is refused when it comes, and
 * nothing of its chunk is given. No bytes are kept.
 *
 * Errors: `RecordError`, `LimitError`, `TruncatedError` for an end inside a record; `offset` counts from the start of
 * the stream.
 *
 * @see RecordEncoder
 */
export class RecordDecoder implements Codec<RecordChunk, CipherChunk> {
  readonly #headers = new RecordHeaderReader(RECORD_CHECK);
  #item: Buffer | undefined;

  push(chunk: RecordChunk): void {
    if (!Buffer.isBuffer(chunk) || chunk.length === 0) return;
    this.#headers.feed(chunk);
    this.#item = chunk;
  }

  next(): CipherChunk | undefined {
    const item = this.#item;
    this.#item = undefined;
    return item;
  }

  end(): void {
    const { got, expected, offset } = this.#headers;
    if (got === 0) return;
    throw new TruncatedError(`the records ended inside a TLS record: ${got} of ${expected} bytes`, {
      layer: RECORDS,
      expected,
      got,
      offset: offset - got,
    });
  }
}
