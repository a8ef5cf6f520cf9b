import { isUtf8 } from 'node:buffer';

/** A memory as WebAssembly gives it: `buffer` is another one after it has grown. */
export interface Memory {
  readonly buffer: ArrayBuffer;
}

/** The program's memory, read and written at the pointers that it hands over. What lies outside is undefined. */
export class GuestMemory {
  #memory: Memory | undefined;

  /** Called when the program is there. What is asked before finds nothing. */
  attach(memory: Memory): void {
    this.#memory = memory;
  }

  /** A view of the bytes; undefined when they are not all in the memory. */
  bytes(pointer: number, length: number): Buffer | undefined {
    const buffer = this.#memory?.buffer;
    const [start, count] = [pointer >>> 0, length >>> 0];
    if (buffer === undefined || start + count > buffer.byteLength) return undefined;
    return Buffer.from(buffer, start, count);
  }

  u32(pointer: number): number | undefined {
    return this.bytes(pointer, 4)?.readUInt32LE();
  }

  /** The text there; undefined also when it is no UTF-8. */
  text(pointer: number, length: number): string | undefined {
    const bytes = this.bytes(pointer, length);
    return bytes !== undefined && isUtf8(bytes) ? bytes.toString() : undefined;
  }

  /** The bytes that a vector of `count` pieces describes, in sum. */
  vectorBytes(iovs: number, count: number): number | undefined {
    const vector = count >>> 0 < 2 ** 29 ? this.bytes(iovs, 8 * (count >>> 0)) : undefined;
    if (vector === undefined) return undefined;
    let sum = 0;
    for (let at = 4; at < vector.length; at += 8) sum += vector.readUInt32LE(at);
    return sum;
  }

  /**
   * Asks a call that answers through the program's memory, and leaves that as it was: the first bytes of it are lent for
   * the while. Undefined when it refuses.
   */
  ask<T>(length: number, call: (pointer: number) => number, answer: (bytes: Buffer) => T): T | undefined {
    const lent = this.bytes(0, length);
    if (lent === undefined) return undefined;
    const before = Buffer.from(lent);
    try {
      return call(0) === 0 ? answer(lent) : undefined;
    } finally {
      before.copy(lent);
    }
  }
}
