import { Duplex } from 'node:stream';

/** Bytes of ciphertext that may wait for OpenSSL while the reader of the plaintext is slow. */
const WIRE_BYTES = 65_536;

/** What the wire reports to its engine. */
export interface WireEvents {
  /** Ciphertext for the peer, from one write of node:tls. False means: no more before `release()`. */
  cipher(pieces: readonly Buffer[]): boolean;
  /** This side of the TLS session has ended: its close_notify was given. */
  cipherEnd(): void;
  /** OpenSSL has read a chunk of the ciphertext, and its plaintext was given to the engine. */
  taken(): void;
  /** A write of node:tls is over. If node:tls had more to write, it has begun the next write. */
  written(): void;
}

/**
 * The byte pipe that node:tls runs over. Its writes go to the outbound Transform of the layer, and it reads what the inbound
 * Transform brings. Both directions have back-pressure.
 *
 * node:tls reads a chunk and decrypts it within the call of `feed`, unless there is no room for the plaintext. A write to the
 * TLS socket produces its ciphertext within the call too, unless an earlier write is not over. A write takes one turn of the
 * event loop to be over, because of a `setImmediate` in Node's JSStreamSocket. `writing` is true until then.
 *
 * The reading side never ends. The engine decides what an end of the byte pipe means, because it can tell the peer's
 * close_notify from a cut.
 */
export class Wire extends Duplex {
  readonly #events: WireEvents;
  /** The callback of the chunk that filled the reading side. */
  #fed: (() => void) | undefined;
  /** The callback of a write of node:tls for which the neighbour had no room. */
  #written: (() => void) | undefined;
  /** Number of bytes of ciphertext that node:tls has written so far. */
  given = 0;
  /** Number of writes that are not over for node:tls. */
  #writes = 0;

  constructor(events: WireEvents) {
    super({ readableHighWaterMark: WIRE_BYTES, writableHighWaterMark: WIRE_BYTES });
    this.#events = events;
  }

  /** A write of node:tls is not over. Whatever OpenSSL produces meanwhile is written after it. */
  get writing(): boolean {
    return this.#writes > 0;
  }

  /** Begins to report chunks that were read. Called once, after node:tls has added its own listener, which must come first. */
  watch(): void {
    this.on('data', () => this.#events.taken());
  }

  /** Takes ciphertext of the peer. `done` is called when there is room for more. */
  feed(chunk: Buffer, done: () => void): void {
    if (this.push(chunk)) done();
    else this.#fed = done;
  }

  /** The neighbour below has room again. */
  release(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  override _read(): void {
    const fed = this.#fed;
    this.#fed = undefined;
    fed?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#give([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#give(
      chunks.map(({ chunk }) => chunk),
      done,
    );
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

  /** Counts a write as over when node:tls does. Called one tick after node:tls was told that the write is over. */
  readonly #awaitNode = (): void => {
    // node:tls treats its write as over in a setImmediate of its own, which it asked for before this one.
    setImmediate(() => {
      this.#writes--;
      if (!this.writing) this.#events.written();
    });
  };

  #give(pieces: readonly Buffer[], done: () => void): void {
    for (const { length } of pieces) this.given += length;
    this.#writes++;
    const over = () => {
      done();
      process.nextTick(this.#awaitNode);
    };
    if (this.#events.cipher(pieces)) over();
    else this.#written = over;
  }
}
