import { Readable } from 'node:stream';
import { ByteQueue } from '../../core/byte-queue.js';

/** Bytes of a body that may wait for its reader. When there are more, the layer below must wait. */
export const BODY_BUFFER_BYTES = 262_144;

function nothing(): void {}

/**
 * The bulk field of a received message: a Readable of exactly `length` bytes, which may still be arriving.
 *
 * It ends only when the whole message around it was read and is valid. It fails with the error that ended the stack, or with
 * `ERR_VC_TRUNCATED` when the stack was closed without an error. If it is destroyed, its rest is skipped and the next message
 * is read as usual. An error without a listener is not thrown, because the stack reports the same error.
 *
 * While nobody reads it, at most 256 KiB and one chunk of it are kept in memory, and the peer must wait. So **a message's
 * body must be read or destroyed** before the next message can come.
 */
export class IncomingBody extends Readable {
  /** Bytes of the whole body, arrived or not. */
  readonly length: number;
  /** Bytes of the body that have arrived. The event `received` gives this number each time it grows. */
  received = 0;
  /** The body and the whole message around it have arrived. A part of the body may still wait to be read. */
  complete = false;
  /** Bytes that were pushed. */
  #given = 0;
  readonly #pull: () => void;
  readonly #gone: () => void;
  /** The bytes of a body that arrived in one piece. Undefined once they were read. */
  #bytes: Buffer | undefined;

  /** Only the layer makes bodies. `pull` is called when there is room, `gone` when the body is destroyed or has ended. */
  constructor(length: number, pull: () => void, gone: () => void) {
    // Buffers one chunk at most: the bytes that wait are in BodyFeed, which joins tiny chunks.
    super({ highWaterMark: 1 });
    this.length = length;
    this.#pull = pull;
    this.#gone = gone;
    this.on('error', nothing);
  }

  /** The body of a message that has arrived completely. All of it is given, and it ends, at the first read. */
  static whole(bytes: Buffer): IncomingBody {
    // Called once: the first read ends the body, and `takeWhole` destroys it.
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
   * Takes all bytes at once and destroys the body. Possible only if the body arrived in one piece with its message and nothing
   * of it was read. Otherwise it returns undefined, and the body must be read as a stream.
   */
  takeWhole(): Buffer | undefined {
    const bytes = this.#bytes;
    if (bytes === undefined || this.destroyed) return undefined;
    this.#bytes = undefined;
    this.destroy();
    return bytes;
  }

  /** Bytes that the reader has taken. */
  get taken(): number {
    return this.#given - this.readableLength;
  }

  /** Called by the layer, when bytes of the body have come. */
  override push(chunk: Buffer | null): boolean {
    this.#given += chunk?.length ?? 0;
    return super.push(chunk);
  }

  override _read(): void {
    this.#pull();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#gone();
    done(error);
  }
}

/** The decoder's end of a body. */
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

  /** The reader has destroyed the body. */
  get abandoned(): boolean {
    return this.body.destroyed;
  }

  /** Hands over a chunk, without a copy if it has 1 KiB or more. False means: wait for `room`. */
  write(chunk: Buffer): boolean {
    this.#queue.push(chunk);
    this.body.received += chunk.length;
    this.body.emit('received', this.body.received);
    this.#flow();
    return this.#queue.length < BODY_BUFFER_BYTES;
  }

  /** Settles when there is room again, or when the body is destroyed. */
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
