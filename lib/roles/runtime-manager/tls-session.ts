import { asVeracruzError, LimitError, PrincipalUnknownError, type VeracruzError } from '../../core/errors.js';
import { written } from '../../core/written.js';
import type { Slices } from '../../layers/bincode/index.js';
import type { IncomingBody } from '../../layers/protobuf/index.js';
import { tlsState } from '../../layers/tls/index.js';
import type { Channel } from '../../pipeline/channel.js';
import type { managerClientStack } from '../stacks.js';
import type { ReceivedRequest, SentResponse } from './requests.js';
import { SessionPipe } from './session-pipe.js';

/** Milliseconds that GetTlsDataNeeded waits for an answer that is being made, when nobody waits behind it. */
const HOLD_MS = 1000;

/**
 * Turns of the event loop after which a session that has nothing to do is taken to be waiting for its client: what one
 * layer passes on may reach the next in the following turn only.
 */
const QUIET_TURNS = 2;
/** Turns of the event loop between two rests of 1 ms while a session is busy. */
const BUSY_TURNS = 8;

/** Ciphertext that may wait for TLS when the client is told to send more of an upload. */
const BACKLOG_BYTES = 1024 * 1024;
/**
 * Ciphertext of an upload beyond which not even a hurry is heeded: the Server must not bring it faster than the store
 * takes it, and its own next POST already waits behind the question.
 */
const HURRY_BACKLOG_BYTES = 8 * 1024 * 1024;
/**
 * Ciphertext that may wait when more comes and the handshake has not begun. A client has nothing to say then but its
 * ClientHello; who says more is a stranger, and waits in memory.
 */
const STRANGER_BACKLOG_BYTES = 64 * 1024;

export interface SessionOptions {
  /** As `RuntimeManagerOptions`. */
  readonly maxBacklogBytes: number;
}

export interface SessionEvents {
  /**
   * Answers one request.
   *
   * @param principal place of the client's certificate in the policy's list
   * @param signal fires when the session is gone
   */
  answer(request: ReceivedRequest, principal: number, signal: AbortSignal): Promise<SentResponse>;
  /** The session's stack is gone; what waits to be fetched is still there. */
  onEnd(session: TlsSession, error: VeracruzError | undefined): void;
}

/**
 * One TLS session of the manager: a principal's requests, one after the other, and their answers.
 *
 * SendTlsData feeds its stack, GetTlsData fetches what the stack wrote. GetTlsDataNeeded is answered when all that was
 * fed is digested: true as soon as there is output; false when the session waits for the client (an upload that is not
 * complete, no request at all); and while a complete request is being answered it waits, as the original does by
 * doing everything in turn (wire spec §D). GetTlsData with nothing there waits for the same: a Server that expects an
 * answer need not ask first.
 */
export class TlsSession {
  readonly id: number;
  readonly #pipe = new SessionPipe();
  readonly #channel: Channel<ReceivedRequest | SentResponse>;
  readonly #events: SessionEvents;
  readonly #maxBacklogBytes: number;
  /** The body that is arriving, or has arrived and is being read. */
  #body: IncomingBody | undefined;
  /** A request is being answered. */
  #serving = false;
  /** Came while one was being answered. */
  readonly #next: ReceivedRequest[] = [];
  /** No more requests will come. */
  #clientEnded = false;
  /** Requests have come that are not answered. */
  #answering = false;
  /** Something was answered since ciphertext was fed last. */
  #answered = false;
  /** GetTlsData was asked last, and there was nothing. */
  #inVain = false;
  readonly #gone = new AbortController();
  #ended = false;
  #waiters: (() => void)[] = [];
  /** Cuts a turn short that waits for output. */
  #onOutput: (() => void) | undefined;
  /** Turns of the event loop, one after the other, in which nothing was found to move. */
  #quietTurns = 0;
  #looking: NodeJS.Immediate | undefined;

