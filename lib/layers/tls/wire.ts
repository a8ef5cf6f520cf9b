import { Duplex } from 'node:stream';

/** Bytes of ciphertext that wait for OpenSSL while the reader of the plaintext is slow. */
const WIRE_BYTES = 65_536;

/** What the wire asks of its engine. */
export interface WireEvents {
  /** Ciphertext for the peer. False asks for `release()` before the next. */
  cipher(chunk: Buffer): boolean;
  /** Whether to join pieces of ciphertext. */
  joins(): boolean;
  /** Our side of the TLS session is over: its close_notify was given. */
  cipherEnd(): void;
  /** The ciphertext that was fed is (about to be) read. */
  thirsty(): void;
}

/**
 * The byte pipe that node:tls believes to run over. What it writes goes to the layer's outbound Transform, what it
 * reads comes from the inbound one, each with its brake.
 *
 * It never ends its reading side: what an end of the byte pipe means, the engine decides, which can tell the peer's
 * close_notify from a cut.
 */
export class Wire extends Duplex {
  readonly #events: WireEvents;
  /** Calls back to whom fed the chunk that fills us. */
  #fed: (() => void) | undefined;
  /** Calls back to node:tls, which wrote more than the neighbour has room for. */
  #written: (() => void) | undefined;

  constructor(events: WireEvents) {
    super({ readableHighWaterMark: WIRE_BYTES, writableHighWaterMark: WIRE_BYTES });
    this.#events = events;
  }

  /** Ciphertext of the peer. `done` comes when there is room for more. */
  feed(chunk: Buffer, done: () => void): void {
    if (this.push(chunk)) done();
    else this.#fed = done;
  }

  /** The neighbour has room again. */
  release(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  override _read(): void {
    const fed = this.#fed;
    this.#fed = undefined;
    fed?.();
    this.#events.thirsty();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#events.cipher(chunk)) done();
    else this.#written = done;
  }

  // node:tls hands over up to ten pieces of about a record at once. Where layers are below they go on as one: to copy
  // 160 KiB costs less than to take ten chunks through each.
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    const pieces = chunks.map(({ chunk }) => chunk);
    let room = true;
    for (const piece of this.#events.joins() ? [Buffer.concat(pieces)] : pieces) room = this.#events.cipher(piece);
    if (room) done();
    else this.#written = done;
  }

  override _final(done: () => void): void {
    this.#events.cipherEnd();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#fed = undefined;
    this.#written = undefined;
    done(error);
  }
}
