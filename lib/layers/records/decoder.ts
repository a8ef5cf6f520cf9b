import type { Codec } from '../../core/codec.js';
import { TruncatedError } from '../../core/errors.js';
import type { CipherChunk, RecordChunk } from '../../core/unit.js';
import { checkBodyLength, checkHeaderByte, HEADER_BYTES, RECORDS } from './header.js';

/**
 * Passes TLS records on as ciphertext, each chunk as it is, after a look at the headers in it.
 *
 *     <17 03> <03 00 13, 19 bytes> BOUNDARY <16 03 01 …>
 *     <17 03> <03 00 13, 19 bytes> <16 03 01 …>
 *
 * Units and chunks mean nothing in this direction: a header may be cut anywhere. A byte that no record header has is refused
 * when it comes, and nothing of its chunk is given. It keeps no bytes at all.
 *
 * Errors: `RecordError`, `LimitError`, `TruncatedError` for an end inside a record; `offset` counts from the start of
 * the stream.
 *
 * @see RecordEncoder
 */
export class RecordDecoder implements Codec<RecordChunk, CipherChunk> {
  /** Bytes of the current header that are through, 0 to 5; 0 between records, 5 inside a body. */
  #headerBytes = 0;
  /** Bytes of the body that the header announces, as far as its length is known. */
  #bodyBytes = 0;
  /** Bytes of the body that are still to come. */
  #owed = 0;
  /** Bytes through so far, for offsets. */
  #offset = 0;
  #item: Buffer | undefined;

  push(chunk: RecordChunk): void {
    if (!Buffer.isBuffer(chunk) || chunk.length === 0) return;
    let at = 0;
    while (at < chunk.length) {
      if (this.#headerBytes < HEADER_BYTES) {
        this.#header(chunk[at] as number, this.#offset + at);
        at++;
      } else {
        const count = Math.min(this.#owed, chunk.length - at);
        this.#owed -= count;
        at += count;
      }
      if (this.#headerBytes === HEADER_BYTES && this.#owed === 0) this.#headerBytes = 0;
    }
    this.#offset += chunk.length;
    this.#item = chunk;
  }

  next(): CipherChunk | undefined {
    const item = this.#item;
    this.#item = undefined;
    return item;
  }

  end(): void {
    if (this.#headerBytes === 0) return;
    const inBody = this.#headerBytes === HEADER_BYTES;
    const expected = inBody ? HEADER_BYTES + this.#bodyBytes : HEADER_BYTES;
    const got = inBody ? expected - this.#owed : this.#headerBytes;
    throw new TruncatedError(`the records ended inside a TLS record: ${got} of ${expected} bytes`, {
      layer: RECORDS,
      expected,
      got,
      offset: this.#offset - got,
    });
  }

  #header(byte: number, offset: number): void {
    checkHeaderByte(this.#headerBytes, byte, offset);
    this.#headerBytes++;
    if (this.#headerBytes < HEADER_BYTES - 1) return;
    this.#bodyBytes = this.#headerBytes === HEADER_BYTES ? this.#bodyBytes * 256 + byte : byte;
    if (this.#headerBytes < HEADER_BYTES) return;
    checkBodyLength(this.#bodyBytes, offset - 1);
    this.#owed = this.#bodyBytes;
  }
}
