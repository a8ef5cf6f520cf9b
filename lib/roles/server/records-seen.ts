import { RecordHeaderReader } from '../../layers/formats/tls-record.js';

const APPLICATION_DATA = 23;
/** Bytes of the body of a record that holds an encrypted alert (RFC 8446 §5.2): two, their type, and a tag of 16. */
const ALERT_BYTES = 19;

/**
 * What the records of a TLS 1.3 session tell somebody who cannot decrypt them.
 *
 *     client                                       manager
 *     ClientHello (22)                       ──▶
 *                                            ◀──   ServerHello (22), its flight (23)
 *     its flight (23): up to Finished        ──▶
 *                                            ◀──   ciphertext (23) that is more than an alert: the client was let in
 *
 * A stranger can send a record of type 23 at any time. So this is a sign only when the manager was asked behind it and still
 * has the session: whoever has not finished the handshake gets an alert, and the session is gone.
 */
export class RecordsSeen {
  /** Records of ciphertext that the client has begun behind the manager's flight. */
  #replies = 0;
  #flight = false;
  #answered = false;
  readonly #up = new RecordHeaderReader(checking((type) => this.#sent(type)));
  readonly #down = new RecordHeaderReader(checking((type, length) => this.#given(type, length)));

  /** The client has sent a whole record of ciphertext behind the manager's flight: its Finished may have come. */
  get replied(): boolean {
    return this.#replies > 1 || (this.#replies === 1 && this.#up.got === 0);
  }

  /** The manager has sent more than an alert behind that. */
  get answered(): boolean {
    return this.#answered;
  }

  /** Takes ciphertext of the client. */
  up(chunk: Buffer): void {
    this.#up.feed(chunk);
  }

  /** Takes ciphertext of the manager. */
  down(chunk: Buffer): void {
    this.#down.feed(chunk);
  }

  #sent(type: number): void {
    if (type === APPLICATION_DATA && this.#flight) this.#replies++;
  }

  #given(type: number, length: number): void {
    if (type !== APPLICATION_DATA) return;
    this.#flight = true;
    if (this.replied && length !== ALERT_BYTES) this.#answered = true;
  }
}

/** A check of a reader that refuses nothing and is told of each header. */
function checking(onHeader: (type: number, length: number) => void) {
  let type = 0;
  return {
    byte: (index: number, byte: number) => {
      if (index === 0) type = byte;
    },
    length: (length: number) => onHeader(type, length),
  };
}
