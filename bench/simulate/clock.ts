import type { Clock, Timer } from '../../lib/core/clock.js';

/** A timer that runs in virtual time. Node's own code takes it for one of Node's, so it has what those have. */
class VirtualTimer implements Timer {
  readonly #clock: VirtualClock;
  readonly #callback: () => void;
  readonly #ms: number;
  readonly #repeats: boolean;
  /** The entry in the clock's heap that counts; older ones are left there and skipped. */
  entry = 0;

  constructor(clock: VirtualClock, callback: () => void, ms: number, repeats: boolean) {
    this.#clock = clock;
    this.#callback = callback;
    this.#ms = ms;
    this.#repeats = repeats;
    this.refresh();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  refresh(): this {
    this.#clock.schedule(this, this.#ms);
    return this;
  }

  close(): this {
    this.#clock.clear(this);
    return this;
  }

  fire(): void {
    if (this.#repeats) this.refresh();
    this.#callback();
  }
}

interface Entry {
  readonly at: number;
  readonly serial: number;
  readonly timer: VirtualTimer;
}

/**
 * Time that stands still until somebody turns it on to the next timer. Nothing waits: an hour passes as fast as the code
 * that runs in it. `now()` may be made to jump, `monotonic()` never does.
 */
export class VirtualClock implements Clock {
  /** Milliseconds since the clock was made. */
  #passed = 0;
  /** What `now()` has more than `#passed`. */
  #epoch: number;
  #serial = 0;
  /** A binary heap, the entry that is due first at its root. */
  #heap: Entry[] = [];
  #live = 0;
  /** Grows with whatever touches the clock; who waits for silence looks at it. */
  touched = 0;

  /** @param epoch what `now()` says at the beginning */
  constructor(epoch: number) {
    this.#epoch = epoch;
  }

  now(): number {
    return Math.floor(this.#epoch + this.#passed);
  }

  monotonic(): number {
    return this.#passed;
  }

  /** The parts of a `Clock`, for `useClock`. */
  get parts(): Clock {
    return {
      now: () => this.now(),
      monotonic: () => this.monotonic(),
      setTimeout: (callback, ms, ...args) => this.setTimeout(callback, ms, ...args),
      setInterval: (callback, ms) => this.setInterval(callback, ms),
      clear: (timer) => this.clear(timer),
      sleep: (ms, options) => this.sleep(ms, options),
      timeout: (ms) => this.timeout(ms),
    };
  }

  /** Timers that are still to fire. */
  get timers(): number {
    return this.#live;
  }

  /** The wall clock is set to another time; timers and `monotonic()` do not notice. */
  jump(ms: number): void {
    this.#epoch += ms;
  }

  setTimeout<A extends unknown[]>(callback: (...args: A) => void, ms: number, ...args: A): VirtualTimer {
    return this.after(atLeast1(ms), () => callback(...args));
  }

  /** As `setTimeout`, but exact: parts of a millisecond count. */
  after(ms: number, callback: () => void): VirtualTimer {
    return new VirtualTimer(this, callback, ms, false);
  }

  setInterval(callback: () => void, ms: number): VirtualTimer {
    return new VirtualTimer(this, callback, atLeast1(ms), true);
  }

  clear(timer: Timer | undefined): void {
    if (!(timer instanceof VirtualTimer) || timer.entry === 0) return;
    timer.entry = 0;
    this.#live--;
  }

  sleep(ms: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = () => {
        this.clear(timer);
        reject(Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), { name: 'AbortError', code: 'ABORT_ERR' }));
      };
      const timer = this.setTimeout(() => {
        signal?.removeEventListener('abort', aborted);
        resolve();
      }, ms);
      if (signal?.aborted === true) aborted();
      else signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    this.setTimeout(() => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), ms);
    return controller.signal;
  }

  schedule(timer: VirtualTimer, ms: number): void {
    this.touched++;
    if (timer.entry === 0) this.#live++;
    timer.entry = ++this.#serial;
    this.#push({ at: this.#passed + ms, serial: timer.entry, timer });
  }

  /** Goes on to the timer that is due first, and lets it fire. False when there is none. */
  advance(): boolean {
    for (let entry = this.#pop(); entry !== undefined; entry = this.#pop()) {
      const { at, serial, timer } = entry;
      if (timer.entry !== serial) continue;
      timer.entry = 0;
      this.#live--;
      this.#passed = Math.max(this.#passed, at);
      timer.fire();
      return true;
    }
    return false;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(entry, heap[above] as Entry)) break;
      heap[at] = heap[above] as Entry;
      at = above;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && before(heap[below + 1] as Entry, heap[below] as Entry)) below++;
      if (before(last, heap[below] as Entry)) break;
      heap[at] = heap[below] as Entry;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.serial < b.serial);
}

/** As Node does it: a timer never fires in less than a millisecond. */
function atLeast1(ms: number): number {
  return Math.max(ms || 1, 1);
}
