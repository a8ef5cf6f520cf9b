import { clock } from '../../core/clock.js';
import { BusyError, LimitError } from '../../core/errors.js';

const LAYER = 'runtime-manager';
/** Principals whose sessions may have all of `maxWaitingBytes` waiting together. With more of them each has less. */
const SHARES = 4;
/** Bytes of one session, at most and at least, that never count as too much by themselves. See `Accounts.freeBytes`. */
const MAX_FREE_BYTES = 1024 * 1024;
const MIN_FREE_BYTES = 64 * 1024;
/** Milliseconds for which a principal may hold no Status back, once one was held in vain. */
const PAUSE_MS = 1000;

export interface AccountLimits {
  /** As in `RuntimeManagerOptions`. */
  readonly maxSessionsPerPrincipal: number;
  readonly maxWaitingBytes: number;
}

/** A session, as its principal's account sees it. */
export interface Member {
  /** Bytes of its ciphertext that wait. */
  readonly waitingBytes: number;
  /** Ends it, because it has too much waiting. */
  destroy(reason: LimitError): void;
}

/** What one principal has under way. */
interface Account {
  readonly members: Set<Member>;
  bytes: number;
  /** Until when nothing is held back for it, by `clock.monotonic()`. */
  pausedUntil: number;
}

/**
 * What the sessions of each principal have under way: how many they are, and how much ciphertext waits for them. So nobody
 * fills the memory of the manager by opening sessions and sending behind programs that run.
 *
 * All sessions together may have `maxWaitingBytes` waiting. A principal's share is a quarter of that, and less when more
 * than four principals have something waiting: an equal part. What goes beyond is the principal's own matter: his sessions
 * are made to wait, and then the one with the most is ended (`relieve`).
 */
export class Accounts {
  /**
   * Bytes that one session may have waiting whatever its principal's share is: it is neither made to wait nor ended for that.
   * Many such sessions may still be too much for all together, and then the one with the most ends.
   */
  readonly freeBytes: number;
  readonly #limits: AccountLimits;
  readonly #accounts = new Map<number, Account>();
  #bytes = 0;

  constructor(limits: AccountLimits) {
    this.#limits = limits;
    const fair = limits.maxWaitingBytes / SHARES / 2 / limits.maxSessionsPerPrincipal;
    this.freeBytes = Math.max(MIN_FREE_BYTES, Math.min(MAX_FREE_BYTES, Math.floor(fair)));
  }

  /** Bytes that wait for sessions of known principals. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sessions of a principal. */
  sessions(principal: number): number {
    return this.#accounts.get(principal)?.members.size ?? 0;
  }

  /**
   * TLS has told whose session this is.
   *
   * @throws BusyError when the principal has as many sessions as he may have
   */
  join(principal: number, member: Member): void {
    const account = this.#accounts.get(principal) ?? { members: new Set(), bytes: 0, pausedUntil: 0 };
    const { maxSessionsPerPrincipal: limit } = this.#limits;
    if (account.members.size >= limit) {
      throw new BusyError(`the principal has ${limit} sessions already`, { layer: LAYER, got: account.members.size, limit });
    }
    account.members.add(member);
    this.#accounts.set(principal, account);
  }

  /** The session is over. Its bytes must have been taken off before. */
  leave(principal: number, member: Member): void {
    const account = this.#accounts.get(principal);
    account?.members.delete(member);
    if (account?.members.size === 0) this.#accounts.delete(principal);
  }

  /** So many bytes more wait for a session of the principal, or fewer. Ends whoever has the most when it is too much in all. */
  add(principal: number, bytes: number): void {
    const account = this.#accounts.get(principal);
    if (account === undefined) return;
    account.bytes += bytes;
    this.#bytes += bytes;
    if (bytes > 0) while (this.#bytes > this.#limits.maxWaitingBytes && this.#endGreediest());
  }

  /** More waits for the principal than his share. */
  over(principal: number): boolean {
    return (this.#accounts.get(principal)?.bytes ?? 0) > this.#share;
  }

  /** Whether the Status of a session of this principal may be held back. */
  mayHold(principal: number): boolean {
    return (this.#accounts.get(principal)?.pausedUntil ?? 0) <= clock.monotonic();
  }

  /** A Status was held back, and nothing that waited went on meanwhile: others must not wait for that again soon. */
  heldInVain(principal: number): void {
    const account = this.#accounts.get(principal);
    if (account !== undefined) account.pausedUntil = clock.monotonic() + PAUSE_MS;
  }

  /** Ends sessions of the principal, those with the most first, until what waits for the others is within his share. */
  relieve(principal: number): void {
    while (this.over(principal)) {
      const account = this.#accounts.get(principal) as Account;
      const most = largest(account);
      if (most === undefined || most.waitingBytes <= this.freeBytes) return;
      most.destroy(tooMuch(`${account.bytes} bytes of the principal's sessions wait`, account.bytes, this.#share));
    }
  }

  get #share(): number {
    let busy = 0;
    for (const { bytes } of this.#accounts.values()) if (bytes > 0) busy++;
    return Math.floor(this.#limits.maxWaitingBytes / Math.max(SHARES, busy));
  }

  /** Ends the largest session of the principal who has the most. False when there is none to end. */
  #endGreediest(): boolean {
    const greediest = largestOf(this.#accounts.values(), ({ bytes }) => bytes);
    const most = greediest && largest(greediest);
    const before = this.#bytes;
    most?.destroy(tooMuch(`${before} bytes of all sessions wait`, before, this.#limits.maxWaitingBytes));
    return this.#bytes < before;
  }
}

/** The session of a principal that has the most waiting. */
function largest({ members }: Account): Member | undefined {
  return largestOf(members, ({ waitingBytes }) => waitingBytes);
}

function largestOf<T>(items: Iterable<T>, sizeOf: (item: T) => number): T | undefined {
  let found: T | undefined;
  for (const item of items) if (found === undefined || sizeOf(item) > sizeOf(found)) found = item;
  return found;
}

function tooMuch(what: string, got: number, limit: number): LimitError {
  return new LimitError(`${what}, ${limit} may: the one with the most ends`, { layer: LAYER, got, limit });
}
