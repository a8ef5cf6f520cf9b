import type { TLSSocket } from 'node:tls';

/** Bytes of plaintext that the TLS socket holds for us before we make the neighbour wait: it gathers them into one write. */
const PENDING_BYTES = 262_144;

/** Hands plaintext to the TLS socket of a session that is open. */
export class PlaintextWriter {
  readonly #socket: TLSSocket;
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

  /** `done` comes when there may be another. In pieces: OpenSSL encrypts all it is given at once, and holds it. */
  write(chunk: Buffer, done: () => void, from = 0): void {
    const socket = this.#socket;
    this.#gather();
    for (let at = from; at < chunk.length; ) {
      const piece = at === 0 && chunk.length <= PENDING_BYTES ? chunk : chunk.subarray(at, at + PENDING_BYTES);
      at += piece.length;
      // Beyond the socket's own, small mark: what gathers there goes to OpenSSL together.
      if (socket.write(piece) || socket.writableLength < PENDING_BYTES) continue;
      this.#waiting = () => this.write(chunk, done, at);
      return;
    }
    done();
  }

  /** The session is over: whoever waits is not called any more. */
  forget(): void {
    this.#waiting = undefined;
  }

  /**
   * What comes in one tick is one write to OpenSSL. A small message and its prefix share a record; as two writes the second
   * would wait a turn of the event loop for the first.
   */
  #gather(): void {
    const socket = this.#socket;
    if (socket.writableCorked > 0) return;
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
}
