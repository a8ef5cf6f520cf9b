/** Bytes of the header: the payload's length, u32 LE (wire spec §D, "IceCap: 4 bytes"). */
const HEADER_BYTES = 4;

/**
 * Follows a stream of frames and knows whether it is inside a frame. It keeps no bytes.
 *
 *     │ length u32 LE │ payload … │ length u32 LE │ payload …
 *     └ midFrame from the first byte …          └ … to the last
 *
 * It accepts any length: the frame layer refuses a length over its limit.
 */
export class FrameWatch {
  #headerBytes = 0;
  #length = 0;
  #owed = 0;
  /** Number of whole frames so far. */
  frames = 0;
  /** Number of whole frames without a payload. */
  emptyFrames = 0;

  /** True between the first byte of a frame and its last. */
  get midFrame(): boolean {
    return this.#headerBytes > 0;
  }

  /** Bytes of the current frame, header included; 4 while its length is not known. */
  get expected(): number {
    return this.#headerBytes < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + this.#length;
  }

  /** Bytes of the current frame that have come, header included. */
  get got(): number {
    return this.#headerBytes < HEADER_BYTES ? this.#headerBytes : HEADER_BYTES + this.#length - this.#owed;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#headerBytes < HEADER_BYTES) {
        if (this.#headerBytes === 0) this.#length = 0;
        this.#length += (chunk[at] as number) * 256 ** this.#headerBytes;
        this.#headerBytes++;
        at++;
        if (this.#headerBytes < HEADER_BYTES) continue;
        this.#owed = this.#length;
        if (this.#length === 0) this.emptyFrames++;
      } else {
        const count = Math.min(this.#owed, chunk.length - at);
        this.#owed -= count;
        at += count;
      }
      if (this.#owed === 0) {
        this.frames++;
        this.#headerBytes = 0;
      }
    }
  }
}
