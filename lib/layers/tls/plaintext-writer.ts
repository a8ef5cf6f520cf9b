import type { TLSSocket } from 'node:tls';

/** Bytes of plaintext that the TLS socket holds for us before we make the neighbour wait: it gathers them into one write. */
const PENDING_BYTES = 262_144;
/** Chunks up to this size are copied together: to hand over each by itself costs more. */
const SMALL_BYTES = 2048;
/** Small chunks that are copied together: a full record. */
const JOINED_BYTES = 16_384;

/** Hands plaintext to the TLS socket of a session that is open. */
export class PlaintextWriter {
  readonly #socket: TLSSocket;
  /** Small chunks of this tick. */
  #small: Buffer[] = [];
  #smallBytes = 0;
  /** Goes on with the chunk that filled the socket. */
  #waiting: (() => void) | undefined;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('drain', () => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.();
    });
  }

  /** Plaintext that OpenSSL has not had yet, bytes. */
  get pending(): number {
    return this.#smallBytes + this.#socket.writableLength;
  }

  /** `done` comes when there may be another. */
  write(chunk: Buffer, done: () => void): void {
    this.#gather();
    if (chunk.length > SMALL_BYTES) {
      this.#join();
      this.#writeLarge(chunk, done, 0);
      return;
    }
    this.#small.push(chunk);
    this.#smallBytes += chunk.length;
    if (this.#smallBytes < JOINED_BYTES || this.#join()) done();
    else this.#waiting = done;
  }

  /** In pieces: OpenSSL encrypts all it is given at once, and holds it. */
  #writeLarge(chunk: Buffer, done: () => void, from: number): void {
    for (let at = from; at < chunk.length; ) {
      const piece = at === 0 && chunk.length <= PENDING_BYTES ? chunk : chunk.subarray(at, at + PENDING_BYTES);
      at += piece.length;
      if (this.#give(piece)) continue;
      this.#waiting = () => {
        this.#gather();
        this.#writeLarge(chunk, done, at);
      };
      return;
    }
    done();
  }

  /** The session is over: whoever waits is not called any more. */
  forget(): void {
    this.#waiting = undefined;
    this.#small = [];
    this.#smallBytes = 0;
  }

  /**
   * What comes in one tick is one write to OpenSSL. A small message and its prefix share a record; as two writes the second
   * would wait a turn of the event loop for the first.
   */
  #gather(): void {
    const socket = this.#socket;
    if (socket.writableCorked > 0) return;
    socket.cork();
    process.nextTick(() => {
      this.#join();
      socket.uncork();
    });
  }

  /** Hands over the small chunks. False: wait for `drain`. */
  #join(): boolean {
    const small = this.#small;
    if (small.length === 0) return true;
    const joined = small.length === 1 ? (small[0] as Buffer) : Buffer.concat(small, this.#smallBytes);
    this.#small = [];
    this.#smallBytes = 0;
    return this.#give(joined);
  }

  /** False: wait for `drain`. That is far beyond the socket's own mark, because what gathers in it goes to OpenSSL together. */
  #give(bytes: Buffer): boolean {
    return this.#socket.write(bytes) || this.#socket.writableLength < PENDING_BYTES;
  }
}
