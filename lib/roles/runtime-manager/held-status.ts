import { clock, type Timer } from '../../core/clock.js';

/**
 * Milliseconds that the Status of a SendTlsData may be held back once requests of other sessions wait behind it, since answers
 * go out in the order of the requests.
 */
const HURRIED_MS = 200;
/** The same while nobody else waits. A Server gives a link up that is silent for `maxSilenceMs`, 120 s by default. */
const ALONE_MS = 5000;

export interface HeldStatusEvents {
  /** Whether there is still a reason to wait. */
  mustWait(): boolean;
  /** A number that grows when what waits goes on. */
  progress(): number;
  /** Others have waited for as long as they may. `inVain` is true when there was no progress meanwhile. */
  onLimit(inVain: boolean): void;
}

/**
 * The answers to SendTlsData of one session that are held back while the store is behind, so that the sender waits.
 *
 * All of them go out when there is no more reason to wait, when the session has ended, 200 ms after `hurry`, or after five
 * seconds. So a request of another session never waits longer than 200 ms for them.
 */
export class HeldStatus {
  readonly #events: HeldStatusEvents;
  #waiting: (() => void)[] = [];
  #limit: Timer | undefined;
  #hurried = false;

  constructor(events: HeldStatusEvents) {
    this.#events = events;
  }

  /** Resolves when the answer may go out. */
  hold(): Promise<void> {
    if (this.#waiting.length === 0) this.#limit = clock.setTimeout(() => this.release(), ALONE_MS);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Requests of other sessions wait behind these answers. */
  hurry(): void {
    if (this.#waiting.length === 0 || this.#hurried) return;
    this.#hurried = true;
    const before = this.#events.progress();
    clock.clear(this.#limit);
    this.#limit = clock.setTimeout(() => {
      this.#events.onLimit(this.#events.progress() === before);
      this.release();
    }, HURRIED_MS);
  }

  /** What the reason depends on may have changed. */
  check(): void {
    if (this.#waiting.length > 0 && !this.#events.mustWait()) this.release();
  }

  /** Lets all answers go out. */
  release(): void {
    clock.clear(this.#limit);
    this.#hurried = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
