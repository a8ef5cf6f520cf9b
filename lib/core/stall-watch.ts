import { clock, type Timer } from './clock.js';

/** A look comes this many times within the deadline. */
const LOOKS = 4;

export interface StallWatchOptions {
  /** Milliseconds without a sign of life; 0 for no limit. */
  readonly limitMs: number;
  /** False while nothing is due, which ends the watch until the next `begin`. */
  readonly due: () => boolean;
  /** A number that differs whenever there was a sign of life. */
  readonly signs: () => number;
  /** Called once, when nothing has changed for `limitMs`. */
  readonly stalled: () => void;
}

/**
 * Notices that something which is due makes no progress. It looks four times within the deadline, so that signs of life cost
 * nothing when they come. Its timer keeps no process alive.
 */
export class StallWatch {
  readonly #options: StallWatchOptions;
  #timer: Timer | undefined;
  #signs = 0;
  #since = 0;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** Something is due from now on. */
  begin(): void {
    const { limitMs, signs } = this.#options;
    if (limitMs === 0) return;
    this.#signs = signs();
    this.#since = clock.monotonic();
    this.#timer ??= this.#look();
  }

  end(): void {
    clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #look(): Timer {
    return clock.setTimeout(() => this.#check(), Math.ceil(this.#options.limitMs / LOOKS)).unref();
  }

  #check(): void {
    this.#timer = undefined;
    const { limitMs, due, signs, stalled } = this.#options;
    if (!due()) return;
    const now = clock.monotonic();
    const seen = signs();
    if (seen !== this.#signs) {
      this.#signs = seen;
      this.#since = now;
    }
    if (now - this.#since >= limitMs) stalled();
    else this.#timer = this.#look();
  }
}
