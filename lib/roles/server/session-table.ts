import { clock } from '../../core/clock.js';
import { Crowd } from '../../core/crowd.js';
import { LinkError } from '../../core/errors.js';

const LAYER = 'server';
/** Milliseconds that a session must have been there to make room for another of the same address, or of an equally crowded one. */
const ROOM_AFTER_MS = 1000;
/** Milliseconds that an admitted session must have been idle to make room. */
const IDLE_MS = 5000;
/** Addresses that are looked at for a session that can make room. */
const LOOKED_AT = 8;

export interface SessionTableLimits {
  /** Sessions at once, in sum and of one address; 0 for no limit of one address. */
  readonly maxSessions: number;
  readonly maxSessionsPerAddress: number;
  /** The same for sessions that are not admitted yet. */
  readonly maxUnadmittedSessions: number;
  readonly maxUnadmittedSessionsPerAddress: number;
}

/** A session as the table knows it. */
export interface Seated {
  /** Time of its last sign of life, by `clock.monotonic()`. */
  readonly lastActive: number;
  /** An answer is under way. */
  readonly answerDue: boolean;
  /** Ends the session, so that another one has its place. */
  yield(error: LinkError): void;
}

/** The place of one session. */
export interface Seat {
  /** The session is admitted: it counts as such from now on. */
  admit(): void;
  leave(): void;
}

interface Entry {
  readonly address: string;
  readonly session: Seated;
  readonly since: number;
}

/**
 * The sessions of a Server, counted by address (see `networkOf`). When the table is full, one more takes the place of the
 * session that is least worth keeping: one that is not admitted, of the address that has the most of them, the oldest first;
 * then one that is idle, of the address that has the most sessions. An address never makes room for one that is as crowded
 * as itself, unless its session has not come about for a second.
 */
export class SessionTable {
  readonly #limits: SessionTableLimits;
  readonly #unadmitted = new Crowd<Entry>();
  readonly #admitted = new Crowd<Entry>();

  constructor(limits: SessionTableLimits) {
    this.#limits = limits;
  }

  /** Sessions, and how many of them are not admitted. */
  get size(): number {
    return this.#unadmitted.size + this.#admitted.size;
  }

  get unadmitted(): number {
    return this.#unadmitted.size;
  }

  /** Makes room for a session of `address`, where there is none. @throws LinkError when none can be made */
  makeRoom(address: string): void {
    this.#roomForAddress(address);
    this.#roomForAll(address);
  }

  /** Gives a session the place for which `makeRoom` has made room. */
  enter(address: string, session: Seated): Seat {
    const entry: Entry = { address, session, since: clock.monotonic() };
    this.#unadmitted.add(address, entry);
    return {
      admit: () => {
        if (this.#unadmitted.delete(address, entry)) this.#admitted.add(address, entry);
      },
      leave: () => void (this.#unadmitted.delete(address, entry) || this.#admitted.delete(address, entry)),
    };
  }

  #roomForAddress(address: string): void {
    const { maxSessionsPerAddress: most, maxUnadmittedSessionsPerAddress: mostUnadmitted } = this.#limits;
    const unadmitted = this.#unadmitted.count(address);
    const all = unadmitted + this.#admitted.count(address);
    const full = (most > 0 && all >= most && `all ${most} sessions of one address are taken`) || undefined;
    const crowded =
      (mostUnadmitted > 0 && unadmitted >= mostUnadmitted && `${mostUnadmitted} sessions of one address are not admitted yet`) || undefined;
    const reason = full ?? crowded;
    if (reason !== undefined && !this.#yield(this.#oldest(address, ROOM_AFTER_MS))) {
      throw new LinkError(reason, { layer: LAYER, limit: full === undefined ? mostUnadmitted : most });
    }
  }

  #roomForAll(address: string): void {
    const { maxSessions, maxUnadmittedSessions } = this.#limits;
    const full = this.size >= maxSessions;
    if (!full && this.#unadmitted.size < maxUnadmittedSessions) return;
    if (this.#yield(this.#leastWorth(address))) return;
    if (full && this.#yield(this.#idle(address))) return;
    const reason = full ? `all ${maxSessions} sessions are taken` : `${maxUnadmittedSessions} sessions are not admitted yet`;
    throw new LinkError(reason, { layer: LAYER, limit: full ? maxSessions : maxUnadmittedSessions });
  }

  /** A session that is not admitted, of the most crowded address. */
  #leastWorth(newcomer: string): Entry | undefined {
    const fair = this.#unadmitted.count(newcomer) + 1;
    for (const address of this.#mostCrowded(this.#unadmitted)) {
      const found = this.#oldest(address, this.#unadmitted.count(address) > fair ? 0 : ROOM_AFTER_MS);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The oldest session of `address` that is not admitted, if it has been there for `ms`. */
  #oldest(address: string, ms: number): Entry | undefined {
    const [entry] = this.#unadmitted.of(address);
    return entry !== undefined && clock.monotonic() - entry.since >= ms ? entry : undefined;
  }

  /** The admitted session that has been idle for longest, of the most crowded address that has more than the newcomer's. */
  #idle(newcomer: string): Entry | undefined {
    const fair = this.#admitted.count(newcomer) + this.#unadmitted.count(newcomer) + 1;
    const latest = clock.monotonic() - IDLE_MS;
    for (const address of this.#mostCrowded(this.#admitted)) {
      if (this.#admitted.count(address) <= fair) return undefined;
      const idle = [...this.#admitted.of(address)].filter(({ session }) => !session.answerDue && session.lastActive <= latest);
      const [longest] = idle.sort((a, b) => a.session.lastActive - b.session.lastActive);
      if (longest !== undefined) return longest;
    }
    return undefined;
  }

  *#mostCrowded(crowd: Crowd<Entry>): Generator<string> {
    let left = LOOKED_AT;
    for (const address of crowd.crowded()) {
      if (left-- === 0) return;
      yield address;
    }
  }

  #yield(entry: Entry | undefined): boolean {
    if (entry === undefined) return false;
    entry.session.yield(new LinkError('the session makes room for another', { layer: LAYER }));
    return true;
  }
}
