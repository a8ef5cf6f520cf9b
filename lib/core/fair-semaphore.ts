/** Limits how many callers work at once, and shares the permits fairly among the parties that the callers belong to. */
import { LimitError } from './errors.js';
import type { Release, SemaphoreOptions } from './semaphore.js';

export interface FairSemaphoreOptions extends SemaphoreOptions {
  /** Permits that one party may hold at once, 1 or more. Default: all of them. */
  readonly permitsPerParty?: number;
  /** Callers of one party that may wait, 0 or more. Default: any number. */
  readonly maxWaitingPerParty?: number;
}

type Granted = (release: Release) => void;

/** Callers that belong together. */
class Party {
  /** What callers name it by. */
  readonly key: unknown;
  held = 0;
  /** Oldest first. Each entry is an object of its own, so that one function may wait twice. */
  readonly waiting = new Set<{ readonly granted: Granted }>();

  constructor(key: unknown) {
    this.key = key;
  }
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
  readonly #parties = new Map<unknown, Party>();
  /** The parties that have waiting callers. The first one is served next. */
  readonly #turns = new Set<Party>();
  #held = 0;
  #waiting = 0;

  constructor(permits: number, options: FairSemaphoreOptions = {}) {
    this.permits = permits;
    const { POSITIVE_INFINITY: any } = Number;
    this.#options = { maxWaiting: any, maxWaitingPerParty: any, permitsPerParty: any, waiters: 'callers', ...options };
  }

  /** Permits that are taken. */
  get held(): number {
    return this.#held;
  }

  /** Callers that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Calls `granted` with the function that releases the permit: at once when a permit is free for the party, else from
   * within the call that releases one. `granted` must not throw.
   *
   * @returns a function that gives up waiting; it does nothing when the permit was granted before
   * @throws LimitError when too many wait, in all or of this party; `granted` is never called then
   */
  request(party: unknown, granted: Granted): () => void {
    const one = this.#parties.get(party) ?? new Party(party);
    if (this.#held < this.permits && one.held < this.#options.permitsPerParty) {
      this.#parties.set(party, one);
      granted(this.#grant(one));
      return () => {};
    }
    this.#checkRoom(one);
    this.#parties.set(party, one);
    const waiter = { granted };
    one.waiting.add(waiter);
    this.#turns.add(one);
    this.#waiting++;
    return () => {
      if (!one.waiting.has(waiter)) return;
      this.#unqueue(one, waiter);
      this.#forget(one);
    };
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

  #checkRoom(party: Party): void {
    const { maxWaiting, maxWaitingPerParty, layer, waiters } = this.#options;
    const refuse = (got: number, limit: number, whose: string) => {
      throw new LimitError(`${got} ${waiters} are waiting already${whose}, at most ${limit} may`, { layer, got, limit });
    };
    if (party.waiting.size >= maxWaitingPerParty) refuse(party.waiting.size, maxWaitingPerParty, ' for the same party');
    if (this.#waiting >= maxWaiting) refuse(this.#waiting, maxWaiting, '');
  }

  #grant(party: Party): Release {
    this.#held++;
    party.held++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#held--;
      party.held--;
      this.#forget(party);
      this.#passOn();
    };
  }

  /** Gives a free permit to the party whose turn it is, if one waits that may have it. */
  #passOn(): void {
    for (const party of this.#turns) {
      if (party.held >= this.#options.permitsPerParty) continue;
      const [waiter] = party.waiting;
      if (waiter === undefined) continue;
      this.#unqueue(party, waiter);
      // Its next turn comes after that of all who wait now.
      if (this.#turns.delete(party)) this.#turns.add(party);
      waiter.granted(this.#grant(party));
      return;
    }
  }

  #unqueue(party: Party, waiter: { readonly granted: Granted }): void {
    party.waiting.delete(waiter);
    this.#waiting--;
    if (party.waiting.size === 0) this.#turns.delete(party);
  }

  #forget(party: Party): void {
    if (party.held === 0 && party.waiting.size === 0) this.#parties.delete(party.key);
  }
}
