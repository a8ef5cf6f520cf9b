import { TlsError } from '../../core/errors.js';

const HEADER_BYTES = 5;

/**
 * Notices a peer that keeps us busy without saying anything: KeyUpdates and empty records cost CPU for ever, and
 * neither OpenSSL nor Node limits them.
 *
 * Counts records (by their headers alone) and bytes of ciphertext since the last byte of plaintext.
 */
export class ProgressGuard {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  #records = 0;
  #bytes = 0;
  /** Bytes of the current record's body that are still to come. */
  #bodyLeft = 0;
  /** Header bytes of the next record that have come. */
  #headerBytes = 0;
  #length = 0;

  constructor(maxRecords: number, maxBytes: number) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  /** Ciphertext goes by. Called from the first byte of the connection on, so that headers are where we think they are. */
  cipher(chunk: Buffer): void {
    this.#bytes += chunk.length;
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const step = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= step;
        at += step;
        continue;
      }
      // The length is the last two bytes of the header.
      if (this.#headerBytes >= 3) this.#length = (this.#length << 8) | (chunk[at] as number);
      at++;
      if (++this.#headerBytes < HEADER_BYTES) continue;
      this.#bodyLeft = this.#length;
      this.#headerBytes = 0;
      this.#length = 0;
      this.#records++;
    }
  }

  /** Plaintext has come, or the handshake is over: counting starts anew. */
  reset(): void {
    this.#records = 0;
    this.#bytes = 0;
  }

  /** The error of a peer that made no progress, or undefined. */
  check(): TlsError | undefined {
    if (this.#records > this.#maxRecords) {
      return new TlsError(`no progress: ${this.#records} records without a byte of plaintext`, {
        layer: 'tls',
        got: this.#records,
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
