import { FRAME_HEADERS, type FrameHeader, type FrameKind } from '../../layers/frame/index.js';

/**
 * Knows where in a stream of frames one is, and keeps none of its bytes but those of a header.
 *
 *     │ header │ payload … │ header │ payload …
 *     └ midFrame … to here └ and again
 *
 * It judges nothing: a length over the limit is for the frame layer to refuse.
 */
export class FramePosition {
  readonly #header: FrameHeader;
  readonly #head: Buffer;
  #headBytes = 0;
  /** Bytes of the payload that are still to come. */
  #owed = 0;

  constructor(kind: FrameKind) {
    this.#header = FRAME_HEADERS[kind];
    this.#head = Buffer.alloc(this.#header.bytes);
  }

  /** True between the first byte of a frame and its last. */
  get midFrame(): boolean {
    return this.#headBytes > 0;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) at += this.#takeFrom(chunk, at);
  }

  /** Gives how many bytes were taken. */
  #takeFrom(chunk: Buffer, at: number): number {
    const missing = this.#header.bytes - this.#headBytes;
    const taken = Math.min(missing > 0 ? missing : this.#owed, chunk.length - at);
    if (missing > 0) {
      chunk.copy(this.#head, this.#headBytes, at, at + taken);
      this.#headBytes += taken;
      if (taken < missing) return taken;
      this.#owed = Number(this.#header.read(this.#head));
    } else {
      this.#owed -= taken;
    }
    if (this.#owed === 0) this.#headBytes = 0;
    return taken;
  }
}
