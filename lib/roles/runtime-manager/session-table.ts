import { clock, type Timer } from '../../core/clock.js';
import { Crowd } from '../../core/crowd.js';
import type { Log } from '../options.js';

/** Milliseconds between two looks at the sessions, at most. */
const LOOK_MS = 1000;
/** Milliseconds after which a session that is not admitted makes room for one of the same link, or of one that has as many. */
const ROOM_AFTER_MS = 1000;

export interface SessionLimits {
  /** As in `RuntimeManagerOptions`. */
  readonly maxSessions: number;
  readonly maxPendingSessions: number;
  readonly maxUnprovenSessions: number;
  readonly sessionIdleTimeoutMs: number;
  /** Milliseconds for the first byte of a session, and for its last words to be fetched. */
  readonly handshakeTimeoutMs: number;
  readonly log: Log;
}

/** What the table needs to know about a link. */
export interface SessionsLink {
  /** Names the link; no other has the same. */
  readonly key: string;
  /** It is authenticated, has initialised the manager, or has carried a request of a principal. */
  proven(): boolean;
}

/** What the table needs to know about a session. */
export interface Seated {
  readonly id: number;
  /** Its TLS peer is a principal. */
  readonly admitted: boolean;
  /** A request that has come whole is being answered, for example by a program. */
  readonly working: boolean;
  /** Its stack has closed. What it has left may still be fetched. */
  readonly ended: boolean;
}

/** One session in the table. */
interface Seat<L extends SessionsLink, S extends Seated> {
  readonly session: S;
  readonly link: L;
  readonly since: number;
  /** When ciphertext moved last, in either direction; undefined before the first byte of the client. */
  heard: number | undefined;
}

/**
 * The TLS sessions of a manager, of all links. Until its peer is admitted a session is *pending*: it belongs to a stranger, as
 * far as is known, and whoever reaches the Server, or the manager, can have as many as he likes. So
 *
 * - pending ones are counted apart, in sum (`maxPendingSessions`) and, while there are other links, by the link, where that has
 *   not proved itself (`maxUnprovenSessions`);
 * - where one more is too many, a pending one makes room: the oldest of a link that is not proven, else of the link that has
 *   most; of the same link only one that is a second old;
 * - one whose client says nothing ends after `handshakeTimeoutMs`. TLS has deadlines for the rest of the handshake.
 *
 * A session that is admitted is never ended for another. Without a byte of ciphertext in either direction for
 * `sessionIdleTimeoutMs` it ends, unless a request is being answered.
 */
export class SessionTable<L extends SessionsLink, S extends Seated> {
  readonly #limits: SessionLimits;
  readonly #seats = new Map<number, Seat<L, S>>();
  /** Those that were not admitted when they were looked at last, by their links. */
  readonly #pending = new Crowd<Seat<L, S>>();
  readonly #links: () => number;
  readonly #end: (session: S, link: L) => void;
  readonly #looking: Timer;
  /** Sessions that were ended since the last look, by reason. */
  #ended = { forRoom: 0, silent: 0, idle: 0 };

  /**
   * @param links how many links there are
   * @param end ends a session; it leaves the table then
   */
  constructor(limits: SessionLimits, links: () => number, end: (session: S, link: L) => void) {
    this.#limits = limits;
    this.#links = links;
    this.#end = end;
    const shortest = [limits.handshakeTimeoutMs, limits.sessionIdleTimeoutMs].filter((ms) => ms > 0).map((ms) => ms / 4);
    this.#looking = clock.setInterval(() => this.#look(), Math.max(1, Math.min(LOOK_MS, ...shortest))).unref();
  }

  get size(): number {
    return this.#seats.size;
  }

  /** Sessions that are not admitted. */
  get pending(): number {
    return this.#pending.size;
  }

  has(id: number): boolean {
    return this.#seats.has(id);
  }

