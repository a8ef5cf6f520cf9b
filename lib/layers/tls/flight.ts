import { LimitError } from '../../core/errors.js';
import { MAX_RECORD_PLAINTEXT_BYTES, RECORD_HEADER_BYTES, RecordHeaderReader } from '../formats/tls-record.js';

/** Type of an encrypted record, whatever is inside. */
const ENCRYPTED = 23;
/**
 * Most bytes of all records that are not encrypted: two ClientHellos of a full record each (there are two where the server
 * asks for another group), and what is small.
 */
const MAX_PLAIN_BYTES = 2 * (RECORD_HEADER_BYTES + MAX_RECORD_PLAINTEXT_BYTES) + 256;

/**
 * Bounds what a client may send before it is admitted: the records of its handshake. OpenSSL verifies a chain of certificates
 * as soon as it has it whole, and signature by signature, though it leads nowhere: 98 KB of certificates that are made up
 * for the purpose block the event loop for a tenth of a second. So such a flight must not reach it. A record is counted
 * when its header is whole.
 *
 * The plaintext that may follow the handshake at once is in records that look the same. So the caller gives OpenSSL what
 * `fits`, and only if that did not end the handshake is the client to be refused.
 */
export class Flight {
  readonly #limit: number;
  readonly #headers = new RecordHeaderReader();
  #plainBytes = 0;
  #encryptedBytes = 0;

  /** @param limit bytes that the encrypted records may have, with their headers */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Counts a chunk, in order from the first byte on. Returns how many bytes, from its start, are part of records within the
   * bounds. Fewer than all: the flight is over, and it must not be called again.
   */
  fits(chunk: Buffer): number {
    const headers = this.#headers;
    let at = 0;
    while (at < chunk.length) {
      const before = headers.records;
      if (headers.inBody) at += headers.body(chunk.length - at);
      else headers.header(chunk[at++] as number);
      if (headers.records > before && !this.#count(headers.type, headers.length)) return Math.max(0, at - RECORD_HEADER_BYTES);
    }
    return chunk.length;
  }

  /** The error for a client whose handshake is not over with what fitted. */
  fault(): LimitError {
    const encrypted = this.#encryptedBytes > this.#limit;
    const [got, limit] = encrypted ? [this.#encryptedBytes, this.#limit] : [this.#plainBytes, MAX_PLAIN_BYTES];
    return new LimitError(`the client's part of the handshake has at least ${got} bytes`, { layer: 'tls', got, limit });
  }

  #count(type: number, length: number): boolean {
    if (type === ENCRYPTED) this.#encryptedBytes += RECORD_HEADER_BYTES + length;
    else this.#plainBytes += RECORD_HEADER_BYTES + length;
    return this.#encryptedBytes <= this.#limit && this.#plainBytes <= MAX_PLAIN_BYTES;
  }
}
