import { clock, type Timer } from '../../core/clock.js';
import { asVeracruzError, LimitError, LinkError, TimeoutError, type VeracruzError } from '../../core/errors.js';
import { type Slices, sliceBytes } from '../../layers/bincode/index.js';
import { ClientHelloStart } from './client-hello.js';
import type { Handshake, HandshakePlaces } from './handshake-places.js';
import type { Fetched, ManagerSession } from './manager-session.js';
import { RecordsSeen } from './records-seen.js';

const LAYER = 'server';

/**
 *     new          no ClientHello has begun: the manager does not know of the session
 *     handshaking  the ClientHello was passed on, or waits for its place
 *     admitted     the manager has answered beyond the handshake
 *     over         the session has ended
 */
export type Stage = 'new' | 'handshaking' | 'admitted' | 'over';

export interface GateLimits {
  /** Milliseconds in which the ClientHello must begin. */
  readonly helloTimeoutMs: number;
  /** Milliseconds of a handshake, from the begin of the ClientHello on; the wait for its place counts. */
  readonly handshakeTimeoutMs: number;
  /** Bytes of ciphertext from the client before it is admitted; 0 for no limit. */
  readonly maxHandshakeBytes: number;
}

export interface GateEvents {
  /** Opens the session at a manager. @throws LinkError */
  open(): Promise<ManagerSession>;
  /** The handshake places of the manager that the session would be opened at. @throws LinkError when there is none */
  places(): HandshakePlaces;
  onAdmitted(): void;
  /** The session must end, with this reason. */
  onFault(error: VeracruzError): void;
}

/**
 * A session at its Runtime Manager that does not exist there before a ClientHello has begun. Strangers can send anything, and
 * so the deadlines of this gate are of the whole: no byte that comes makes them longer.
 *
 * When a deadline or the limit of bytes is reached, and the client has answered the manager's flight, the manager is asked
 * whether it still has the session. It knows best: it ends handshakes that do not come about.
 */
