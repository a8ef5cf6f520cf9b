import { clock, type Timer } from '../../core/clock.js';
import { asVeracruzError, type BusyError, LimitError, PrincipalUnknownError, type VeracruzError } from '../../core/errors.js';
import { FLUSH } from '../../core/unit.js';
import { written } from '../../core/written.js';
import { type Slices, sliceBytes } from '../../layers/bincode/index.js';
import type { IncomingBody } from '../../layers/protobuf/index.js';
import { destroySource } from '../../layers/protobuf/source-reader.js';
import { tlsState } from '../../layers/tls/index.js';
import type { Channel } from '../../pipeline/channel.js';
import type { managerClientStack } from '../stacks.js';
import type { Accounts } from './accounts.js';
import type { ReceivedRequest, SentResponse } from './requests.js';
import { SessionAccount } from './session-account.js';
import { SessionPipe } from './session-pipe.js';

/** Milliseconds that GetTlsDataNeeded waits for an answer in the making, as long as no other request waits behind it. */
const HOLD_MS = 1000;

/** Bytes of ciphertext that may wait for TLS while the client is still told to send more of an upload. */
const BACKLOG_BYTES = 1024 * 1024;
/**
 * Bytes of ciphertext that may already wait when more arrives before the TLS handshake has begun. A client needs to send
 * only its ClientHello by then. The limit keeps a peer that sends more from filling the memory.
 */
const STRANGER_BACKLOG_BYTES = 64 * 1024;
/**
 * The same while TLS has not told whose session it is, and nobody's account has it: the handshake runs, or waits for its turn
 * to go on. A client may send its first requests right behind it.
 */
const HANDSHAKE_BACKLOG_BYTES = 4 * 1024 * 1024;

export interface SessionOptions {
  /** As `RuntimeManagerOptions`. */
  readonly maxBacklogBytes: number;
  readonly accounts: Accounts;
  /** Whom the session is counted for at the gate of handshakes: its link. */
  readonly origin?: string;
}

export interface SessionEvents {
  /**
   * Answers one request.
   *
   * @param principal place of the client's certificate in the policy's list
   * @param signal fires when the session is gone
   * @param refusal why this session's requests are not carried out, if they are not
   */
  answer(request: ReceivedRequest, principal: number, signal: AbortSignal, refusal: BusyError | undefined): Promise<SentResponse>;
  /** The session's stack has closed. Output that waits to be fetched is still there. */
  onEnd(session: TlsSession, error: VeracruzError | undefined): void;
}

/** The state of a session, as its client sees it. See `TlsSession` for the table. */
export type SessionState = 'output' | 'over' | 'uploading' | 'digesting' | 'answering' | 'closing' | 'resting';

/** The answer to a SendTlsData that is held back. `hurry` tells that requests of other sessions wait behind it. */
export interface Waiting {
  readonly success: Promise<boolean>;
  hurry(): void;
}

/** A GetTlsDataNeeded that waits for its answer. */
interface Question {
  readonly answer: (needed: boolean) => void;
  /** True once other requests wait behind this one. */
  hurried: boolean;
}

