/** Limits how many callers work at once. The others wait in a queue. */
import { LimitError } from './errors.js';

/** Gives a permit back. It must be called once for every permit; a second call does nothing. */
export type Release = () => void;

export interface SemaphoreOptions {
  /** How many may wait for a permit, 0 or more. Default: any number. */
  readonly maxWaiting?: number;
  /** `layer` of the LimitError for a full queue. Default: none. */
  readonly layer?: string;
  /** What waits, in the plural, for the message of the LimitError. Default `callers`. */
  readonly waiters?: string;
}

/** A place in the queue, which is a ring: the head's `next` is the first place and its `previous` is the last one. */
class Waiter {
  next: Waiter = this;
  previous: Waiter = this;
  readonly granted: (release: Release) => void;

  constructor(granted: (release: Release) => void) {
    this.granted = granted;
  }
}

/**
 * Hands out a fixed number of permits. A caller that finds all permits taken waits, and the first to ask is served first. A
 * released permit goes straight to the first in the queue, so no later caller can take it.
 *
 * @example
 * const semaphore = new Semaphore(4);
 * const release = await semaphore.acquire(signal);
 * try { … } finally { release(); }
 */
export class Semaphore {
  /** How many may hold a permit at once: 1 or more, or `Infinity`. */
  readonly permits: number;
  readonly #options: Required<Pick<SemaphoreOptions, 'maxWaiting' | 'waiters'>> & SemaphoreOptions;
  readonly #head = new Waiter(() => {});
  #held = 0;
  #waiting = 0;

  constructor(permits: number, options: SemaphoreOptions = {}) {
    this.permits = permits;
    this.#options = { maxWaiting: Number.POSITIVE_INFINITY, waiters: 'callers', ...options };
  }

  /** Permits that are taken. */
  get held(): number {
    return this.#held;
  }

  /** Callers in the queue. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes a permit if one is free, and returns the function that releases it. Undefined when all are taken. */
  tryAcquire(): Release | undefined {
    if (this.#held >= this.permits) return undefined;
    this.#held++;
    return this.#release();
  }

  /**
   * Calls `granted` with the function that releases the permit: at once when a permit is free, else from within the call that
   * releases one. `granted` must not throw.
   *
   * @returns a function that leaves the queue; it does nothing when the permit was granted before
   * @throws LimitError when the queue is full; `granted` is never called then
   */
  request(granted: (release: Release) => void): () => void {
    const release = this.tryAcquire();
    if (release === undefined) return this.#queue(granted);
    granted(release);
    return () => {};
  }

  /**
   * Settles when the caller has a permit. Its value is the function that releases the permit.
   *
   * Rejects with the reason of `signal` when that fires before the permit is granted, and with LimitError when the queue is
   * full. A signal that fires after the permit was granted has no effect: check the signal again after `await`.
   */
  acquire(signal?: AbortSignal): Promise<Release> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const release = this.tryAcquire();
    if (release !== undefined) return Promise.resolve(release);
    return new Promise((resolve, reject) => {
      const leave = this.#queue((granted) => {
        signal?.removeEventListener('abort', giveUp);
        resolve(granted);
      });
      const giveUp = () => {
        leave();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Calls `work` with a permit, never before the caller's current microtask ends. Releases the permit when `work` settles. */
  async run<T>(work: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.acquire(signal);
    try {
      return await work();
    } finally {
      release();
    }
  }

  #queue(granted: (release: Release) => void): () => void {
    const { maxWaiting, layer, waiters } = this.#options;
    if (this.#waiting >= maxWaiting) {
      throw new LimitError(`${this.#waiting} ${waiters} are waiting already`, { layer, got: this.#waiting, limit: maxWaiting });
    }
    const waiter = new Waiter(granted);
    waiter.previous = this.#head.previous;
    waiter.next = this.#head;
    waiter.previous.next = waiter;
    this.#head.previous = waiter;
    this.#waiting++;
    return () => this.#unqueue(waiter);
  }

  /** Takes a waiter out of the queue. A waiter outside of the queue points at itself. */
  #unqueue(waiter: Waiter): void {
    if (waiter.next === waiter) return;
    waiter.previous.next = waiter.next;
    waiter.next.previous = waiter.previous;
    waiter.next = waiter;
    waiter.previous = waiter;
    this.#waiting--;
  }

  #release(): Release {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#passOn();
    };
  }

  /** Gives the permit to the first in the queue. Without a queue the permit becomes free. */
  #passOn(): void {
    const first = this.#head.next;
    if (first === this.#head) {
      this.#held--;
      return;
    }
    this.#unqueue(first);
    first.granted(this.#release());
  }
}

/** A semaphore with one permit: its holders follow each other in the order in which they asked. */
export class Mutex extends Semaphore {
  constructor(options: SemaphoreOptions = {}) {
    super(1, options);
  }

  /** Nobody holds the permit. Then nobody waits for it either. */
  get idle(): boolean {
    return this.held === 0;
  }
}
