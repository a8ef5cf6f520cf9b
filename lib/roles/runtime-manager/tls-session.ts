import { asVeracruzError, LimitError, PrincipalUnknownError, type VeracruzError } from '../../core/errors.js';
import { FLUSH } from '../../core/unit.js';
import { written } from '../../core/written.js';
import { type Slices, sliceBytes } from '../../layers/bincode/index.js';
import type { IncomingBody } from '../../layers/protobuf/index.js';
import { tlsState } from '../../layers/tls/index.js';
import type { Channel } from '../../pipeline/channel.js';
import type { managerClientStack } from '../stacks.js';
import type { ReceivedRequest, SentResponse } from './requests.js';
import { SessionPipe } from './session-pipe.js';

/** Milliseconds that GetTlsDataNeeded waits for an answer that is being made, when nobody waits behind it. */
const HOLD_MS = 1000;

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

/** What a session is at, as far as its client is concerned. See `TlsSession` for the table. */
export type SessionState = 'output' | 'over' | 'uploading' | 'digesting' | 'answering' | 'closing' | 'resting';

/** GetTlsDataNeeded, while it waits for its answer. */
interface Question {
  readonly answer: (needed: boolean) => void;
  /** Others wait behind it. */
  hurried: boolean;
}

/**
 * One TLS session of the manager: a principal's requests, one after the other, and their answers.
 *
 * SendTlsData feeds its stack, GetTlsData fetches what the stack wrote. GetTlsDataNeeded asks whether there is something to
 * fetch; GetTlsData with nothing there waits for the same (a Server that expects an answer need not ask first). The answer
 * follows from the session's state, and the state from what has been counted, in this order:
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
 * What moves it:
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
 * A question that waits is looked at again at each of these events. It is answered false after a second, and at once when
 * others wait behind it (`hurry`), unless more than 8 MiB of an upload wait: nothing but the client can be missing by then, or
 * it takes long.
 */
export class TlsSession {
  readonly id: number;
  readonly #pipe: SessionPipe;
  readonly #channel: Channel<ReceivedRequest | SentResponse>;
  readonly #events: SessionEvents;
  readonly #maxBacklogBytes: number;
  /** The body that is arriving, or has arrived and is being read. */
  #body: IncomingBody | undefined;
  /** A request is being answered. */
  #serving = false;
  /** Came while one was being answered. */
  readonly #next: ReceivedRequest[] = [];
  /** For each FLUSH on its way to the top: the bytes that had been fed before it. */
  readonly #flushes: number[] = [];
  /** Bytes of ciphertext that are known to be digested. */
  #digestedBytes = 0;
  /** Requests that have come and whose answer is not all out. */
  #answersDue = 0;
  /** No more requests will come. */
  #clientEnded = false;
  /** GetTlsData was asked last, and there was nothing. */
  #inVain = false;
  readonly #gone = new AbortController();
  #ended = false;
  /** A question was hurried, and what it waited for has not come since. */
  #slow = false;
  #questions: Question[] = [];

