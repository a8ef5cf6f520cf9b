/** A call at a date. */
import { clock, type Timer } from './clock.js';

/**
 * Milliseconds between two looks at the clock, at most. A timer counts the time that passes, while a date is compared with
 * a clock that may be set, and that goes on while a machine sleeps.
 */
const LOOK_MS = 30_000;

/** Calls something once when the clock shows a moment. It alone keeps no process alive. */
export class Alarm {
  #timer: Timer | undefined;

  /**
   * @param at the moment, milliseconds since 1970. One that has passed is called for after 1 ms.
   * @param ring what is called
   */
  constructor(at: number, ring: () => void) {
    const look = () => {
      const left = at - clock.now();
      if (left <= 0) ring();
      else wait(left);
    };
    const wait = (left: number) => {
      this.#timer = clock.setTimeout(look, Math.max(1, Math.min(left, LOOK_MS))).unref();
    };
    wait(at - clock.now());
  }

  /** It will not be called any more. */
  stop(): void {
    clock.clear(this.#timer);
  }
}
