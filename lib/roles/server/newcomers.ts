import { LeakyBucket } from '../../core/leaky-bucket.js';
import { RecentMap } from '../../core/recent-map.js';

/** Sessions of one address that are not admitted, below which it need not wait for what others do: honest clients fail, too. */
const FREE = 8;
/** Admissions missed a second that an address is forgiven. */
const FORGIVEN_PER_SECOND = 2;
/** Seconds of what all addresses may have, that may come at once. */
const BURST_SECONDS = 4;
/** Addresses that are remembered. A new one replaces the one that opened a session longest ago. */
const MAX_ADDRESSES = 10_000;

export interface NewcomersLimits {
  /** Sessions a second, of all addresses together, that end without having been admitted; 0 for no limits. */
  readonly maxUnadmittedSessionsPerSecond: number;
  /** Sessions of one address that are not admitted yet; 0 for no limits. */
  readonly maxUnadmittedSessionsPerAddress: number;
}

/**
 * Who may open one more session. A session costs the Server processor time, and its ClientHello the manager, whether or not
 * anything comes of it. So each is counted until it is admitted: one that never is stays counted, and time forgives
 * it. An address has `maxUnadmittedSessionsPerAddress` and is forgiven two a second. All addresses have four times
 * `maxUnadmittedSessionsPerSecond`; beyond that those that have eight or more wait. So a stranger cannot keep out an address
 * that has done nothing.
 */
export class Newcomers {
  readonly #limits: NewcomersLimits;
  readonly #addresses = new RecentMap<string, LeakyBucket>(MAX_ADDRESSES);
  readonly #all: LeakyBucket;

  constructor(limits: NewcomersLimits) {
    this.#limits = limits;
    this.#all = new LeakyBucket(limits.maxUnadmittedSessionsPerSecond);
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#addresses.size;
  }

  /** Whether `address` may open one more. */
  mayEnter(address: string): boolean {
    const { maxUnadmittedSessionsPerAddress: most, maxUnadmittedSessionsPerSecond: perSecond } = this.#limits;
    if (most === 0 || perSecond === 0) return true;
    const own = this.#addresses.get(address)?.level ?? 0;
    return own + 1 <= most && (own < FREE || this.#all.level + 1 <= BURST_SECONDS * perSecond);
  }

  /** Counts a session that was opened. */
  enter(address: string): void {
    const own = this.#addresses.get(address) ?? new LeakyBucket(FORGIVEN_PER_SECOND);
    own.add(1);
    this.#all.add(1);
    this.#addresses.set(address, own);
  }

  /** A session of `address` was admitted: it counts no more. */
  admit(address: string): void {
    this.#addresses.get(address)?.add(-1);
    this.#all.add(-1);
  }
}
