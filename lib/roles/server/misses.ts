import { clock } from '../../core/clock.js';

/** Misses of one address that are answered before it has to wait. */
const FREE_MISSES = 20;
/** Milliseconds that an address waits for the first time; each further time twice as long, up to the last. */
const FIRST_WAIT_MS = 1000;
const LAST_WAIT_MS = 60_000;
/** Milliseconds without a miss, beyond its wait, after which an address is forgotten. */
const FORGET_MS = 60_000;
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
  readonly #addresses = new Map<string, Misser>();
  /** Misses of all addresses that may be answered now, and when that was counted. */
  #tokens: number;
  #counted = clock.monotonic();

  /** @param perSecond misses a second of all addresses together, as many of them at once as come in ten seconds; 0: no limits */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = 10 * perSecond;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#addresses.size;
  }

  /** Milliseconds that `address` has to wait before it may miss again; 0 when it need not. */
  waitMs(address: string): number {
    if (this.#perSecond === 0) return 0;
    this.#refill();
    const own = Math.max(0, (this.#addresses.get(address)?.until ?? 0) - clock.monotonic());
    const all = this.#tokens >= 1 ? 0 : (1000 * (1 - this.#tokens)) / this.#perSecond;
    return Math.max(own, all);
  }

  /** Counts a miss that is answered. */
  count(address: string): void {
    if (this.#perSecond === 0) return;
    this.#refill();
    this.#tokens = Math.max(0, this.#tokens - 1);
    const now = clock.monotonic();
    const before = this.#addresses.get(address);
    const known = before !== undefined && now - before.until < FORGET_MS ? before : { misses: 0, waitMs: FIRST_WAIT_MS, until: now };
    known.misses++;
    if (known.misses < FREE_MISSES) known.until = now;
    else {
      known.until = now + known.waitMs;
      known.waitMs = Math.min(2 * known.waitMs, LAST_WAIT_MS);
    }
    this.#addresses.delete(address);
    if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.delete(this.#addresses.keys().next().value as string);
    this.#addresses.set(address, known);
  }

  #refill(): void {
    const now = clock.monotonic();
    this.#tokens = Math.min(10 * this.#perSecond, this.#tokens + ((now - this.#counted) * this.#perSecond) / 1000);
    this.#counted = now;
  }
}
