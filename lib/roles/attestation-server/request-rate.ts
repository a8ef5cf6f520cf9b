import { networkOf } from '../../core/network.js';

/** Most addresses that are remembered. A new address replaces the one that was quiet for longest. */
const MAX_ADDRESSES = 10_000;

/** Requests that an address may still make (`tokens`), as of the time `at`. */
interface Bucket {
  tokens: number;
  at: number;
}

/** Limits the requests of each IPv4 address and each /64 of IPv6: `perSecond` at once, and as many in each second after that. */
export class RequestRate {
  readonly #perSecond: number;
  readonly #clock: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** @param perSecond 0 for no limit */
  constructor(perSecond: number, clock: () => number) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Number of addresses that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Counts a request of `address`. Returns false when it is over the limit. */
  allows(address: string): boolean {
    if (this.#perSecond === 0) return true;
    const key = networkOf(address);
    const now = this.#clock();
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: this.#perSecond, at: now };
    const left = Math.min(this.#perSecond, tokens + ((now - at) * this.#perSecond) / 1000);
    const allowed = left >= 1;
    this.#buckets.delete(key);
    if (this.#buckets.size >= MAX_ADDRESSES) this.#buckets.delete(this.#buckets.keys().next().value as string);
    this.#buckets.set(key, { tokens: allowed ? left - 1 : left, at: now });
    return allowed;
  }
}
