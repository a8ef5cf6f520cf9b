/** Bytes of the header: the payload's length, u32 LE (wire spec §D, "IceCap: 4 bytes"). */
const HEADER_BYTES = 4;

/**
 * Knows where in a stream of frames one is, without keeping a byte of it.
 *
 *     │ length u32 LE │ payload … │ length u32 LE │ payload …
 *     └ midFrame from the first byte …          └ … to the last
 *
 * It judges nothing: a length over the limit is for the frame layer to refuse.
 */
export class FrameWatch {
  #headerBytes = 0;
  #length = 0;
  #owed = 0;
  /** Frames that came whole. */
  frames = 0;
  /** Those of them without a payload. */
  emptyFrames = 0;

  /** True between the first byte of a frame and its last. */
  get midFrame(): boolean {
    return this.#headerBytes > 0;
  }

  /** Bytes that the frame at hand has, header included; 4 while its length is not known. */
  get expected(): number {
    return this.#headerBytes < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + this.#length;
  }

  /** Bytes of it that came. */
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
