/** Random numbers that a seed decides: the same on every machine and in every Node. Not for secrets. */
import { createHash, randomInt } from 'node:crypto';

/** A seed for a run that was given none. It is printed, so that the run can be repeated. */
export function freshSeed(): number {
  return randomInt(2 ** 32);
}

/** The generator sfc32 of PractRand, 32 bits a call. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  /** @param label another label is another sequence of the same seed */
  constructor(seed: number, label = '') {
    const state = createHash('sha256').update(`${seed} ${label}`).digest();
    [this.#a, this.#b, this.#c, this.#counter] = [0, 4, 8, 12].map((at) => state.readInt32LE(at)) as [number, number, number, number];
  }

  /** 0 to 2^32 - 1. */
  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A whole number from 0 to `below` - 1; 0 when `below` is less than 2. */
  below(below: number): number {
    return below < 2 ? 0 : this.u32() % below;
  }

  /** True in one of `n` calls. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of `items`, of which there must be at least one. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.u32() & 0xff;
    return bytes;
  }

  /** Small numbers often, large ones seldom: 0 to `max`. */
  length(max: number): number {
    return this.below(1 + this.below(1 + this.below(max + 1)));
  }
}
