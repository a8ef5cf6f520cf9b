import { TlsError } from '../../core/errors.js';
import { RecordHeaderReader } from '../formats/tls-record.js';

/**
 * Notices a peer that keeps this end busy without sending any plaintext. KeyUpdates and empty records cost processor time, and
 * neither OpenSSL nor Node limits their number.
 *
 * Counts records (by their headers) and bytes of ciphertext since the last byte of plaintext.
 */
export class ProgressGuard {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #headers = new RecordHeaderReader();
  /** Number of records at the last `reset`. */
  #before = 0;
  #bytes = 0;

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  /** Counts ciphertext. It must see the connection from its first byte on, or it would not find the record headers. */
  cipher(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#headers.feed(chunk);
  }

  /** Plaintext has come, or the handshake is over: the counters start again at 0. */
  reset(): void {
    this.#before = this.#headers.records;
    this.#bytes = 0;
  }

  /** The error for a peer that has passed a limit, or undefined. */
  check(): TlsError | undefined {
    const records = this.#headers.records - this.#before;
    if (records > this.#maxRecords) {
      return new TlsError(`no progress: ${records} records without a byte of plaintext`, {
        layer: 'tls',
        got: records,
        limit: this.#maxRecords,
      });
    }
    if (this.#bytes > this.#maxBytes) {
      return new TlsError(`no progress: ${this.#bytes} bytes of ciphertext without a byte of plaintext`, {
        layer: 'tls',
        got: this.#bytes,
        limit: this.#maxBytes,
      });
    }
    return undefined;
  }
}
