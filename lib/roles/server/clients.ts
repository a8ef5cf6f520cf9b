import { LinkError } from '../../core/errors.js';

/**
 * Counts the sessions of each address that clients come from, opening ones included. Not a semaphore: over the limit a client
 * is refused, nobody waits.
 */
export class Clients {
  readonly #max: number;
  readonly #sessions = new Map<string, number>();

  /** @param max sessions of one address; 0 for as many as come */
  constructor(max: number) {
    this.#max = max;
  }

  /** Counts one more session of `address`; gives what is to be called when it is over. @throws LinkError over the limit */
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
