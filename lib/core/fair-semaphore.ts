/** Limits how many callers work at once, and shares the permits fairly among the parties that the callers belong to. */
import { LimitError } from './errors.js';
import { FairQueue } from './fair-queue.js';
import type { Release, SemaphoreOptions } from './semaphore.js';

export interface FairSemaphoreOptions extends SemaphoreOptions {
  /** Permits that one party may hold at once, 1 or more. Default: all of them. */
  readonly permitsPerParty?: number;
  /** Callers of one party that may wait, 0 or more. Default: any number. */
  readonly maxWaitingPerParty?: number;
}

type Granted = (release: Release) => void;

/** A caller that waits. An object of its own, so that one function may wait twice. */
interface Waiter {
  readonly party: unknown;
  readonly granted: Granted;
}

/**
 * Hands out a fixed number of permits. A caller that finds none free waits. Free permits go to the parties in turn, one
 * each, and within a party to the first who asked. So a party that asks often makes its own callers wait, not others'.
 *
 * A party never holds more than `permitsPerParty`, also when the others are free. With fewer than all permits, a party that
 * never gives its permits back leaves some for the others.
 *
 * A party is any value that can be a key of a Map. It is remembered only while it holds a permit or waits for one.
 *
 * @example
 * const semaphore = new FairSemaphore(4, { permitsPerParty: 3 });
 * const release = await semaphore.acquire('alice', signal);
 * try { … } finally { release(); }
 */
export class FairSemaphore {
  /** How many may hold a permit at once: 1 or more. */
  readonly permits: number;
  readonly #options: Required<Omit<FairSemaphoreOptions, 'layer'>> & Pick<FairSemaphoreOptions, 'layer'>;
  readonly #queue = new FairQueue<Waiter, unknown>();
  /** Permits of each party that has any. */
  readonly #held = new Map<unknown, number>();
  #permitsHeld = 0;

  constructor(permits: number, options: FairSemaphoreOptions = {}) {
    this.permits = permits;
    const { POSITIVE_INFINITY: any } = Number;
    this.#options = { maxWaiting: any, maxWaitingPerParty: any, permitsPerParty: any, waiters: 'callers', ...options };
  }

  /** Permits that are taken. */
  get held(): number {
    return this.#permitsHeld;
  }

  /** Callers that wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Calls `granted` with the function that releases the permit: at once when a permit is free for the party, else from
   * within the call that releases one. `granted` must not throw.
   *
   * @returns a function that gives up waiting; it does nothing when the permit was granted before
   * @throws LimitError when too many wait, in all or of this party; `granted` is never called then
   */
  request(party: unknown, granted: Granted): () => void {
    if (this.#permitsHeld < this.permits && this.#mayHold(party)) {
      granted(this.#grant(party));
      return () => {};
    }
    this.#checkRoom(party);
    const waiter = { party, granted };
    this.#queue.add(party, waiter);
    return () => void this.#queue.delete(party, waiter);
  }

  /**
   * Settles when the caller has a permit. Its value is the function that releases the permit.
   *
   * Rejects with the reason of `signal` when that fires before the permit is granted, and with LimitError when too many
   * wait. A signal that fires after the permit was granted has no effect: check the signal again after `await`.
   */
  acquire(party: unknown, signal?: AbortSignal): Promise<Release> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      let waits = true;
      let leave: () => void = () => {};
      const giveUp = () => {
        leave();
        reject(signal?.reason as Error);
      };
      leave = this.request(party, (release) => {
        waits = false;
        signal?.removeEventListener('abort', giveUp);
        resolve(release);
      });
      if (waits) signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  #checkRoom(party: unknown): void {
    const { maxWaiting, maxWaitingPerParty, layer, waiters } = this.#options;
    const refuse = (got: number, limit: number, whose: string) => {
      throw new LimitError(`${got} ${waiters} are waiting already${whose}, at most ${limit} may`, { layer, got, limit });
    };
    const own = this.#queue.count(party);
    if (own >= maxWaitingPerParty) refuse(own, maxWaitingPerParty, ' for the same party');
    if (this.#queue.size >= maxWaiting) refuse(this.#queue.size, maxWaiting, '');
  }

  /** Whether the party may hold one permit more. */
  #mayHold(party: unknown): boolean {
    return (this.#held.get(party) ?? 0) < this.#options.permitsPerParty;
  }

  #grant(party: unknown): Release {
    this.#count(party, 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#count(party, -1);
      const next = this.#queue.next((other) => this.#mayHold(other));
      next?.granted(this.#grant(next.party));
    };
  }

  #count(party: unknown, change: number): void {
    this.#permitsHeld += change;
    const held = (this.#held.get(party) ?? 0) + change;
    if (held === 0) this.#held.delete(party);
    else this.#held.set(party, held);
  }
}
