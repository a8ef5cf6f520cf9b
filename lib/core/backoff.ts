/** How long to wait before the next try. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffOptions {
  /** Milliseconds of the first wait, 0 or more. */
  readonly firstMs: number;
  /** Milliseconds of the longest wait, `firstMs` or more. */
  readonly lastMs: number;
  /** What each further wait is longer by, 1 or more: 1 keeps `firstMs`, 2 doubles it. Default 2. */
  readonly factor?: number;
  /**
   * The part of a wait, from 0 to 1, that is left to chance: each wait is shortened by up to that part. It parts callers
   * that failed at the same moment. Default 0.
   */
  readonly jitter?: number;
}

/**
 * A row of waits, each longer than the one before it, up to a longest one:
 *
 *     firstMs, firstMs · factor, firstMs · factor², … lastMs, lastMs …
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #lastMs: number;
  readonly #factor: number;
  readonly #jitter: number;
  #ms: number;

  constructor({ firstMs, lastMs, factor = 2, jitter = 0 }: BackoffOptions) {
    this.#firstMs = firstMs;
    this.#lastMs = lastMs;
    this.#factor = factor;
    this.#jitter = jitter;
    this.#ms = firstMs;
  }

  /** Milliseconds of the wait that is due, without its jitter. */
  get ms(): number {
    return this.#ms;
  }

  /** The wait that is due becomes longer. For a caller who waits by a timer of his own; `next` and `wait` do it by themselves. */
  lengthen(): void {
    this.#ms = Math.min(this.#ms * this.#factor, this.#lastMs);
  }

  /** Milliseconds to wait now, jitter included. The wait after this one is longer. */
  next(): number {
    const ms = this.#ms * (1 - this.#jitter * Math.random());
    this.lengthen();
    return ms;
  }

  /** Waits as long as `next` says. Rejects with an AbortError of Node, whose `cause` is the reason, when `signal` fires first. */
  async wait(signal?: AbortSignal): Promise<void> {
    await sleep(this.next(), undefined, signal === undefined ? {} : { signal });
  }

  /** The next wait is the first one again. */
  reset(): void {
    this.#ms = this.#firstMs;
  }
}
