import { ByteQueue } from '../../core/byte-queue.js';
import { TlsHandshakeError } from '../../core/errors.js';
import { MAX_RECORD_PLAINTEXT_BYTES, RECORD_HEADER_BYTES, RecordHeaderReader } from '../formats/tls-record.js';

/** Content type of a handshake record. */
const HANDSHAKE = 22;

/**
 * What a client says first: the record with its ClientHello. A server waits for all of it before it begins a handshake,
 * so that one byte, or half a record, is not worth one.
 *
 *     16 03 0x len len <len bytes>
 *
 * It keeps that record (16 KiB at most) and the rest of the chunk that ended it.
 */
export class FirstRecord {
  readonly #queue = new ByteQueue();
  readonly #headers = new RecordHeaderReader();

  /**
   * Takes a chunk. Gives all that came, once the record is whole, or once OpenSSL can tell by its header alone that it is
   * none: the peer gets an alert then.
   *
   * @throws TlsHandshakeError for a header for whose body OpenSSL would wait, although it cannot be a ClientHello's
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
    // Any other record of TLS, and the hello of SSL 2, which has the highest bit of its length set.
    if (major === 3 || type >= 0x80) {
      throw new TlsHandshakeError('the first record is no ClientHello', { layer: 'tls', expected: HANDSHAKE, got: type });
    }
    return queue.take(queue.length);
  }
}
