/** How long to wait before the next try. */
import { clock } from './clock.js';

export interface BackoffOptions {
  /** Milliseconds of the first wait, 0 or more. */
  readonly firstMs: number;
  /** Milliseconds of the longest wait, `firstMs` or more. */
  readonly lastMs: number;
  /** Each further wait is this many times longer, 1 or more: 1 keeps `firstMs`, 2 doubles it. Default 2. */
  readonly factor?: number;
  /**
   * Each wait is shortened by a random part of itself, at most this part (0 to 1). Callers that failed at the same moment then
   * try again at different moments. Default 0.
   */
  readonly jitter?: number;
}

/**
 * A series of waits, each longer than the one before it, up to a longest one:
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

  /** Milliseconds of the wait that comes next, before jitter shortens it. */
  get ms(): number {
    return this.#ms;
  }

  /** Makes the coming wait longer. For a caller that sets a timer itself; `next` and `wait` lengthen the wait themselves. */
  lengthen(): void {
    this.#ms = Math.min(this.#ms * this.#factor, this.#lastMs);
  }

  /** Milliseconds to wait now, jitter included. The wait after this one will be longer. */
  next(): number {
    const ms = this.#ms * (1 - this.#jitter * Math.random());
    this.lengthen();
    return ms;
  }

  /** Waits as long as `next` says. If `signal` fires first, it rejects with Node's AbortError; its `cause` is the reason. */
  async wait(signal?: AbortSignal): Promise<void> {
    await clock.sleep(this.next(), signal === undefined ? {} : { signal });
  }

  /** Makes the next wait the first one again. */
  reset(): void {
    this.#ms = this.#firstMs;
  }
}
