/** Time: every timer, deadline and date of the library comes from here, so that a simulation can put a clock of its own. */
import { setTimeout as sleep } from 'node:timers/promises';

/** What `setTimeout` and `setInterval` give. */
export interface Timer {
  /** The timer alone does not keep the process alive. */
  unref(): this;
  /** A timeout waits its whole time again. */
  refresh(): this;
}

/** A source of time. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. It may jump. */
  now(): number;
  /** Milliseconds since some moment; it only grows. For durations and deadlines. */
  monotonic(): number;
  /** Calls `callback` once after `ms` milliseconds. */
  setTimeout<A extends unknown[]>(callback: (...args: A) => void, ms: number, ...args: A): Timer;
  /** Calls `callback` each `ms` milliseconds. */
  setInterval(callback: () => void, ms: number): Timer;
  /** Ends a timer of `setTimeout` or `setInterval`. Does nothing for `undefined` and for a timer that has ended. */
  clear(timer: Timer | undefined): void;
  /**
   * Waits `ms` milliseconds. If `signal` fires first, rejects with Node's AbortError, whose `cause` is the reason. With
   * `ref: false` the wait alone does not keep the process alive.
   */
  sleep(ms: number, options?: { readonly signal?: AbortSignal; readonly ref?: boolean }): Promise<void>;
  /** A signal that fires after `ms` milliseconds with a DOMException named `TimeoutError`. It keeps no process alive. */
  timeout(ms: number): AbortSignal;
}

/** The time of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, ms, ...args) => setTimeout(callback, ms, ...args),
  setInterval: (callback, ms) => setInterval(callback, ms),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
  sleep: (ms, options) => sleep(ms, undefined, options),
  timeout: (ms) => AbortSignal.timeout(ms),
};

/** The clock of the process: `systemClock`, unless `useClock` put another. */
export const clock: Clock = { ...systemClock };

/**
 * Puts another clock for the whole process. For simulations and tests: timers that run go on by the clock that made them.
 *
 * @returns puts back the clock that was there before
 */
export function useClock(other: Clock): () => void {
  const before = { ...clock };
  Object.assign(clock, other);
  return () => void Object.assign(clock, before);
}
