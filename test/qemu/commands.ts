/** What host and guest of the console test have in common. Runs in the guest as well: node and the library only. */
import { ByteQueue } from '../../lib/core/byte-queue.js';

/** `payload` behind its length, u32 LE. */
export function framed(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(4 + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  payload.copy(frame, 4);
  return frame;
}

/** `length` bytes that repeat with no power of two. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) % 251;
  return bytes;
}

/** Whole payloads out of a stream of frames. */
export class FrameReader {
  readonly #queue = new ByteQueue();

  push(chunk: Buffer): Buffer[] {
    this.#queue.push(chunk);
    const frames: Buffer[] = [];
    while (this.#queue.length >= 4) {
      const length = this.#queue.peek(4).readUInt32LE(0);
      if (this.#queue.length < 4 + length) break;
      this.#queue.skip(4);
      frames.push(this.#queue.take(length));
    }
    return frames;
  }
}
