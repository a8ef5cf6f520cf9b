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

  get isThere(): boolean {
    return this.#memory !== undefined;
  }

  /** A view of the bytes; undefined when they are not all in the memory. */
  bytes(pointer: number, length: number): Buffer | undefined {
    const buffer = this.#memory?.buffer;
    const [start, count] = [pointer >>> 0, length >>> 0];
    if (buffer === undefined || start + count > buffer.byteLength) return undefined;
    return Buffer.from(buffer, start, count);
  }

  /** The text there; undefined also when it is no UTF-8. */
  text(pointer: number, length: number): string | undefined {
    const bytes = this.bytes(pointer, length);
    return bytes !== undefined && isUtf8(bytes) ? bytes.toString() : undefined;
  }

  /** The pieces that a vector of `count` describes; undefined when one of them is not all in the memory. */
  vector(iovs: number, count: number): Buffer[] | undefined {
    const vector = count >>> 0 < 2 ** 29 ? this.bytes(iovs, 8 * (count >>> 0)) : undefined;
    if (vector === undefined) return undefined;
    const pieces: Buffer[] = [];
    for (let at = 0; at < vector.length; at += 8) {
      const piece = this.bytes(vector.readUInt32LE(at), vector.readUInt32LE(at + 4));
      if (piece === undefined) return undefined;
      pieces.push(piece);
    }
    return pieces;
  }

  /** Writes numbers of 32 bits, each to its pointer; false, and nothing is written, when one lies outside. */
  answer(...pairs: readonly (readonly [pointer: number, value: number])[]): boolean {
    const places = pairs.map(([pointer, value]) => [this.bytes(pointer, 4), value] as const);
    if (places.some(([place]) => place === undefined)) return false;
    for (const [place, value] of places) place?.writeUInt32LE(value);
    return true;
  }
}
