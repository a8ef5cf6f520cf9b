import type { Duplex } from 'node:stream';
import { clock, type Timer } from '../../core/clock.js';
import { drained } from '../../core/drained.js';
import type { VeracruzError } from '../../core/errors.js';
import type { Request, Response, Sent } from '../../layers/bincode/index.js';
import type { Channel } from '../../pipeline/channel.js';
import { type LinkOptions, managerServerStack } from '../stacks.js';

/** An answer that may take a while. `hurry` asks for it soon, because other answers wait behind it. */
export interface PendingResponse {
  readonly response: Promise<Response>;
  /** The answer is known to take long, so it is told to hurry at once instead of after `PATIENCE_MS`. Default false. */
  readonly slow?: boolean;
  hurry(): void;
}

/**
 * Milliseconds that a pending answer may hold up the answers behind it, and those before it that are still being gathered.
 */
const PATIENCE_MS = 5;

/**
 * Unanswered requests at which reading stops until half of the answers are out. It bounds the memory for questions
 * (GetTlsData, GetTlsDataNeeded); requests that carry data are handed over as they arrive.
 */
const MAX_DUE = 1024;

/** A request whose answer is not out yet. */
interface Due {
  readonly request: Request;
  /** Undefined for a question whose turn has not come yet. */
  readonly response: Response | PendingResponse | undefined;
}

/**
 * The manager's end of a link: hands requests to `handle` and sends the answers in the order of arrival. That order alone
 * matches answers to requests (wire spec §D).
 *
 * Requests are handed over at once, except questions (GetTlsData, GetTlsDataNeeded). A question is handed over only when
 * its answer is the next one to send, because earlier answers may take away the output that it asks for.
 *
 * A pending answer holds up all answers behind it, whatever their session. It is told to hurry after 5 ms, or at once when
 * its session is known to be slow. Further questions about the same session do not count as held up: they wait for the
 * same output.
 */
export class LinkEndpoint {
  readonly #channel: Channel<Sent<'response'>, Request>;
  readonly #handle: (request: Request) => Response | PendingResponse;
  /** Oldest first. */
  readonly #due: Due[] = [];
  #sending = false;
  #understood = false;
  /** Reading has stopped because `MAX_DUE` requests are unanswered. */
  #full = false;
  /** The pending answer that holds up all others. */
  #awaiting: PendingResponse | undefined;
  /** Fires when `#awaiting` has held up others for `PATIENCE_MS`. */
  #patience: Timer | undefined;

  constructor(
    pipe: Duplex,
    options: LinkOptions,
    handle: (request: Request) => Response | PendingResponse,
    onClose: (error: Error | undefined) => void,
  ) {
    this.#handle = handle;
    this.#channel = managerServerStack(options).over(pipe);
    let failure: Error | undefined;
    this.#channel.on('data', (request) => this.#take(request));
    this.#channel.on('error', (error) => {
      failure = error;
    });
    this.#channel.on('end', () => this.#channel.end());
    this.#channel.on('close', () => {
      clock.clear(this.#patience);
      onClose(failure);
    });
  }

  /** Ends the link at once; `reason` is what `onClose` gets. */
  destroy(reason?: VeracruzError): void {
    this.#channel.destroy(reason);
  }

  /** Whether a request has come. */
  get understood(): boolean {
    return this.#understood;
  }

  #take(request: Request): void {
    this.#understood = true;
    const next = this.#due.length === 0;
    const response = next || !isQuestion(request) ? this.#handle(request) : undefined;
    if (next && !this.#sending && response !== undefined && !('hurry' in response)) {
      if (!this.#channel.write(response)) this.#wait();
      return;
    }
    if (this.#due.push({ request, response }) >= MAX_DUE) {
      this.#full = true;
      this.#channel.pause();
    }
    if (!this.#sending) void this.#send();
    // Who waits behind what is not read any more is not known.
    else if (this.#full || this.#holdsUp(request)) this.#startPatience();
  }

  /** Stops reading requests while the Server does not read its answers. */
  #wait(): void {
    this.#channel.pause();
    void drained(this.#channel).then(() => this.#channel.resume());
  }

  async #send(): Promise<void> {
    this.#sending = true;
    for (let due = this.#due[0]; due !== undefined; due = this.#due[0]) {
      let response = due.response ?? this.#handle(due.request);
      if ('hurry' in response) response = await this.#awaited(response);
      this.#due.shift();
      if (this.#channel.destroyed) return;
      if (!this.#channel.write(response)) await drained(this.#channel);
      if (this.#full && this.#due.length <= MAX_DUE / 2) {
        this.#full = false;
        this.#channel.resume();
      }
    }
    this.#sending = false;
  }

  /** Waits for a pending answer. Earlier answers of the same tick are held back up to 5 ms, to leave together with it. */
  async #awaited(pending: PendingResponse): Promise<Response> {
    this.#awaiting = pending;
    const releasing = this.#channel.hold() ? clock.setTimeout(() => this.#channel.release(), PATIENCE_MS) : undefined;
    if (this.#due.some(({ request }) => this.#holdsUp(request))) this.#startPatience();
    const response = await pending.response;
    if (releasing !== undefined) {
      clock.clear(releasing);
      this.#channel.release();
    }
    this.#awaiting = undefined;
    clock.clear(this.#patience);
    this.#patience = undefined;
    return response;
  }

  /**
   * True when the pending answer holds up the answer to `request`. Of the same session, another question does not count, and
   * nothing does behind a SendTlsData: all of it waits for the same store.
   */
  #holdsUp(request: Request): boolean {
    const first = this.#due[0]?.request;
    if (this.#awaiting === undefined || first === undefined || request === first) return false;
    const sameSession = 'session' in first && 'session' in request && first.session === request.session;
    return !sameSession || (isQuestion(first) && !isQuestion(request));
  }

  #startPatience(): void {
    if (this.#awaiting?.slow === true) this.#awaiting.hurry();
    else
      this.#patience ??= clock.setTimeout(() => {
        this.#patience = undefined;
        this.#awaiting?.hurry();
      }, PATIENCE_MS);
  }
}

/** True for the requests that ask what a session has for its client. */
function isQuestion(request: Request): request is Extract<Request, { kind: 'GetTlsData' | 'GetTlsDataNeeded' }> {
  return request.kind === 'GetTlsData' || request.kind === 'GetTlsDataNeeded';
}
