import { ByteQueue } from '../../core/byte-queue.js';
import { TlsHandshakeError } from '../../core/errors.js';
import { MAX_RECORD_PLAINTEXT_BYTES, RECORD_HEADER_BYTES, RecordHeaderReader } from '../formats/tls-record.js';

/** Content type of a handshake record. */
const HANDSHAKE = 22;

/**
 * Collects the first record of a client, which carries the ClientHello. A server begins a handshake only when that record is
 * complete. So a client that sends one byte, or half a record, costs no handshake.
 *
 *     16 03 0x len len <len bytes>
 *
 * It keeps that record (16 KiB at most) and the rest of the chunk that completed it.
 */
export class FirstRecord {
  readonly #queue = new ByteQueue();
  readonly #headers = new RecordHeaderReader();

  /**
   * Takes a chunk. Returns all bytes so far as soon as the record is complete. It also returns them when OpenSSL would refuse
   * the record by its header alone; OpenSSL then sends the peer an alert.
   *
   * @throws TlsHandshakeError for a header that cannot be that of a ClientHello, but whose body OpenSSL would wait for
   */
  push(chunk: Buffer): Buffer | undefined {
    const queue = this.#queue;
    const headers = this.#headers;
    queue.push(chunk);
    for (let at = 0; at < chunk.length && headers.records === 0; at++) headers.header(chunk[at] as number);
    if (headers.records === 0) return undefined;
    const { type, length } = headers;
    const major = headers.version >> 8;
    if (type === HANDSHAKE && major === 3 && length > 0 && length <= MAX_RECORD_PLAINTEXT_BYTES) {
      return queue.length < RECORD_HEADER_BYTES + length ? undefined : queue.take(queue.length);
    }
    // Any other TLS record, and a hello of SSL 2, which has the highest bit of its length set. OpenSSL would wait for both.
    if (major === 3 || type >= 0x80) {
      throw new TlsHandshakeError('the first record is no ClientHello', { layer: 'tls', expected: HANDSHAKE, got: type });
    }
    return queue.take(queue.length);
  }
}
