import { LeakyBucket } from '../../core/leaky-bucket.js';
import { networkOf } from '../../core/network.js';
import { RecentMap } from '../../core/recent-map.js';

/** Most addresses that are remembered. A new address replaces the one that was quiet for longest. */
const MAX_ADDRESSES = 10_000;

/** Limits the requests of each IPv4 address and each /64 of IPv6: `perSecond` at once, and as many in each second after that. */
export class RequestRate {
  readonly #perSecond: number;
  readonly #clock: () => number;
  /** Requests by address. */
  readonly #buckets = new RecentMap<string, LeakyBucket>(MAX_ADDRESSES);

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
    const bucket = this.#buckets.get(key) ?? new LeakyBucket(this.#perSecond, this.#clock);
    const allowed = bucket.level + 1 <= this.#perSecond;
    if (allowed) bucket.add(1);
    this.#buckets.set(key, bucket);
    return allowed;
  }
}
