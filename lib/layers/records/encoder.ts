import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import { TruncatedError } from '../../core/errors.js';
import { BOUNDARY, type CipherChunk, type RecordChunk } from '../../core/unit.js';
import { RECORD_HEADER_BYTES, RecordHeaderReader } from '../formats/tls-record.js';
import { RECORD_CHECK, RECORDS } from './header.js';

/**
 * Cuts TLS ciphertext into units of whole records.
 *
 *     <17 03 03 40 11, 16000 bytes> <401 bytes, 17 03 03 00 13, 19 bytes>
 *     <16005 bytes> <401 bytes> BOUNDARY <24 bytes> BOUNDARY             batchBytes 0
 *     <16005 bytes> <425 bytes> BOUNDARY                                 batchBytes 65536
 *
 * A unit takes records as long as they fit `batchBytes`, and at least one record. A unit ends when the next record does not
 * fit, at a mark (`flush`), at the end of the input, or when the caller calls `closeUnit`.
 *
 * Only chunks under 1 KiB are copied. A record that came in two chunks leaves in two. A record is kept until all of it has
 * come: at most 16,645 bytes and the last chunk.
 *
 * Errors: `RecordError` and `LimitError` for an invalid header, `TruncatedError` for an end inside a record.
 *
 * @see RecordDecoder
 */
export class RecordEncoder implements Codec<CipherChunk, RecordChunk> {
  readonly #batchBytes: () => number;
  readonly #queue = new ByteQueue();
  /** Reads the header of the record behind the whole ones. */
  readonly #headers = new RecordHeaderReader(RECORD_CHECK);
  readonly #takeHeader = (source: Buffer, offset: number) => this.#headers.wholeHeader(source, offset);
  /** Bytes of the record behind the whole ones, header included, once its header was read. */
  #recordBytes: number | undefined;
  /** Bytes at the head of the queue that are whole records of the open unit, not yet given. */
  #ready = 0;
  /** Bytes of the open unit, given or not. */
  #unitBytes = 0;
  /** The open unit takes no more records. */
  #full = false;
  /** A mark, or the end of the input, has come after the last chunk. */
  #complete = false;
  /** Bytes taken out of the queue, for the offsets of errors. */
  #given = 0;

  constructor(batchBytes: number | (() => number) = 0) {
    this.#batchBytes = typeof batchBytes === 'number' ? () => batchBytes : batchBytes;
  }

  /** Number of units closed so far. */
  units = 0;

  /** There are records, given or not, behind the last BOUNDARY. */
  get unitOpen(): boolean {
    return this.#unitBytes > 0;
  }

  push(chunk: CipherChunk): void {
    this.#queue.push(chunk);
  }

  next(): RecordChunk | undefined {
    if (this.#ready === 0) this.#measure();
    if (this.#ready > 0) {
      const piece = this.#queue.takeSome(this.#ready);
      this.#ready -= piece.length;
      this.#given += piece.length;
      return piece;
    }
    if (!this.#full && !this.#complete) return undefined;
    this.#complete = false;
    return this.closeUnit();
  }

  flush(): void {
    this.#complete = true;
  }

  /** Closes the open unit, if there is one. Only called when `next` has returned `undefined`. */
  closeUnit(): RecordChunk | undefined {
    if (this.#unitBytes === 0) return undefined;
    this.#unitBytes = 0;
    this.#full = false;
    this.units++;
    return BOUNDARY;
  }

  end(): void {
    this.#complete = true;
    if (this.#queue.length === 0) return;
    const expected = this.#readHeader() ?? RECORD_HEADER_BYTES;
    throw new TruncatedError(`the ciphertext ended inside a TLS record: ${this.#queue.length} of ${expected} bytes`, {
      layer: RECORDS,
      expected,
      got: this.#queue.length,
      offset: this.#given,
    });
  }

  /** Counts the bytes at the head of the queue that are whole records and fit the open unit. */
  #measure(): void {
    while (!this.#full) {
      const size = this.#readHeader();
      if (size === undefined) return;
      if (this.#unitBytes > 0 && this.#unitBytes + size > this.#batchBytes()) {
        this.#full = true;
        return;
      }
      if (this.#queue.length - this.#ready < size) return;
      this.#headers.body(this.#headers.length);
      this.#recordBytes = undefined;
      this.#ready += size;
      this.#unitBytes += size;
      this.#full = this.#unitBytes >= this.#batchBytes();
    }
  }

  /** Bytes of the record behind the whole ones; undefined while its header is incomplete. */
  #readHeader(): number | undefined {
    if (this.#recordBytes !== undefined || this.#queue.length - this.#ready < RECORD_HEADER_BYTES) return this.#recordBytes;
    this.#queue.readAt(this.#ready, RECORD_HEADER_BYTES, this.#takeHeader);
    this.#recordBytes = RECORD_HEADER_BYTES + this.#headers.length;
    return this.#recordBytes;
  }
}
