import { clock } from '../../core/clock.js';

/** Sessions of one address without an admission that count as none: an honest client fails now and then, too. */
const FREE = 8;
/** Admissions missed a second that an address is forgiven. */
const FORGIVEN_PER_SECOND = 2;
/** Seconds of what all addresses may have, that may come at once. */
const BURST_SECONDS = 4;
/** Addresses that are remembered. A new one replaces the one that opened a session longest ago. */
const MAX_ADDRESSES = 10_000;

/** Something that fills while sessions are opened and empties with time, and when they are admitted. */
class Bucket {
  #level = 0;
  #counted = clock.monotonic();

  /** @param perSecond by how much it empties a second */
  constructor(readonly perSecond: number) {}

  get level(): number {
    const now = clock.monotonic();
    this.#level = Math.max(0, this.#level - ((now - this.#counted) * this.perSecond) / 1000);
    this.#counted = now;
    return this.#level;
  }

  add(count: 1 | -1): void {
    this.#level = Math.max(0, this.level + count);
  }
}

export interface NewcomersLimits {
  /** Sessions a second, of all addresses together, that end without having been admitted; 0 for no limits. */
  readonly maxUnadmittedSessionsPerSecond: number;
  /** Sessions of one address that are not admitted yet; 0 for no limits. */
  readonly maxUnadmittedSessionsPerAddress: number;
}

/**
 * Who may open one more session. A session costs the Server a millisecond, and its ClientHello the manager two more, whether
 * or not anything comes of it. So each is counted until it is admitted: one that never is stays counted, and time forgives
 * it. An address has `maxUnadmittedSessionsPerAddress` and is forgiven two a second. All addresses have four times
 * `maxUnadmittedSessionsPerSecond`; beyond that those that have eight or more wait. So a stranger cannot keep out an address
 * that has done nothing.
 */
export class Newcomers {
  readonly #limits: NewcomersLimits;
  readonly #addresses = new Map<string, Bucket>();
  readonly #all: Bucket;

  constructor(limits: NewcomersLimits) {
    this.#limits = limits;
    this.#all = new Bucket(limits.maxUnadmittedSessionsPerSecond);
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
    const own = this.#addresses.get(address) ?? new Bucket(FORGIVEN_PER_SECOND);
    own.add(1);
    this.#all.add(1);
    this.#addresses.delete(address);
    if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.delete(this.#addresses.keys().next().value as string);
    this.#addresses.set(address, own);
  }

  /** A session of `address` was admitted: it counts no more. */
  admit(address: string): void {
    this.#addresses.get(address)?.add(-1);
    this.#all.add(-1);
  }
}
