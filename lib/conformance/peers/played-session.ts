/**
 * A TLS session that is none: records in the order of a handshake, so that a Server that looks at them sees one, and then an
 * echo. The Server has no key, so it cannot tell.
 *
 *     client                        manager
 *     ClientHello (22)         ──▶
 *                              ◀──  ServerHello (22), its flight (23)
 *     its flight (23)          ──▶
 *                              ◀──  a record (23): the client was let in
 *     any record               ──▶
 *                              ◀──  the same record
 */
import { randomBytes } from 'node:crypto';
import { RECORD_HEADER_BYTES } from '../../layers/formats/tls-record.js';

const HANDSHAKE = 22;
const APPLICATION_DATA = 23;

/** A record of random bytes. */
export function record(length: number, type = APPLICATION_DATA): Buffer {
  const header = Buffer.of(type, 3, 3, length >> 8, length & 0xff);
  return Buffer.concat([header, randomBytes(length)]);
}

/** How a TLS session begins: the head of a ClientHello, and bytes that only this session has. */
export function clientHello(): Buffer {
  return Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), randomBytes(0x200 - 6)]);
}

/** Bytes of what a manager says in the handshake: two records, and one when it is over. */
export const FLIGHT_BYTES = 2 * RECORD_HEADER_BYTES + 122 + 900;
export const ADMISSION_BYTES = RECORD_HEADER_BYTES + 250;

/** Ciphertext of a session that is kept: the longest case has 2 MiB of it. */
const MAX_SESSION_BYTES = 32 * 2 ** 20;

export class PlayedSession {
  readonly id: number;
  /** All ciphertext of the client. */
  received: Buffer = Buffer.alloc(0);
  /** What GetTlsData gives, one by one. */
  readonly output: Buffer[] = [];
  closed = false;
  active = true;
  /** Pieces of the echo; default: each record as it is. */
  echo: (bytes: Buffer) => readonly Buffer[] = (bytes) => [bytes];
  #read = 0;
  #records = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** @throws RangeError for more than any case sends: the link is over then */
  take(bytes: Buffer): void {
    if (this.received.length + bytes.length > MAX_SESSION_BYTES) throw new RangeError('too much ciphertext for one session');
    this.received = Buffer.concat([this.received, bytes]);
    for (let end = this.#end(); end <= this.received.length; end = this.#end()) {
      this.output.push(...this.#answer(this.received.subarray(this.#read, end)));
      this.#read = end;
    }
  }

  /** Where the record that is under way ends. */
  #end(): number {
    const { received } = this;
    const header = this.#read + RECORD_HEADER_BYTES;
    return received.length < header ? header + 1 : header + received.readUInt16BE(header - 2);
  }

  #answer(bytes: Buffer): readonly Buffer[] {
    const count = this.#records++;
    if (count === 0) return [Buffer.concat([record(122, HANDSHAKE), record(900)])];
    return count === 1 ? [record(250)] : this.echo(bytes);
  }
}
