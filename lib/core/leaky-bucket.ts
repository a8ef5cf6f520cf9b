import { clock } from './clock.js';

/** Counts what happens, and forgets so much of it a second: it fills by `add` and empties with time, never below 0. */
export class LeakyBucket {
  readonly #perSecond: number;
  readonly #now: () => number;
  #level = 0;
  #counted: number;

  /**
   * @param perSecond by how much it empties a second
   * @param now milliseconds. Default `clock.monotonic`
   */
  constructor(perSecond: number, now: () => number = () => clock.monotonic()) {
    this.#perSecond = perSecond;
    this.#now = now;
    this.#counted = now();
  }

  /** What is in it now. */
  get level(): number {
    const now = this.#now();
    this.#level = Math.max(0, this.#level - ((now - this.#counted) * this.#perSecond) / 1000);
    this.#counted = now;
    return this.#level;
  }

  /** Adds `count`, or takes it out where it is negative; no more than up to `most`. */
  add(count: number, most = Number.POSITIVE_INFINITY): void {
    this.#level = Math.min(most, Math.max(0, this.level + count));
  }
}