/**
 * One TLS session of the manager: answers a principal's requests one after the other.
 *
 * SendTlsData feeds the session's stack, and GetTlsData fetches the ciphertext that the stack wrote. GetTlsDataNeeded (the
 * "question") asks whether there is something to fetch. A GetTlsData that finds nothing waits in the same way, so that a
 * Server which expects an answer need not ask first. "Digested" bytes have passed all layers up to the top.
 *
 * The session's state decides the answer. The first line of this table that holds is the state:
 *
 *     state      is                                                                     GetTlsDataNeeded
 *     output     ciphertext waits to be fetched                                         true
 *     over       the stack is gone                                                      false
 *     uploading  the body that arrives lacks more than all that is on its way holds     false; waits while over 1 MiB waits
 *     digesting  a FLUSH that was fed has not come out at the top                       waits
 *     answering  a request has come whose answer is not all out                         waits
 *     closing    the client has said goodbye, our close_notify is not out               waits
 *     resting    none of these: the session waits for its client                        false
 *
 * These events change the state:
 *
 *     event                        counts                                   from ─▶ to, as a rule
 *     SendTlsData                  bytes fed, a FLUSH behind them           resting ─▶ digesting, uploading
 *     FLUSH comes out at the top   bytes digested                           digesting ─▶ answering, resting
 *     a request comes out          an answer that is due; its body          digesting ─▶ digesting, uploading
 *     END_OF_MESSAGE at the pipe   an answer that is out                    answering ─▶ output
 *     ciphertext at the pipe       output bytes                             any ─▶ output
 *     GetTlsData                   output bytes                             output ─▶ answering, resting, over
 *     close_notify of the client   all that was fed is digested             digesting ─▶ closing, answering
 *     the stack closes             -                                        any ─▶ output, over
 *
 * Each of these events checks the waiting questions again. A question that has waited for one second is answered false.
 * `hurry` tells a question that other requests wait behind it: it is then answered false at once.
 *
 * What makes the sender of an upload wait is the Status of SendTlsData (`HeldStatus`). It is held back while the store takes
 * the upload, but lags behind by more than 8 MiB, or by more than the principal's share of all waiting bytes (`Accounts`).
 * Beyond that share nothing waits for a session that takes nothing now, such as behind a program: of the principal's
 * sessions the one with the most waiting bytes is then ended.
 */
export class TlsSession {
  readonly id: number;
  readonly #pipe: SessionPipe;
  readonly #channel: Channel<SentResponse, ReceivedRequest | typeof FLUSH>;
  readonly #events: SessionEvents;
  readonly #maxBacklogBytes: number;
  readonly #account: SessionAccount;
  /** The file in the request that is being answered; it may still be arriving. */
  #body: IncomingBody | undefined;
  /** True while a request is being answered. */
  #serving = false;
  /** Requests that came while another one was being answered. */
  readonly #next: ReceivedRequest[] = [];
  /** For each FLUSH that has not come out at the top yet: how many bytes had been fed before it. */
  readonly #flushes: number[] = [];
  /** Bytes of ciphertext that are known to be digested. */
  #digestedBytes = 0;
  /** Requests that have come and whose answers are not completely written. */
  #answersDue = 0;
  /** The client has sent close_notify: no more requests will come. */
  #clientEnded = false;
  /** The last request of the Server for this session was a GetTlsData, and it found nothing. */
  #inVain = false;
  readonly #gone = new AbortController();
  #ended = false;
  /** A question was hurried, and the session has made no progress since. */
  #slow = false;
  /** A program or pipeline is being run: it is known that its answer takes a while. */
  #computing = false;
  #questions: Question[] = [];

