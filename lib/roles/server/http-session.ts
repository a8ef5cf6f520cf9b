import type { IncomingMessage, ServerResponse } from 'node:http';
import { clock } from '../../core/clock.js';
import { drained } from '../../core/drained.js';
import { LimitError, LinkError, SessionUnknownError, TransportError, type VeracruzError } from '../../core/errors.js';
import { BODY_END, BOUNDARY, type BoundedChunk, FLUSH, type ItemChunk } from '../../core/unit.js';
import { sliceBytes } from '../../layers/bincode/index.js';
import type { Channel } from '../../pipeline/channel.js';
import type { BufferPool } from '../../transports/body-buffer.js';
import { type BegunBody, HttpBodies } from '../../transports/http-bodies.js';
import { plain } from '../http-answers.js';
import { serverClientStack } from '../stacks.js';
import { statusOf } from './http-front.js';
import type { SessionGate } from './session-gate.js';
import type { SessionName } from './session-ids.js';

/** Between the bodies of a client's POSTs and the manager's ciphertext. It is written FLUSH besides its items. */
type RelayChannel = Channel<ItemChunk | typeof FLUSH, BoundedChunk>;

const LAYER = 'server';
/** Bytes of ciphertext up to which a POST is expected to be answered soon. A larger POST may be part of an upload. */
const SMALL_POST_BYTES = 16 * 1024;
/** Bytes of ciphertext that are gathered for one request to the manager. */
const GATHER_BYTES = 256 * 1024;

export interface HttpSessionLimits {
  /** Most bytes in the body of a POST. */
  readonly maxBodyBytes: number;
  /** Most POSTs of one session under way at once. */
  readonly maxPipelinedPosts: number;
}

export interface SessionEvents<Session> {
  /** The session is over. `error` is set when a fault ended it. */
  onEnd(session: Session, error: VeracruzError | undefined): void;
  /** The Runtime Manager has shut down at a client's request, and the answer was sent or the client is gone. */
  onInactive(): void;
}

/** The state of a session. See `HttpSession` for the table. */
export type HttpSessionState = 'idle' | 'relaying' | 'answering' | 'over';

/**
 * A session over HTTP: relays ciphertext from a client's POSTs to the Runtime Manager, and the manager's ciphertext into the
 * answers. The Server cannot decrypt either.
 *
 *     body ─▶ session ─▶ base64 ─▶ SendTlsData…                 (some slices in one, pipelined)
 *     answer ◀─ session ◀─ base64 ◀─ TlsData ◀─ GetTlsDataNeeded / GetTlsData until there is no more
 *
 * Bodies are relayed in the order of arrival. A body may arrive while the answer to the POST before it is still being
 * fetched. Only one answer is fetched at a time, since two fetches would each get part of the session's bytes.
 *
 *     state      is                                            leaves to
 *     idle       no POST is under way                          relaying
 *     relaying   the body of a POST is arriving                answering, at its end
 *     answering  all bodies have come; an answer is due        idle, when the last is out; relaying, with the next POST
 *     over       the session is ended
 *
 *     event                       idle       relaying                    answering                over
 *     POST                        relaying   waits for its turn          relaying                 -
 *     ciphertext                  -          gathered, fed               -                        -
 *     end of a body               -          fed; its answer is fetched  -                        -
 *     the answer is complete      -          goes out                    goes out                 -
 *     a body is bad               -          400; see below              -                        -
 *     more POSTs than may wait    -          413, over                   413, over                -
 *     the manager refuses         -          404, over                   404, over                -
 *     the link is lost            503, over  503, over                   503, over                -
 *     the same after a shutdown   404, over  404, over                   404, over                -
 *     the client goes away        -          over                        over                     -
 *     DELETE, idle, shutdown      over       over                        over                     -
 *     no handshake in time        over       408, over                   408, over                -
 *
 * A bad body leaves the session unchanged if none of its bytes were fed and no other POST is under way. Otherwise it ends the
 * session, because output would be lost, and a TLS stream cannot go on with bytes missing.
 */