export class SessionGate implements Handshake {
  readonly address: string;
  readonly #limits: GateLimits;
  readonly #events: GateEvents;
  readonly #hello = new ClientHelloStart();
  readonly #seen = new RecordsSeen();
  #stage: Stage = 'new';
  /** Ciphertext that came before the session was open at the manager. */
  #held: Buffer[] = [];
  #session: ManagerSession | undefined;
  #places: HandshakePlaces | undefined;
  #refusal: VeracruzError | undefined;
  #deadline: Timer | undefined;
  #settling = false;
  /** It has had a place: what is late then is the client, or the manager. */
  #granted = false;
  #opened: () => void = () => {};
  /** Settles when the session is open at the manager, or will not be. */
  readonly #opening = new Promise<void>((resolve) => {
    this.#opened = resolve;
  });

  /** @param address what the client is counted by; see `networkOf` */
  constructor(address: string, limits: GateLimits, events: GateEvents) {
    this.address = address;
    this.#limits = limits;
    this.#events = events;
    const { helloTimeoutMs } = limits;
    this.#expect(helloTimeoutMs, () => {
      this.#fault(new TimeoutError(`no ClientHello after ${helloTimeoutMs} ms`, { layer: LAYER, limit: helloTimeoutMs }));
    });
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Bytes of ciphertext so far: `up` from the client, `down` to it. */
  get bytes(): { readonly up: number; readonly down: number } {
    return this.#session?.bytes ?? { up: sliceBytes(this.#held), down: 0 };
  }

  /** The refusal of ciphertext since the last call, if there was one. */
  takeRefusal(): VeracruzError | undefined {
    const refusal = this.#refusal ?? this.#session?.takeRefusal();
    this.#refusal = undefined;
    return refusal;
  }

  /** Sends ciphertext. Returns undefined when more may follow at once, else a promise that settles when more may follow. */
  feed(slices: Slices): Promise<void> | undefined {
    if (this.#stage !== 'admitted') this.#watchUp(slices);
    if (this.#session !== undefined) return this.#session.feed(slices);
    if (this.#refusal !== undefined || this.#stage === 'over') return undefined;
    this.#held.push(...slices);
    if (this.#stage === 'handshaking') return this.#opening;
    if (!this.#hello.begun) return undefined;
    this.#stage = 'handshaking';
    this.#begin();
    this.#enter();
    return this.#session === undefined ? this.#opening : undefined;
  }

  /** Yields the manager's ciphertext until there is no more. See `ManagerSession.fetch`. */
  fetch(likely = false): AsyncGenerator<Fetched> {
    return this.#session !== undefined && this.#stage === 'admitted' ? this.#session.fetch(likely) : this.#watched(likely);
  }

  /** Tells the manager that the session is over. */
  close(): void {
    this.#stage = 'over';
    clock.clear(this.#deadline);
    this.#places?.leave(this);
    this.#held = [];
    this.#opened();
    this.#session?.close();
  }

  /** As a `Handshake`: there is a place. */
  granted(): void {
    this.#granted = true;
    void this.#open();
  }

  /** As a `Handshake`: it has lost its place. */
  ended(error: LinkError): void {
    this.#fault(error);
  }

  #begin(): void {
    const { handshakeTimeoutMs } = this.#limits;
    this.#expect(handshakeTimeoutMs, () => {
      if (this.#granted) {
        const message = `the TLS handshake was not over after ${handshakeTimeoutMs} ms`;
        void this.#settle(new TimeoutError(message, { layer: LAYER, limit: handshakeTimeoutMs }));
      } else
        this.#fault(new LinkError(`no place for a handshake after ${handshakeTimeoutMs} ms`, { layer: LAYER, limit: handshakeTimeoutMs }));
    });
  }

  #enter(): void {
    try {
      this.#places = this.#events.places();
      this.#places.enter(this);
    } catch (error) {
      this.#refuse(error);
    }
  }

  async #open(): Promise<void> {
    try {
      const session = await this.#events.open();
      if (this.#stage === 'over') session.close();
      else {
        this.#session = session;
        void session.feed(this.#held);
      }
    } catch (error) {
      this.#refuse(error);
    }
    this.#held = [];
    this.#opened();
  }

  #refuse(error: unknown): void {
    this.#refusal = asVeracruzError(error, { layer: LAYER });
    this.#places?.leave(this);
    this.#opened();
  }

  #watchUp(slices: Slices): void {
    try {
      for (const slice of slices) {
        this.#hello.push(slice);
        this.#seen.up(slice);
      }
    } catch (error) {
      this.#fault(asVeracruzError(error));
      return;
    }
    const { maxHandshakeBytes: limit } = this.#limits;
    const got = this.bytes.up + sliceBytes(slices);
    if (limit === 0 || got <= limit) return;
    const message = `${got} bytes before the end of the TLS handshake, at most ${limit}`;
    void this.#settle(new LimitError(message, { layer: LAYER, limit, got }));
  }

  async *#watched(likely: boolean): AsyncGenerator<Fetched> {
    if (this.#stage === 'new') return;
    await this.#opening;
    if (this.#session === undefined) return;
    for await (const fetched of this.#session.fetch(likely)) {
      for (const slice of fetched.data) this.#seen.down(slice);
      yield fetched;
    }
    // The manager was asked behind its last output and has not refused: the session is still there.
    if (this.#seen.answered) this.#admit();
  }

  /** The handshake takes too long, or too many bytes. The manager may know that it is over. */
  async #settle(error: VeracruzError): Promise<void> {
    if (this.#settling) return;
    this.#settling = true;
    this.#places?.leave(this);
    const there = this.#seen.replied && (await this.#session?.alive().catch(() => false)) === true;
    if (there) this.#admit();
    else this.#fault(error);
  }

  #admit(): void {
    if (this.#stage !== 'handshaking') return;
    this.#stage = 'admitted';
    clock.clear(this.#deadline);
    this.#places?.leave(this);
    this.#events.onAdmitted();
  }

  #fault(error: VeracruzError): void {
    if (this.#stage !== 'over' && this.#stage !== 'admitted') this.#events.onFault(error);
  }

  #expect(ms: number, late: () => void): void {
    clock.clear(this.#deadline);
    this.#deadline = clock.setTimeout(late, ms).unref();
  }
}
