import { Mutex, type Release } from '../../core/semaphore.js';

/** Who may go next, key by key: first come, first served. */
export class Turns {
  /** Of the keys that somebody holds. */
  readonly #mutexes = new Map<string, Mutex>();

  /**
   * Resolves when all who came before have left. Its value is the way to leave, which must be taken. Rejects with the reason
   * of `signal` when that fires before.
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
