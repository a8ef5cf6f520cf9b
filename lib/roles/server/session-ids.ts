import { randomInt } from 'node:crypto';
import { Misses } from './misses.js';
import { SessionSecret } from './session-secret.js';

/** Ids of sessions that have ended and are remembered: whoever asks for one of them has guessed nothing. */
const ENDED_IDS = 10_000;

/** What sessions are bound to whose client does not show the secret; see `ServerOptions.bindSessions`. */
export const SESSION_BINDINGS = ['secret', 'address'] as const;
/** What a session is bound to whose client shows no secret. */
export type SessionBinding = (typeof SESSION_BINDINGS)[number];

/** Whose session it is. */
export interface SessionName {
  /** What the client knows it by: random, not zero (wire spec §C). */
  readonly id: number;
  readonly secret: SessionSecret;
  /** What the client was counted by when it opened the session; see `networkOf`. */
  readonly address: string;
  /** What the log knows it by: the how manieth session of this Server it is. An id in a log would let its readers in. */
  readonly number: number;
}

/** Who asks. */
export interface Asking {
  readonly address: string;
  /** The request's header, if it has one. */
  readonly secret: string | readonly string[] | undefined;
}

/** A session that was found, or how to answer that there is none. */
export type Found<S> =
  | { readonly session: S /** The client has shown no secret, and comes from another address. */; readonly foreign: boolean }
  | { readonly session: undefined; readonly status: 404 | 429; readonly retryAfterMs: number };

interface Known<S> {
  readonly name: SessionName;
  readonly session: S;
  /** Its client has shown the secret: nobody is believed without it. */
  bound: boolean;
}

/** The sessions by id, and who may use them. */
export class SessionIds<S> {
  readonly #binding: SessionBinding;
  readonly #known = new Map<number, Known<S>>();
  readonly #ended = new Set<number>();
  readonly #misses: Misses;
  #count = 0;

  /** @param maxMissesPerSecond see `ServerOptions` */
  constructor(binding: SessionBinding, maxMissesPerSecond: number) {
    this.#binding = binding;
    this.#misses = new Misses(maxMissesPerSecond);
  }

  /** A name for a new session. Ids are drawn, not counted: who knows one must not know its neighbours. */
  draw(address: string): SessionName {
    for (;;) {
      const id = randomInt(1, 2 ** 32);
      if (!this.#known.has(id)) return { id, secret: new SessionSecret(), address, number: ++this.#count };
    }
  }

  add(name: SessionName, session: S): void {
    this.#known.set(name.id, { name, session, bound: false });
  }

  delete({ id }: SessionName): void {
    if (!this.#known.delete(id)) return;
    this.#ended.add(id);
    if (this.#ended.size > ENDED_IDS) this.#ended.delete(this.#ended.values().next().value as number);
  }

  /**
   * The session of a request. Who shows its secret has it at once. While an address has to wait for its misses, or all
   * addresses have, only the session's own address has it without a secret: a right guess looks like a wrong one.
   */
  find(id: number, asking: Asking): Found<S> {
    const known = this.#known.get(id);
    const shown = known?.name.secret.compare(asking.secret);
    if (known !== undefined && shown === 'right') {
      known.bound = true;
      return { session: known.session, foreign: false };
    }
    const own = known?.name.address === asking.address;
    const open = known !== undefined && shown === 'nothing' && !known.bound;
    if (open && own) return { session: known.session, foreign: false };
    const retryAfterMs = this.#misses.waitMs(asking.address);
    if (retryAfterMs > 0) return { session: undefined, status: 429, retryAfterMs };
    if (open && this.#binding === 'secret') return { session: known.session, foreign: true };
    if (!this.#ended.has(id)) this.#misses.count(asking.address);
    return { session: undefined, status: 404, retryAfterMs: 0 };
  }
}
