import type { Duplex } from 'node:stream';
import { drained } from '../../core/drained.js';
import type { VeracruzError } from '../../core/errors.js';
import type { Request, Response } from '../../layers/bincode/index.js';
import type { Channel } from '../../pipeline/channel.js';
import { type LinkOptions, managerServerStack } from '../stacks.js';

/** An answer that may have to wait; `hurry` asks it to come soon because others wait behind it. */
export interface PendingResponse {
  readonly response: Promise<Response>;
  /** It is known to take long: who waits behind it need not have patience with it. Default false. */
  readonly slow?: boolean;
  hurry(): void;
}

/** Milliseconds that an answer may make the requests behind it wait, and the answers before it that are not out yet. */
const PATIENCE_MS = 5;

/**
 * Requests whose answers wait, beyond which no more are read until half of them are out: what carries data was handed over
 * already, so it is questions that would pile up.
 */
const MAX_DUE = 1024;

/** A request whose answer is not out yet. */
interface Due {
  readonly request: Request;
  /** Undefined: it is not its turn yet. */
  readonly response: Response | PendingResponse | undefined;
}

/**
 * The manager's end of a link: hands requests to `handle` and sends the answers in the order of arrival, which is all
 * that matches them (wire spec §D). What a session has for its client is looked up when that answer's turn has come,
 * because the answers before it may take it away; all other requests are handed over at once.
 *
 * An answer that waits holds up those behind it, whatever their session: after 5 ms of that it is told to hurry, and at once
 * when the same session has been told so before and is at the same answer still. Further questions about its own session do
 * not count: they wait for the same.
 */
export class LinkEndpoint {
  readonly #channel: Channel<Request | Response>;
  readonly #handle: (request: Request) => Response | PendingResponse;
  /** Oldest first. */
  readonly #due: Due[] = [];
  #sending = false;
  /** No more requests are read until fewer answers are due. */
  #full = false;
  /** The answer that holds up all others. */
  #awaiting: PendingResponse | undefined;
  /** Milliseconds of patience with it. */
  #patience: NodeJS.Timeout | undefined;

  constructor(
    pipe: Duplex,
    options: LinkOptions,
    handle: (request: Request) => Response | PendingResponse,
    onClose: (error: Error | undefined) => void,
  ) {
    this.#handle = handle;
    this.#channel = managerServerStack(options).over(pipe);
    let failure: Error | undefined;
    this.#channel.on('data', (request: Request) => this.#take(request));
    this.#channel.on('error', (error) => {
      failure = error;
    });
    this.#channel.on('end', () => this.#channel.end());
    this.#channel.on('close', () => {
      clearTimeout(this.#patience);
      onClose(failure);
    });
  }

  /** Ends the link at once; `reason` is what `onClose` gets. */
  destroy(reason?: VeracruzError): void {
    this.#channel.destroy(reason);
  }

  #take(request: Request): void {
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
    else if (this.#holdsUp(request)) this.#startPatience();
  }

  /** A Server that asks and does not read its answers is not asked for more questions. */
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

  /** The answer that all others wait for. Those of this tick before it go out together with it, if it does not take long. */
  async #awaited(pending: PendingResponse): Promise<Response> {
    this.#awaiting = pending;
    const releasing = this.#channel.hold() ? setTimeout(() => this.#channel.release(), PATIENCE_MS) : undefined;
    if (this.#due.some(({ request }) => this.#holdsUp(request))) this.#startPatience();
    const response = await pending.response;
    if (releasing !== undefined) {
      clearTimeout(releasing);
      this.#channel.release();
    }
    this.#awaiting = undefined;
    clearTimeout(this.#patience);
    this.#patience = undefined;
    return response;
  }

  /** The first answer holds up that of this request, which is not just another question about its session. */
  #holdsUp(request: Request): boolean {
    const first = this.#due[0]?.request;
    if (this.#awaiting === undefined || request === first) return false;
    return !isQuestion(request) || !(first !== undefined && isQuestion(first) && first.session === request.session);
  }

  #startPatience(): void {
    if (this.#awaiting?.slow === true) this.#awaiting.hurry();
    else
      this.#patience ??= setTimeout(() => {
        this.#patience = undefined;
        this.#awaiting?.hurry();
      }, PATIENCE_MS);
  }
}

/** Asks what a session has for its client. */
function isQuestion(request: Request): request is Extract<Request, { kind: 'GetTlsData' | 'GetTlsDataNeeded' }> {
  return request.kind === 'GetTlsData' || request.kind === 'GetTlsDataNeeded';
}