  constructor(id: number, clientStack: ReturnType<typeof managerClientStack>, { maxBacklogBytes }: SessionOptions, events: SessionEvents) {
    this.id = id;
    this.#events = events;
    this.#maxBacklogBytes = maxBacklogBytes;
    this.#channel = clientStack.over(this.#pipe, { session: String(id) });
    this.#pipe.onProgress = () => this.#progress();
    let failure: VeracruzError | undefined;
    this.#channel.on('error', (error) => {
      failure = asVeracruzError(error);
    });
    this.#channel.on('close', () => {
      this.#ended = true;
      clearImmediate(this.#looking);
      this.#gone.abort();
      this.#progress();
      events.onEnd(this, failure);
    });
    this.#channel.on('data', (request: ReceivedRequest) => this.#take(request));
    this.#channel.on('end', () => {
      this.#clientEnded = true;
      // Our close_notify is said when the last answer is.
      if (!this.#serving) this.#channel.end();
    });
  }

  /** True when the stack is gone and nothing waits to be fetched any more. */
  get over(): boolean {
    return this.#ended && this.#pipe.outputBytes === 0;
  }

  /** SendTlsData: takes ciphertext. False when the session is gone; it goes when more waits already than may. */
  feed(data: Slices): boolean {
    if (this.#ended || this.#channel.destroyed) return false;
    const got = this.#pipe.readableLength;
    const limit = this.#backlogLimit();
    if (got > limit) {
      const figures = { layer: 'runtime-manager', session: String(this.id), got, limit };
      this.destroy(new LimitError(`more ciphertext while ${got} bytes wait, at most ${limit} may`, figures));
      return false;
    }
    this.#quietTurns = 0;
    this.#answered = false;
    this.#inVain = false;
    this.#pipe.feed(data);
    return true;
  }

  /** GetTlsData: ciphertext for the client, at most `max` bytes. */
  fetch(max: number): Slices {
    const data = this.#pipe.fetch(max);
    this.#inVain = data.length === 0;
    return data;
  }

  /** GetTlsDataNeeded: whether there is something to fetch, at once or when that is known. */
  needed(): boolean | { readonly needed: Promise<boolean>; hurry(): void } {
    if (this.#pipe.outputBytes > 0) {
      this.#lookAhead();
      return true;
    }
    // A Server that did not ask first: its GetTlsData has waited already, and this one is not to wait again.
    const inVain = this.#inVain;
    this.#inVain = false;
    if (inVain || this.#ended || this.#uploadWantsMore() || this.#atRest()) return false;
    let hurried = false;
    const hurry = () => {
      hurried = true;
      this.#progress();
    };
    return { needed: this.#awaitOutput(() => hurried), hurry };
  }

  /** Ends the session at once, without a word to the client. */
  destroy(error?: VeracruzError): void {
    this.#channel.destroy(error);
  }

  /** Answers the requests one after the other; what comes meanwhile waits. */
  #take(request: ReceivedRequest): void {
    if (this.#serving) {
      this.#next.push(request);
      this.#channel.pause();
    } else void this.#serve(request);
  }

  async #serve(first: ReceivedRequest): Promise<void> {
    this.#serving = true;
    try {
      for (let request: ReceivedRequest | undefined = first; request !== undefined; request = this.#next.shift()) {
        this.#body = bodyOf(request);
        this.#answering = true;
        const response = await this.#events.answer(request, this.#principal(), this.#gone.signal);
        // A body that the answer did not care for is skipped, so that the next request is found.
        this.#body?.destroy();
        this.#body = undefined;
        await written(this.#channel, response);
        this.#answering = this.#next.length > 0 || this.#channel.readableLength > 0;
        this.#answered = true;
        this.#progress();
      }
      this.#serving = false;
      if (this.#clientEnded) this.#channel.end();
      else if (this.#channel.isPaused()) this.#channel.resume();
    } catch (error) {
      this.#channel.destroy(asVeracruzError(error, { layer: 'runtime-manager', session: String(this.id) }));
    }
  }

  /** TLS lets nobody in whom it does not know; if it did, this would be no identity's session, not the first one's. */
  #principal(): number {
    const principal = tlsState(this.#channel.connection)?.principal;
    if (principal === undefined) throw new PrincipalUnknownError('the client is no identity of the policy', { layer: 'runtime-manager' });
    return principal;
  }

  /** Waits until there is output, or none is to be expected. */
  async #awaitOutput(hurried: () => boolean): Promise<boolean> {
    const deadline = performance.now() + HOLD_MS;
    let busyTurns = 0;
    clearImmediate(this.#looking);
    for (;;) {
      if (this.#pipe.outputBytes > 0) {
        this.#lookAhead();
        return true;
      }
      if (this.#ended || performance.now() > deadline) return false;
      // What waits for a handshake or a program moves no sooner for holding up the link.
      if (hurried() && (this.#pipe.readableLength <= HURRY_BACKLOG_BYTES || !this.#uploadGoesOn())) return false;
      if (this.#uploadWantsMore()) return false;
      if (this.#uploadGoesOn()) {
        await this.#nextProgress(deadline - performance.now());
      } else if (!this.#digested()) {
        this.#quietTurns = 0;
        // While the layers are at work a turn is enough; a slow disk is not waited for by spinning.
        if (++busyTurns % BUSY_TURNS !== 0) await this.#turn();
        else await this.#nextProgress(1);
      } else if (this.#atRest()) {
        return false;
      } else if (this.#quietTurns < QUIET_TURNS) {
        this.#quietTurns++;
        await this.#turn();
      } else if (this.#answerIsDue()) {
        await this.#nextProgress(deadline - performance.now());
      } else return false;
    }
  }

  /**
   * There is output, so the question is asked again when it has been fetched. Whether more is to be expected is found out
   * while the Server is at work on the first answer, as far as that takes a few turns.
   */
  #lookAhead(): void {
    clearImmediate(this.#looking);
    this.#quietTurns = 0;
    let turns = 0;
    const look = () => {
      this.#quietTurns = this.#digested() ? this.#quietTurns + 1 : 0;
      if (this.#quietTurns < QUIET_TURNS && ++turns < BUSY_TURNS) this.#looking = setImmediate(look);
    };
    this.#looking = setImmediate(look);
  }

  /** Once a handshake runs, TLS takes what comes, or refuses it: what waits then waits for the session's own requests. */
  #backlogLimit(): number {
    const phase = tlsState(this.#channel.connection)?.phase;
    return phase === 'waiting' || phase === 'queued' ? Math.min(STRANGER_BACKLOG_BYTES, this.#maxBacklogBytes) : this.#maxBacklogBytes;
  }

  /** The client has more of an upload to send, and TLS keeps up with what it sends. */
  #uploadWantsMore(): boolean {
    return this.#uploadGoesOn() && this.#pipe.readableLength <= BACKLOG_BYTES;
  }

  /** Nothing moves and no answer is due: the session waits for its client. Within a handshake, or at its end, that takes time to tell. */
  #atRest(): boolean {
    const toldSoon = this.#answered && !this.#answering && tlsState(this.#channel.connection)?.peerEnd === 'open';
    return (toldSoon || this.#quietTurns >= QUIET_TURNS) && this.#digested() && !this.#answerIsDue();
  }

  /**
   * A body lacks more bytes than all ciphertext can hold that was fed and has not come out of TLS yet: whatever is still
   * on its way through the layers, the client has more to send.
   */
  #uploadGoesOn(): boolean {
    const body = this.#body;
    if (body === undefined || body.complete || body.destroyed) return false;
    return body.length - body.received > this.#pipe.fedBytes - this.#channel.received;
  }

  /** All ciphertext that was fed has come out at the top, or is part of a body that waits for the rest. */
  #digested(): boolean {
    return this.#pipe.readableLength === 0 && this.#channel.idle;
  }

  /** A request is complete and its answer is not. */
  #answerIsDue(): boolean {
    return this.#answering && (this.#body === undefined || this.#body.complete);
  }

  #nextProgress(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(1, timeoutMs));
      this.#waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Waits a turn of the event loop, or until there is output if that is sooner. */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#onOutput = resolve;
      setImmediate(resolve);
    });
  }

  #progress(): void {
    if (this.#pipe.outputBytes > 0) this.#onOutput?.();
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

function bodyOf(request: ReceivedRequest): IncomingBody | undefined {
  return request.oneof === 'write_file' || request.oneof === 'append_file' ? request.fields.data : undefined;
}