  constructor(id: number, clientStack: ReturnType<typeof managerClientStack>, { maxBacklogBytes }: SessionOptions, events: SessionEvents) {
    this.id = id;
    this.#events = events;
    this.#maxBacklogBytes = maxBacklogBytes;
    this.#pipe = new SessionPipe({
      onOutput: () => this.#progress(),
      onMessageOut: () => {
        this.#answersDue--;
        this.#slow = false;
        this.#progress();
      },
    });
    this.#channel = clientStack.over(this.#pipe, { session: String(id) });
    let failure: VeracruzError | undefined;
    this.#channel.on('error', (error) => {
      failure = asVeracruzError(error);
    });
    this.#channel.on('close', () => {
      this.#ended = true;
      this.#gone.abort();
      this.#progress();
      events.onEnd(this, failure);
    });
    this.#channel.on('data', (item: ReceivedRequest | typeof FLUSH) => {
      if (item === FLUSH) this.#digested();
      else this.#take(item);
    });
    this.#channel.on('end', () => this.#clientEnd());
  }

  /** What the session is at. */
  get state(): SessionState {
    if (this.#pipe.outputBytes > 0) return 'output';
    if (this.#ended) return 'over';
    if (this.#uploading) return 'uploading';
    if (this.#flushes.length > 0) return 'digesting';
    if (this.#answersDue > 0) return 'answering';
    return this.#clientEnded ? 'closing' : 'resting';
  }

  /** True when the stack is gone and nothing waits to be fetched any more. */
  get over(): boolean {
    return this.state === 'over';
  }

  /** SendTlsData: takes ciphertext. False when the session is gone; it goes when more waits already than may. */
  feed(data: Slices): boolean {
    if (this.#ended || this.#channel.destroyed) return false;
    const got = this.#backlogBytes;
    const limit = this.#backlogLimit();
    if (got > limit) {
      const figures = { layer: 'runtime-manager', session: String(this.id), got, limit };
      this.destroy(new LimitError(`more ciphertext while ${got} bytes wait, at most ${limit} may`, figures));
      return false;
    }
    this.#inVain = false;
    // After the client's close_notify nothing comes out any more. The FLUSH may come out before `feed` returns.
    if (!this.#clientEnded) this.#flushes.push(this.#pipe.fedBytes + sliceBytes(data));
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
  needed(): boolean | { readonly needed: Promise<boolean>; readonly slow: boolean; hurry(): void } {
    const now = this.#judge();
    // A Server that did not ask first: its GetTlsData has waited already, and this one is not to wait again.
    const inVain = this.#inVain;
    this.#inVain = false;
    if (now !== undefined) return now;
    if (inVain) return false;
    return this.#ask();
  }

  /** Ends the session at once, without a word to the client. */
  destroy(error?: VeracruzError): void {
    this.#channel.destroy(error);
  }

  /** The answer to GetTlsDataNeeded in the state of now; undefined: it has to wait. */
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
    let deadline: NodeJS.Timeout | undefined;
    let question: Question | undefined;
    const needed = new Promise<boolean>((resolve) => {
      question = {
        hurried: false,
        answer: (answer) => {
          clearTimeout(deadline);
          this.#questions = this.#questions.filter((other) => other !== question);
          resolve(answer);
        },
      };
      this.#questions.push(question);
      deadline = setTimeout(question.answer, HOLD_MS, false);
    });
    const hurry = () => {
      if (question !== undefined) question.hurried = true;
      this.#progress();
    };
    return { needed, slow: this.#slow, hurry };
  }

  /** Something was counted: looks at the questions that wait. */
  #progress(): void {
    if (this.#questions.length === 0) return;
    const answer = this.#judge();
    // What waits for a handshake or a program moves no sooner for holding up the link.
    const heedless = this.state === 'uploading' && this.#backlogBytes > HURRY_BACKLOG_BYTES;
    for (const question of this.#questions) {
      if (answer !== undefined) question.answer(answer);
      else if (question.hurried && !heedless) {
        this.#slow = true;
        question.answer(false);
      }
    }
  }

  /** A FLUSH has come out at the top: all that was fed before it is digested. */
  #digested(): void {
    this.#digestedBytes = this.#flushes.shift() ?? this.#digestedBytes;
    if (this.#answersDue === 0) this.#slow = false;
    this.#progress();
  }

  /** The client's close_notify: what was fed behind it comes out nowhere. */
  #clientEnd(): void {
    this.#clientEnded = true;
    this.#flushes.length = 0;
    this.#digestedBytes = this.#pipe.fedBytes;
    // Our close_notify is said when the last answer is.
    if (!this.#serving) this.#channel.end();
    this.#progress();
  }

  /** Answers the requests one after the other; what comes meanwhile waits. */
  #take(request: ReceivedRequest): void {
    this.#answersDue++;
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
        const response = await this.#events.answer(request, this.#principal(), this.#gone.signal);
        // A body that the answer did not care for is skipped, so that the next request is found.
        this.#body?.destroy();
        this.#body = undefined;
        await written(this.#channel, response);
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

  /** Ciphertext that was fed and is not known to be digested. */
  get #backlogBytes(): number {
    return this.#pipe.fedBytes - this.#digestedBytes;
  }

  /** Once a handshake runs, TLS takes what comes, or refuses it: what waits then waits for the session's own requests. */
  #backlogLimit(): number {
    const phase = tlsState(this.#channel.connection)?.phase;
    return phase === 'waiting' || phase === 'queued' ? Math.min(STRANGER_BACKLOG_BYTES, this.#maxBacklogBytes) : this.#maxBacklogBytes;
  }

  /**
   * A body lacks more bytes than all ciphertext can hold that was fed and has not come out of TLS yet: whatever is still
   * on its way through the layers, the client has more to send.
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
