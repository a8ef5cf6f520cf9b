import { Duplex } from 'node:stream';

/** Bytes of ciphertext that wait for OpenSSL while the reader of the plaintext is slow. */
const WIRE_BYTES = 65_536;

/** What the wire asks of its engine. */
export interface WireEvents {
  /** Ciphertext for the peer: all that node:tls had to write. False asks for `release()` before the next. */
  cipher(pieces: readonly Buffer[]): boolean;
  /** Our side of the TLS session is over: its close_notify was given. */
  cipherEnd(): void;
  /** OpenSSL has had a chunk of what was fed, and what came of it has been told. */
  taken(): void;
  /** node:tls is done with its write, and has made the next if there was one to make. */
  written(): void;
}

/**
 * The byte pipe that node:tls believes to run over. What it writes goes to the layer's outbound Transform, what it
 * reads comes from the inbound one, each with its brake.
 *
 * node:tls reads a chunk, and OpenSSL decrypts it, within the `feed` that brings it, unless the plaintext has no room. What
 * node:tls writes comes within the write to the TLS socket that makes it, unless a write before it is not over: it takes a
 * turn of the event loop to be (a `setImmediate` in Node's JSStreamSocket). `writing` tells.
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
  /** Bytes of ciphertext that node:tls has written so far. */
  given = 0;
  /** Writes that node:tls does not know to be over. */
  #writes = 0;

  constructor(events: WireEvents) {
    super({ readableHighWaterMark: WIRE_BYTES, writableHighWaterMark: WIRE_BYTES });
    this.#events = events;
  }

  /** node:tls is not done with a write: what OpenSSL has to say meanwhile comes after it. */
  get writing(): boolean {
    return this.#writes > 0;
  }

  /** Begins to tell of what is taken. Called once, when node:tls has begun to read: its own listener comes first then. */
  watch(): void {
    this.on('data', () => this.#events.taken());
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

  /** Counts a write as over when node:tls does. Called a tick after node:tls was told that it is. */
  readonly #awaitNode = (): void => {
    // node:tls calls its write over in a setImmediate of its own, which was asked for before this one.
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