  sessions(): S[] {
    return Array.from(this.#seats.values(), ({ session }) => session);
  }

  /** Whether there is room for one more session of `link`; makes room where it can. */
  room(link: L): boolean {
    const { maxSessions, maxPendingSessions, maxUnprovenSessions } = this.#limits;
    if (this.#links() > 1 && !link.proven() && this.#pending.count(link.key) >= maxUnprovenSessions) return this.#makeRoom(link.key, link);
    if (this.#seats.size < maxSessions && this.#pending.size < maxPendingSessions) return true;
    return this.#order(link).some((key) => this.#makeRoom(key, link));
  }

  add(session: S, link: L): void {
    const seat = { session, link, since: clock.monotonic(), heard: undefined };
    this.#seats.set(session.id, seat);
    this.#pending.add(link.key, seat);
  }

  /** Ciphertext of a session has moved. */
  moved(id: number): void {
    const seat = this.#seats.get(id);
    if (seat === undefined) return;
    seat.heard = clock.monotonic();
    this.#settle(seat);
  }

  delete(id: number): void {
    const seat = this.#seats.get(id);
    if (seat === undefined) return;
    this.#seats.delete(id);
    this.#pending.delete(seat.link.key, seat);
  }

  /** Looks no more at what is left. */
  close(): void {
    clock.clear(this.#looking);
  }

  /** The links that have pending sessions: first those that are not proven, and those that have most. */
  #order(newcomer: L): string[] {
    const keys = [...this.#pending.crowded()];
    const proven = (key: string) => this.#oldest(key)?.link.proven() === true;
    // Who is not proven himself takes nothing from those who are.
    const mine = newcomer.proven() ? keys.filter(proven) : [];
    return [...keys.filter((key) => !proven(key)), ...mine];
  }

  /** Ends the oldest pending session of a link, if `newcomer` may have its place. */
  #makeRoom(key: string, newcomer: L): boolean {
    let oldest = this.#oldest(key);
    while (oldest !== undefined && this.#settle(oldest)) oldest = this.#oldest(key);
    if (oldest === undefined) return false;
    const weaker = !oldest.link.proven() && newcomer.proven();
    const outnumbers = this.#pending.count(key) > this.#pending.count(newcomer.key) + 1;
    if (!weaker && !outnumbers && clock.monotonic() - oldest.since < ROOM_AFTER_MS) return false;
    this.#ended.forRoom++;
    this.#end(oldest.session, oldest.link);
    return true;
  }

  #oldest(key: string): Seat<L, S> | undefined {
    for (const seat of this.#pending.of(key)) return seat;
    return undefined;
  }

  /** Whether the session is admitted; it is pending no more then. */
  #settle(seat: Seat<L, S>): boolean {
    if (seat.session.admitted) this.#pending.delete(seat.link.key, seat);
    return seat.session.admitted;
  }

  #look(): void {
    for (const seat of [...this.#seats.values()]) this.#lookAt(seat);
    const { forRoom, silent, idle } = this.#ended;
    if (forRoom + silent + idle === 0) return;
    this.#limits.log('warn', 'sessions ended', { forRoom, silent, idle, pending: this.#pending.size, left: this.#seats.size });
    this.#ended = { forRoom: 0, silent: 0, idle: 0 };
  }

  #lookAt(seat: Seat<L, S>): void {
    const { session, link, since, heard } = seat;
    const { handshakeTimeoutMs, sessionIdleTimeoutMs } = this.#limits;
    const passed = (from: number, limit: number) => limit > 0 && clock.monotonic() - from >= limit;
    this.#settle(seat);
    if (heard === undefined || session.ended) {
      if (!passed(heard ?? since, handshakeTimeoutMs)) return;
      this.#ended.silent++;
    } else {
      if (session.working || !passed(heard, sessionIdleTimeoutMs)) return;
      this.#ended.idle++;
    }
    this.#end(session, link);
  }
}
