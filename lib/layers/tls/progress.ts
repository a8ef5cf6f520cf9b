import { TlsError } from '../../core/errors.js';
import { RecordHeaderReader } from '../formats/tls-record.js';

/**
 * Notices a peer that keeps us busy without saying anything: KeyUpdates and empty records cost CPU for ever, and
 * neither OpenSSL nor Node limits them.
 *
 * Counts records (by their headers alone) and bytes of ciphertext since the last byte of plaintext.
 */
export class ProgressGuard {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #headers = new RecordHeaderReader();
  /** Records that had come when counting started anew. */
  #before = 0;
  #bytes = 0;

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  /** Ciphertext goes by. Called from the first byte of the connection on, so that headers are where we think they are. */
  cipher(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#headers.feed(chunk);
  }

  /** Plaintext has come, or the handshake is over: counting starts anew. */
  reset(): void {
    this.#before = this.#headers.records;
    this.#bytes = 0;
  }

  /** The error of a peer that made no progress, or undefined. */
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
