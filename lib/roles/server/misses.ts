import { clock } from '../../core/clock.js';
import { LeakyBucket } from '../../core/leaky-bucket.js';
import { RecentMap } from '../../core/recent-map.js';

/** Misses of one address that are answered before it has to wait. */
const FREE_MISSES = 20;
/** Milliseconds that an address waits for the first time; each further time twice as long, up to the last. */
const FIRST_WAIT_MS = 1000;
const LAST_WAIT_MS = 60_000;
/** Milliseconds without a miss, beyond its wait, after which an address is forgotten. */
const FORGET_MS = 60_000;
/** Seconds of what all addresses may miss, that may come at once. */
const BURST_SECONDS = 10;
/** Addresses that are remembered. A new one replaces the one that missed longest ago. */
const MAX_ADDRESSES = 10_000;

interface Misser {
  misses: number;
  waitMs: number;
  /** Until when it has to wait, by the clock. */
  until: number;
}

/**
 * Requests for sessions that are not there, by address and in sum. Ids have 32 bits, so whoever may try without end finds a
 * session of somebody else. The first misses of an address are answered; then it has to wait, longer each time.
 */
export class Misses {
  readonly #perSecond: number;
  readonly #addresses = new RecentMap<string, Misser>(MAX_ADDRESSES);
  /** Misses of all addresses. */
  readonly #all: LeakyBucket;

  /** @param perSecond misses a second of all addresses together, as many of them at once as come in ten seconds; 0: no limits */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#all = new LeakyBucket(perSecond);
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#addresses.size;
  }

  /** Milliseconds that `address` has to wait before it may miss again; 0 when it need not. */
  waitMs(address: string): number {
    if (this.#perSecond === 0) return 0;
    const own = Math.max(0, (this.#addresses.get(address)?.until ?? 0) - clock.monotonic());
    const over = this.#all.level + 1 - this.#burst;
    const all = over <= 0 ? 0 : (1000 * over) / this.#perSecond;
    return Math.max(own, all);
  }

  /** Counts a miss that is answered. */
  count(address: string): void {
    if (this.#perSecond === 0) return;
    this.#all.add(1, this.#burst);
    const now = clock.monotonic();
    const before = this.#addresses.get(address);
    const known = before !== undefined && now - before.until < FORGET_MS ? before : { misses: 0, waitMs: FIRST_WAIT_MS, until: now };
    known.misses++;
    if (known.misses < FREE_MISSES) known.until = now;
    else {
      known.until = now + known.waitMs;
      known.waitMs = Math.min(2 * known.waitMs, LAST_WAIT_MS);
    }
    this.#addresses.set(address, known);
  }

  /** Misses of all addresses that may come at once. */
  get #burst(): number {
    return BURST_SECONDS * this.#perSecond;
  }
}
