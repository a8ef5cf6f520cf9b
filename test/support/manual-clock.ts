/** A clock that a test moves by hand. */
import type { Test } from 'tap';
import { type Clock, systemClock, type Timer, useClock } from '../../lib/core/clock.js';

interface Waiting extends Timer {
  readonly at: number;
  readonly ring: () => void;
}

/** Stands at a moment until the test moves it on. What is due on the way is called in its order. */
export class ManualClock {
  #now: number;
  readonly #waiting = new Set<Waiting>();

  /** Puts itself in the place of the process's clock until the test ends. */
  constructor(t: Pick<Test, 'teardown'>, now: number) {
    this.#now = now;
    t.teardown(useClock(this.#clock()));
  }

  get now(): number {
    return this.#now;
  }

  /** Timers that have not rung. */
  get timers(): number {
    return this.#waiting.size;
  }

  /** Moves on, step by step; between two steps all that is due and all promises have their turn. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise((turn) => setImmediate(turn));
      const next = [...this.#waiting].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      this.#waiting.delete(next);
      next.ring();
    }
    this.#now = end;
  }

  /** Sets the clock, as an operator does; timers count on as before. */
  jump(ms: number): void {
    this.#now += ms;
    for (const waiting of [...this.#waiting]) {
      this.#waiting.delete(waiting);
      this.#waiting.add(Object.assign(waiting, { at: waiting.at + ms }));
    }
  }

  #clock(): Clock {
    const setTimeout = (ring: () => void, ms: number): Timer => {
      const waiting: Waiting = { at: this.#now + ms, ring, unref: () => waiting, refresh: () => waiting };
      this.#waiting.add(waiting);
      return waiting;
    };
    return {
      ...systemClock,
      now: () => this.#now,
      monotonic: () => this.#now,
      setTimeout: (callback, ms, ...args) => setTimeout(() => callback(...args), ms),
      setInterval: (callback, ms) => {
        // The same timer again and again, so that it can be cleared.
        const waiting: Waiting & { at: number } = {
          at: this.#now + ms,
          ring: () => {
            waiting.at += ms;
            this.#waiting.add(waiting);
            callback();
          },
          unref: () => waiting,
          refresh: () => waiting,
        };
        this.#waiting.add(waiting);
        return waiting;
      },
      clear: (timer) => void this.#waiting.delete(timer as Waiting),
      sleep: (ms, { signal } = {}) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(resolve, ms);
          signal?.addEventListener('abort', () => {
            this.#waiting.delete(timer as Waiting);
            reject(signal.reason as Error);
          });
        }),
    };
  }
}
