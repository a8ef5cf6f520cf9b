import { LinkError } from '../../core/errors.js';

/**
 * Counts the sessions of each client address, including sessions that are being opened. A client over the limit is refused
 * and does not wait, so this is not a semaphore.
 */
export class Clients {
  readonly #max: number;
  readonly #sessions = new Map<string, number>();

  /** @param max sessions of one address; 0 for no limit */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts a new session of `address`. Call the returned function when the session is over. @throws LinkError over the limit
   */
  enter(address: string): () => void {
    const before = this.#sessions.get(address) ?? 0;
    if (this.#max > 0 && before >= this.#max) {
      throw new LinkError(`all ${this.#max} sessions of one address are taken`, { layer: 'server', limit: this.#max });
    }
    this.#sessions.set(address, before + 1);
    return () => {
      const now = this.#sessions.get(address) ?? 0;
      if (now > 1) this.#sessions.set(address, now - 1);
      else this.#sessions.delete(address);
    };
  }
}
