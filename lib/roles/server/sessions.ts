import type { Socket } from 'node:net';
import { clock } from '../../core/clock.js';
import { LinkError, type VeracruzError } from '../../core/errors.js';
import { networkOf } from '../../core/network.js';
import { BufferPool } from '../../transports/body-buffer.js';
import { DirectSession } from './direct-session.js';
import { HandshakePlaces } from './handshake-places.js';
import { HttpSession, type SessionEvents } from './http-session.js';
import type { ManagerLink } from './manager-link.js';
import { ManagerSession } from './manager-session.js';
import type { Managers, Member } from './managers.js';
import { Newcomers } from './newcomers.js';
import type { CompleteServerOptions } from './options.js';
import { SessionGate } from './session-gate.js';
import { type Asking, type Found, SessionIds, type SessionName } from './session-ids.js';
import { type Seat, SessionTable } from './session-table.js';

/** Buffers of answers that are kept to be used again, up to some 350 KiB each. */
const POOLED_BUFFERS = 16;

type Session = HttpSession | DirectSession;

/** What a session has of the Server. */
interface Held {
  readonly name: SessionName;
  seat: Seat | undefined;
  /** Its Runtime Manager, from its ClientHello on. */
  member: Member | undefined;
}

/** The sessions of a Server: who may open one, where it goes, and what it has when it ends. */
export class Sessions {
  readonly #options: CompleteServerOptions;
  readonly #managers: Managers;
  readonly #table: SessionTable;
  readonly #newcomers: Newcomers;
  readonly #ids: SessionIds<HttpSession>;
  readonly #held = new Map<Session, Held>();
  readonly #places = new WeakMap<ManagerLink, HandshakePlaces>();
  /** The session whose POST came last on a connection, or that is the connection. */
  readonly #carried = new WeakMap<Socket, Session>();
  readonly #pool = new BufferPool(POOLED_BUFFERS);

  constructor(options: CompleteServerOptions, managers: Managers) {
    this.#options = options;
    this.#managers = managers;
    this.#table = new SessionTable(options);
    this.#newcomers = new Newcomers(options);
    this.#ids = new SessionIds(options.bindSessions, options.maxMissesPerSecond);
  }

  /** Sessions that are open now. */
  get size(): number {
    return this.#held.size;
  }

  /** All of them. */
  [Symbol.iterator](): Iterator<Session> {
    return this.#held.keys();
  }

  /** Whether a client at `address` may open a session now: too many of that address have not come about, if not. */
  mayOpen(address: string): boolean {
    return this.#newcomers.mayEnter(address);
  }

  /** Opens a session over HTTP. @throws LinkError when there is no room, or no manager */
  openHttp(socket: Socket): HttpSession {
    const session = this.#open(socket, (name, gate, events: SessionEvents<HttpSession>) => {
      return new HttpSession(name, gate, this.#options, this.#pool, events);
    });
    this.#ids.add(session.name, session);
    return session;
  }

  /** Opens a session for a connection without HTTP. @throws LinkError when there is no room, or no manager */
  openDirect(socket: Socket): void {
    const session = this.#open(socket, (_name, gate, events: SessionEvents<DirectSession>) => new DirectSession(socket, gate, events));
    this.#carried.set(socket, session);
  }

  /** The session of a request. */
  find(id: number, asking: Asking): Found<HttpSession> {
    return this.#ids.find(id, asking);
  }

  /** A POST of `session` has come on this connection. */
  carries(socket: Socket, session: HttpSession): void {
    this.#carried.set(socket, session);
  }

  /** Whether an admitted session would miss this connection. */
  misses(socket: Socket): boolean {
    const session = this.#carried.get(socket);
    if (session?.manager.stage !== 'admitted') return false;
    return session instanceof DirectSession || session.connection === socket;
  }

  /** Ends the sessions of a link that is gone. */
  linkLost(lost: Member, error: LinkError | undefined): void {
    for (const [session, { member }] of this.#held) {
      if (member === lost) session.linkLost(error, lost.link.doubt);
    }
  }

  /** Ends the sessions that have been idle for too long. */
  closeIdle(): void {
    const oldest = clock.monotonic() - this.#options.idleTimeoutMs;
    for (const session of this.#held.keys()) {
      if (!session.answerDue && session.lastActive < oldest) endSession(session, 404, 'the session was idle too long');
    }
  }

  #open<S extends Session>(socket: Socket, make: (name: SessionName, gate: SessionGate, events: SessionEvents<S>) => S): S {
    this.#managers.place();
    const address = networkOf(socket.remoteAddress);
    const name = this.#ids.draw(address);
    this.#table.makeRoom(address);
    const held: Held = { name, seat: undefined, member: undefined };
    const gate = this.#gate(held, (error) => session.fail(error));
    const session = make(name, gate, {
      onEnd: (ended, error) => this.#ended(ended, error),
      onInactive: () => {
        if (held.member !== undefined) this.#managers.retire(held.member);
      },
    });
    held.seat = this.#table.enter(address, session);
    this.#newcomers.enter(address);
    this.#held.set(session, held);
    return session;
  }

  #gate(held: Held, onFault: (error: VeracruzError) => void): SessionGate {
    return new SessionGate(held.name.address, this.#options, {
      places: () => {
        const member = this.#managers.place();
        member.sessions++;
        held.member = member;
        return this.#placesOf(member.link);
      },
      open: async () => {
        const { link, upstream } = held.member as Member;
        const manager = await ManagerSession.open(link, this.#options.maxUnacknowledgedBytes);
        this.#options.log('info', 'session opened', { session: held.name.number, manager: upstream, managerSession: manager.id });
        return manager;
      },
      onAdmitted: () => {
        held.seat?.admit();
        this.#newcomers.admit(held.name.address);
      },
      onFault,
    });
  }

  #placesOf(link: ManagerLink): HandshakePlaces {
    const places = this.#places.get(link) ?? new HandshakePlaces(this.#options);
    this.#places.set(link, places);
    return places;
  }

  #ended(session: Session, error: VeracruzError | undefined): void {
    const held = this.#held.get(session);
    if (held === undefined) return;
    this.#held.delete(session);
    this.#ids.delete(held.name);
    held.seat?.leave();
    if (held.member !== undefined) held.member.sessions--;
    const good = error === undefined || (error instanceof LinkError && held.member?.retired === true);
    this.#options.log(good ? 'info' : 'warn', good ? 'session closed' : 'session failed', {
      session: held.name.number,
      ...session.manager.bytes,
      ...(error === undefined ? {} : { code: error.code, layer: error.layer, reason: error.message }),
    });
  }
}

/** Ends a session; over plain TCP there is no status, and no text. */
export function endSession(session: Session, status: number, text: string, error?: VeracruzError): void {
  if (session instanceof HttpSession) session.end(status, text, error);
  else session.end(error);
}