export class HttpSession {
  readonly name: SessionName;
  /** Time of the last ciphertext, `clock.monotonic()`. Any POST counts too, once the manager has sent ciphertext. */
  lastActive = clock.monotonic();
  /** The same session at its Runtime Manager. */
  readonly manager: SessionGate;
  readonly #limits: HttpSessionLimits;
  readonly #pool: BufferPool;
  readonly #events: SessionEvents<HttpSession>;
  #bodies: HttpBodies;
  #channel: RelayChannel;
  /** The connection that the POSTs under way came on, or the last one. */
  #owner: unknown;
  /** The newest answer: it is being fetched, or waits for those before it. */
  #fetching: Promise<void> | undefined;
  /** Ciphertext of the present body has already gone to the Runtime Manager. */
  #fed = false;
  /** An answer has told that the manager shuts down. */
  #inactive = false;
  #ended = false;

  /** @param pool provides the Buffers that answers are written in */
  constructor(name: SessionName, manager: SessionGate, limits: HttpSessionLimits, pool: BufferPool, events: SessionEvents<HttpSession>) {
    this.name = name;
    this.manager = manager;
    this.#limits = limits;
    this.#pool = pool;
    this.#events = events;
    [this.#bodies, this.#channel] = this.#open();
  }

  /** The session's state. */
  get state(): HttpSessionState {
    if (this.#ended) return 'over';
    if (this.pending === 0) return 'idle';
    return this.#bodies.reading ? 'relaying' : 'answering';
  }

  /** True while a POST awaits its answer. */
  get answerDue(): boolean {
    return this.pending > 0;
  }

  /** Number of POSTs under way. */
  get pending(): number {
    return this.#bodies.pending;
  }

  /** The connection that its last POST came on. */
  get connection(): unknown {
    return this.#owner;
  }

  /** True while POSTs of another connection are under way. */
  busyFor(connection: unknown): boolean {
    return this.pending > 0 && this.#owner !== connection;
  }

  /** Takes a POST of this session. The caller has checked `busyFor`. */
  accept(request: IncomingMessage, response: ServerResponse, body: BegunBody): void {
    this.#polled();
    this.#owner = request.socket;
    if (this.pending >= this.#limits.maxPipelinedPosts) {
      const limit = this.#limits.maxPipelinedPosts;
      const error = new LimitError(`${this.pending + 1} POSTs under way, at most ${limit}`, { layer: LAYER, limit });
      this.#fail(error);
      plain(request, response, statusOf(error), error.message);
      return;
    }
    this.#bodies.accept(request, response, body, () => this.#polled());
  }

  /**
   * Ends the session. POSTs under way are answered with `status` and `text`; the Runtime Manager is told to close its side.
   */
  end(status: number, text: string, error?: VeracruzError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#bodies.refuse(status, text);
    this.#channel.destroy();
    this.manager.close();
    this.#events.onEnd(this, error);
  }

  /** The link to the manager is gone. That is no fault where the manager has told this session that it shuts down. */
  linkLost(error: LinkError | undefined, doubt: string | undefined): void {
    if (this.#inactive) this.end(404, 'the Runtime Manager has shut down');
    else this.end(503, `the Runtime Manager is not there${doubt === undefined ? '' : ` and has never answered: ${doubt}`}`, error);
  }

  /** Ends the session, because another one needs its place. */
  yield(error: LinkError): void {
    this.end(503, error.message, error);
  }

  /** Ends the session, because of something that was found outside of a POST. */
  fail(error: VeracruzError): void {
    this.end(statusOf(error), error.message, error);
  }

  /** A POST counts as a sign of life only after output of the manager: empty POSTs alone must not keep a session open. */
  #polled(): void {
    if (this.manager.bytes.down > 0) this.lastActive = clock.monotonic();
  }

  #open(): [HttpBodies, RelayChannel] {
    const { maxBodyBytes } = this.#limits;
    const bodies = new HttpBodies(maxBodyBytes, { 'x-veracruz-max-body-bytes': String(maxBodyBytes) }, this.#pool);
    const channel = serverClientStack(this.name.id, { deferred: true }).over(bodies, { session: String(this.name.number) }) as RelayChannel;
    channel.on('error', (error) => this.#fail(error));
    this.#relay(channel);
    return [bodies, channel];
  }

  /**
   * Feeds the manager, several chunks in one request: whenever `GATHER_BYTES` have come, and the rest at the end of a body.
   * The last chunk is held back until the next one comes. So a body of one chunk reaches TLS only after the whole body was
   * found to be valid.
   */
  #relay(channel: RelayChannel): void {
    let held: Buffer[] = [];
    let heldBytes = 0;
    let postBytes = 0;
    const feed = (keep: number) => {
      const slices = held.slice(0, held.length - keep);
      held = held.slice(slices.length);
      heldBytes = sliceBytes(held);
      if (slices.length === 0 || channel.destroyed) return;
      this.#fed = true;
      const room = this.manager.feed(slices);
      if (room === undefined) return;
      channel.pause();
      void room.then(() => channel.resume());
    };
    channel.on('data', (chunk) => {
      if (chunk === BOUNDARY) {
        feed(0);
        this.#fed = false;
        const small = postBytes <= SMALL_POST_BYTES;
        postBytes = 0;
        this.#fetch(channel, small);
        return;
      }
      this.lastActive = clock.monotonic();
      held.push(chunk);
      heldBytes += chunk.length;
      postBytes += chunk.length;
      if (heldBytes >= GATHER_BYTES) feed(1);
    });
  }

  /**
   * Fetches an answer after those before it. The first is fetched at once, so that its request travels with what was just
   * fed.
   */
  #fetch(channel: RelayChannel, small: boolean): void {
    const answer = () => this.#answer(channel, small);
    const fetching = this.#fetching === undefined ? answer() : this.#fetching.then(answer);
    this.#fetching = fetching;
    void fetching.then(() => {
      if (this.#fetching === fetching) this.#fetching = undefined;
    });
  }

  /** Fetches what the Runtime Manager has for the client and puts it into the answer of the first POST under way. */
  async #answer(channel: RelayChannel, small: boolean): Promise<void> {
    if (this.#ended || channel.destroyed) return;
    const bodies = this.#bodies;
    let items = 0;
    let inactive = false;
    try {
      for await (const { data, active } of this.manager.fetch(small)) {
        inactive ||= !active;
        if (channel.destroyed) return;
        this.lastActive = clock.monotonic();
        items++;
        for (const slice of data) if (!channel.write(slice)) await drained(channel);
        // This part of a long answer goes out now, since the next item may take a while.
        channel.write(BOUNDARY);
        if (!channel.write(FLUSH)) await drained(channel);
      }
      const refusal = this.manager.takeRefusal();
      if (refusal !== undefined && items === 0) throw refusal;
      if (!channel.destroyed) channel.write(BODY_END);
    } catch (error) {
      if (items > 0 && !bodies.destroyed) {
        // The client still gets what has arrived. It may be a TLS alert that says why the session ends.
        const answered = bodies.answered();
        channel.write(BODY_END);
        await answered;
        if (error instanceof SessionUnknownError) {
          this.end(404, error.message);
          return;
        }
      }
      this.#fail(error as VeracruzError);
    } finally {
      // Also when the client is gone: the manager has shut down in any case.
      if (inactive) this.#toldInactive();
    }
  }

  #toldInactive(): void {
    this.#inactive = true;
    this.#events.onInactive();
  }

  /** Handles an error of this session. Other sessions are not affected. */
  #fail(error: VeracruzError): void {
    if (this.#ended) return;
    if (error instanceof LinkError && this.#inactive) {
      this.end(404, 'the Runtime Manager has shut down');
    } else if (error instanceof LinkError) {
      this.end(503, error.layer === LAYER ? error.message : 'the Runtime Manager is not there', error);
    } else if (error instanceof SessionUnknownError || error instanceof TransportError) {
      this.end(404, error.message, error);
    } else if (error instanceof LimitError) {
      this.end(413, error.message, error);
    } else if (this.#fed || this.pending > 1) {
      // Output for an earlier POST would be lost, or TLS would miss part of its input: the stream cannot go on.
      this.end(400, error.message, error);
    } else {
      // None of the bad body's bytes has reached TLS, so the session goes on unchanged.
      const refused = this.#bodies;
      [this.#bodies, this.#channel] = this.#open();
      refused.refuse(400, error.message);
    }
  }
}
