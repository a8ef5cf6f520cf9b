import { Readable } from 'node:stream';
import { ByteQueue } from '../../core/byte-queue.js';

/** Bytes of a body that wait for its reader before the layer below is asked to wait. */
export const BODY_BUFFER_BYTES = 262_144;

function nothing(): void {}

/**
 * The bulk field of a message that came in: a Readable of exactly `length` bytes, while they are still arriving.
 *
 * It ends only when the whole message around it was read and is valid. It fails with the error that ended the
 * stack, or with `ERR_VC_TRUNCATED` when the stack went away without one. Destroying it skips the rest: the next
 * message is read all the same. An error that nobody listens for is not thrown: the stack reports the same one.
 *
 * While it is not read, at most 256 KiB (and one chunk) of it are kept and the peer is made to wait, so **a message's
 * body must be read or destroyed** before the next message can come.
 */
export class IncomingBody extends Readable {
  /** Bytes of the whole body. */
  readonly length: number;
  /** Bytes of it that have arrived. The event `received` tells this number as it grows. */
  received = 0;
  /** All of it has arrived, and with it the whole message; it may still wait to be read. */
  complete = false;
  readonly #pull: () => void;
  readonly #gone: () => void;
  /** Of a body that has arrived in one piece, until it is read. */
  #bytes: Buffer | undefined;

  /** Bodies are made by the layer: `pull` is called when there is room, `gone` when nobody reads any more. */
  constructor(length: number, pull: () => void, gone: () => void) {
    // One chunk at a time: the waiting bytes are in BodyFeed, which gathers tiny chunks.
    super({ highWaterMark: 1 });
    this.length = length;
    this.#pull = pull;
    this.#gone = gone;
    this.on('error', nothing);
  }

  /** The body of a message that has arrived as a whole: given out and ended in one go, when it is read. */
  static whole(bytes: Buffer): IncomingBody {
    // Called once: the body ends in it, and one whose bytes were taken as a whole is destroyed.
    const pull = () => {
      body.#bytes = undefined;
      if (bytes.length > 0) body.push(bytes);
      body.push(null);
    };
    const body: IncomingBody = new IncomingBody(bytes.length, pull, nothing);
    body.received = bytes.length;
    body.complete = true;
    body.#bytes = bytes;
    return body;
  }

  /**
   * All bytes of a body that has arrived in one piece with its message and was not read yet; the body is then over, and
   * destroyed. Undefined for any other, which is read as the stream that it is.
   */
  takeWhole(): Buffer | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined || this.destroyed) return undefined;
    this.#bytes = undefined;
    this.destroy();
    return bytes;
  }

  override _read(): void {
    this.#pull();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#gone();
    done(error);
  }
}

/** The decoder's side of a body. */
export class BodyFeed {
  readonly body: IncomingBody;
  readonly #queue = new ByteQueue();
  #wanted = false;
  #over = false;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(length: number) {
    this.body = new IncomingBody(
      length,
      () => {
        this.#wanted = true;
        this.#flow();
      },
      () => this.#roomMade(),
    );
  }

  /** Nobody reads any more: the reader destroyed the body. */
  get abandoned(): boolean {
    return this.body.destroyed;
  }

  /** Hands over a chunk, uncopied from 1 KiB on. False asks to wait for `room`. */
  write(chunk: Buffer): boolean {
    this.#queue.push(chunk);
    this.body.received += chunk.length;
    this.body.emit('received', this.body.received);
    this.#flow();
    return this.#queue.length < BODY_BUFFER_BYTES;
  }

  /** Settles when there is room again, or when nobody reads any more. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.body.destroyed) this.#roomMade();
    });
  }

  end(): void {
    this.#over = true;
    this.body.complete = true;
    this.body.emit('received', this.body.received);
    this.#flow();
  }

  fail(error: Error): void {
    this.body.destroy(error);
  }

  #flow(): void {
    if (this.body.destroyed) return;
    while (this.#wanted && this.#queue.length > 0) {
      this.#wanted = false;
      if (this.body.push(this.#queue.takeSome(this.#queue.length))) this.#wanted = true;
    }
    if (this.#over && !this.#ended && this.#queue.length === 0) {
      this.#ended = true;
      this.body.push(null);
    }
    if (this.#queue.length < BODY_BUFFER_BYTES) this.#roomMade();
  }

  #roomMade(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
