import { Mutex, type Release } from '../../core/semaphore.js';

/** One mutex for each key; waiters enter in the order of their calls. */
export class Turns {
  /** Only for keys that are held or waited for. */
  readonly #mutexes = new Map<string, Mutex>();

  /**
   * Resolves when all earlier callers for `key` have left. The caller must call the returned function to leave. Rejects with
   * the reason of `signal` when the signal fires first.
   */
  async enter(key: string, signal?: AbortSignal): Promise<Release> {
    const mutex = this.#mutexes.get(key) ?? new Mutex();
    this.#mutexes.set(key, mutex);
    try {
      const release = await mutex.acquire(signal);
      return () => {
        release();
        this.#forget(key, mutex);
      };
    } catch (error) {
      this.#forget(key, mutex);
      throw error;
    }
  }

  /** Runs `work` when it is the key's turn. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const leave = await this.enter(key);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  #forget(key: string, mutex: Mutex): void {
    if (mutex.idle && this.#mutexes.get(key) === mutex) this.#mutexes.delete(key);
  }
}
