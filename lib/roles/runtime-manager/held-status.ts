import { clock, type Timer } from '../../core/clock.js';

/**
 * Milliseconds that the Status of a SendTlsData may be held back. Other sessions of the link wait with it, since answers go
 * out in the order of the requests.
 */
const HELD_MS = 200;

export interface HeldStatusEvents {
  /** Whether there is still a reason to wait. */
  mustWait(): boolean;
  /** A number that grows when what waits goes on. */
  progress(): number;
  /** The time is over. `inVain` is true when there was no progress at all. */
  onLimit(inVain: boolean): void;
}

/**
 * The answers to SendTlsData of one session that are held back while the store is behind, so that the sender waits.
 *
 * All of them go out when there is no more reason to wait, when the session has ended, or 200 ms after the first of them was
 * held. So a request of another session never waits longer than that, whatever is before it.
 */
export class HeldStatus {
  readonly #events: HeldStatusEvents;
  #waiting: (() => void)[] = [];
  #limit: Timer | undefined;

  constructor(events: HeldStatusEvents) {
    this.#events = events;
  }

  /** Resolves when the answer may go out. */
  hold(): Promise<void> {
    if (this.#waiting.length === 0) {
      const before = this.#events.progress();
      this.#limit = clock.setTimeout(() => {
        this.#events.onLimit(this.#events.progress() === before);
        this.release();
      }, HELD_MS);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** What the reason depends on may have changed. */
  check(): void {
    if (this.#waiting.length > 0 && !this.#events.mustWait()) this.release();
  }

  /** Lets all answers go out. */
  release(): void {
    clock.clear(this.#limit);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