  constructor(
    id: number,
    clientStack: ReturnType<typeof managerClientStack>,
    { maxBacklogBytes, accounts, origin = '' }: SessionOptions,
    events: SessionEvents,
  ) {
    this.id = id;
    this.#events = events;
    this.#maxBacklogBytes = maxBacklogBytes;
    this.#account = new SessionAccount(accounts, {
      principal: () => tlsState(this.#channel.connection)?.principal,
      backlogBytes: () => this.#backlogBytes,
      body: () => this.#body,
      destroy: (reason) => this.destroy(reason),
    });
    this.#pipe = new SessionPipe({
      onOutput: () => this.#progress(),
      onMessageOut: () => {
        this.#answersDue--;
        this.#slow = false;
        this.#progress();
      },
    });
    this.#channel = clientStack.over(this.#pipe, { session: String(id), origin });
    let failure: VeracruzError | undefined;
    this.#channel.on('error', (error) => {
      failure = asVeracruzError(error);
    });
    this.#channel.on('close', () => {
      this.#ended = true;
      this.#account.leave();
      this.#gone.abort();
      this.#progress();
      events.onEnd(this, failure);
    });
    this.#channel.on('data', (item) => {
      if (item === FLUSH) this.#digested();
      else this.#take(item);
    });
    this.#channel.on('end', () => this.#clientEnd());
  }

  /** The session's state, from what has been counted. */
  get state(): SessionState {
    if (this.#pipe.outputBytes > 0) return 'output';
    if (this.#ended) return 'over';
    if (this.#uploading) return 'uploading';
    if (this.#flushes.length > 0) return 'digesting';
    if (this.#answersDue > 0) return 'answering';
    return this.#clientEnded ? 'closing' : 'resting';
  }

  /** The client is a principal, who has not too many sessions. */
  get admitted(): boolean {
    return this.#account.refusal === undefined && tlsState(this.#channel.connection)?.principal !== undefined;
  }

  /** The stack has closed. Output may still wait to be fetched. */
  get ended(): boolean {
    return this.#ended;
  }

  /** A request is being answered of which nothing more is to come. */
  get working(): boolean {
    return this.#serving && (this.#body === undefined || this.#body.complete || this.#body.destroyed);
  }

  /** True when the stack has closed and all output was fetched. */
  get over(): boolean {
    return this.state === 'over';
  }

  /**
   * SendTlsData: takes ciphertext. Gives false when the session has ended; a backlog over the limit ends it. The answer is
   * held back when the sender is to wait (`HeldStatus`).
   */
  feed(data: Slices): boolean | Waiting {
    if (this.#ended || this.#channel.destroyed) return false;
    const got = this.#backlogBytes;
    const limit = this.#backlogLimit();
    if (got > limit) {
      const figures = { layer: 'runtime-manager', session: String(this.id), got, limit };
      this.destroy(new LimitError(`more ciphertext while ${got} bytes wait, at most ${limit} may`, figures));
      return false;
    }
    this.#inVain = false;
    // After the client's close_notify no FLUSH comes out any more. The bytes are noted first, because the FLUSH may come out
    // before `feed` returns.
    if (!this.#clientEnded) this.#flushes.push(this.#pipe.fedBytes + sliceBytes(data));
    this.#pipe.feed(data);
    const wait = this.#account.taken();
    if (wait === undefined) return !this.#channel.destroyed;
    return { success: wait.then(() => !this.#ended && !this.#channel.destroyed), hurry: () => this.#account.hurry() };
  }

  /** GetTlsData: ciphertext for the client, at most `max` bytes. */
  fetch(max: number): Slices {
    const data = this.#pipe.fetch(max);
    this.#inVain = data.length === 0;
    return data;
  }

  /** GetTlsDataNeeded: whether there is something to fetch. Gives a promise when the state must change first. */
  needed(): boolean | { readonly needed: Promise<boolean>; readonly slow: boolean; hurry(): void } {
    const now = this.#judge();
    // The Server sent GetTlsData without asking first. That GetTlsData has waited already, so this question must not.
    const inVain = this.#inVain;
    this.#inVain = false;
    if (now !== undefined) return now;
    if (inVain) return false;
    return this.#ask();
  }

  /** Ends the session at once. The client gets no close_notify. */
  destroy(error?: VeracruzError): void {
    this.#account.leave();
    this.#channel.destroy(error);
  }

  /** The answer to GetTlsDataNeeded in the present state; undefined when the question has to wait. */
  #judge(): boolean | undefined {
    switch (this.state) {
      case 'output':
        return true;
      case 'over':
      case 'resting':
        return false;
      case 'uploading':
        return this.#backlogBytes <= BACKLOG_BYTES ? false : undefined;
      case 'digesting':
      case 'answering':
      case 'closing':
        return undefined;
    }
  }

  #ask(): { readonly needed: Promise<boolean>; readonly slow: boolean; hurry(): void } {
    let deadline: Timer | undefined;
    let question: Question | undefined;
    const needed = new Promise<boolean>((resolve) => {
      question = {
        hurried: false,
        answer: (answer) => {
          clock.clear(deadline);
          this.#questions = this.#questions.filter((other) => other !== question);
          resolve(answer);
        },
      };
      this.#questions.push(question);
      deadline = clock.setTimeout(question.answer, HOLD_MS, false);
    });
    const hurry = () => {
      if (question !== undefined) question.hurried = true;
      this.#progress();
    };
    return { needed, slow: this.#slow || this.#computing, hurry };
  }

  /** Called after each event: answers the waiting questions that can be answered now. */
  #progress(): void {
    if (this.#questions.length === 0) return;
    const answer = this.#judge();
    for (const question of this.#questions) {
      if (answer !== undefined) question.answer(answer);
      else if (question.hurried) {
        this.#slow = true;
        question.answer(false);
      }
    }
  }

  /** A FLUSH has come out at the top, so everything that was fed before it is digested. */
  #digested(): void {
    this.#digestedBytes = this.#flushes.shift() ?? this.#digestedBytes;
    if (this.#answersDue === 0) this.#slow = false;
    this.#account.update();
    this.#progress();
  }

  /** The client has sent close_notify. Bytes that were fed after it never come out, so they count as digested. */
  #clientEnd(): void {
    this.#clientEnded = true;
    this.#flushes.length = 0;
    this.#digestedBytes = this.#pipe.fedBytes;
    this.#account.update();
    // Our own close_notify follows the last answer.
    if (!this.#serving) this.#channel.end();
    this.#progress();
  }

  /** Answers a request, or queues it while another one is being answered. */
  #take(request: ReceivedRequest): void {
    this.#answersDue++;
    if (this.#serving) {
      this.#next.push(request);
      this.#channel.pause();
    } else void this.#serve(request);
  }

  async #serve(first: ReceivedRequest): Promise<void> {
    this.#serving = true;
    let response: SentResponse | undefined;
    try {
      for (let request: ReceivedRequest | undefined = first; request !== undefined; request = this.#next.shift()) {
        this.#body = bodyOf(request);
        this.#computing = request.oneof === 'request_result' || request.oneof === 'request_pipeline';
        this.#account.update();
        response = await this.#events.answer(request, this.#principal(), this.#gone.signal, this.#account.refusal);
        // The answer may have left the body unread. Destroying the body skips it, so that the next request is found.
        this.#body?.destroy();
        this.#body = undefined;
        this.#computing = false;
        await written(this.#channel, response);
        response = undefined;
        this.#account.check();
        if (this.#account.refusal !== undefined) return void this.#channel.end();
      }
      this.#serving = false;
      if (this.#clientEnded) this.#channel.end();
      else if (this.#channel.isPaused()) this.#channel.resume();
    } catch (error) {
      // An answer that was not taken is still ours, and so is the open file in it.
      destroySource((response?.fields as { data?: unknown } | undefined)?.data, null);
      this.#channel.destroy(asVeracruzError(error, { layer: 'runtime-manager', session: String(this.id) }));
    }
  }

  /** TLS refuses unknown clients. If it did not, the request must fail rather than run as the policy's first identity. */
  #principal(): number {
    const principal = tlsState(this.#channel.connection)?.principal;
    if (principal === undefined) throw new PrincipalUnknownError('the client is no identity of the policy', { layer: 'runtime-manager' });
    return principal;
  }

  /** Bytes of ciphertext that were fed and are not known to be digested. */
  get #backlogBytes(): number {
    return this.#pipe.fedBytes - this.#digestedBytes;
  }

  /** Bytes that may wait when more ciphertext arrives. */
  #backlogLimit(): number {
    const phase = tlsState(this.#channel.connection)?.phase;
    // What a session sends that was refused is in nobody's account.
    const strange = phase === 'waiting' || phase === 'queued' || this.#account.refusal !== undefined;
    const limit = strange ? STRANGER_BACKLOG_BYTES : phase === 'handshake' ? HANDSHAKE_BACKLOG_BYTES : this.#maxBacklogBytes;
    return Math.min(limit, this.#maxBacklogBytes);
  }

  /**
   * The body lacks more bytes than the ciphertext that was fed and has not come out of TLS yet can hold. So the client must
   * have more to send, whatever the layers still hold.
   */
  get #uploading(): boolean {
    const body = this.#body;
    if (body === undefined || body.complete || body.destroyed) return false;
    return body.length - body.received > this.#pipe.fedBytes - this.#channel.received;
  }
}

function bodyOf(request: ReceivedRequest): IncomingBody | undefined {
  return request.oneof === 'write_file' || request.oneof === 'append_file' ? request.fields.data : undefined;
}
