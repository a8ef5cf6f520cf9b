import type { Duplex } from 'node:stream';
import { drained } from '../../core/drained.js';
import type { Request, Response } from '../../layers/bincode/index.js';
import type { Channel } from '../../pipeline/channel.js';
import { type LinkOptions, managerServerStack } from '../stacks.js';

/** An answer that may have to wait; `hurry` asks it to come soon because others wait behind it. */
export interface PendingResponse {
  readonly response: Promise<Response>;
  hurry(): void;
}

/** Milliseconds that an answer may make the requests behind it wait. */
const PATIENCE_MS = 5;

/**
 * The manager's end of a link: hands each request to `handle` in the order of arrival and sends the answers in that
 * order, which is all that matches them (wire spec §D). An answer that waits holds up those behind it, whatever their
 * session: after 5 ms of that it is told to hurry.
 */
export class LinkEndpoint {
  readonly #channel: Channel<Request | Response>;
  /** Answers that are not out yet, oldest first. */
  readonly #pending: (Response | PendingResponse)[] = [];
  #sending = false;
  #patience: NodeJS.Timeout | undefined;

  constructor(
    pipe: Duplex,
    options: LinkOptions,
    handle: (request: Request) => Response | PendingResponse,
    onClose: (error: Error | undefined) => void,
  ) {
    this.#channel = managerServerStack(options).over(pipe);
    let failure: Error | undefined;
    this.#channel.on('data', (request: Request) => this.#queue(handle(request)));
    this.#channel.on('error', (error) => {
      failure = error;
    });
    this.#channel.on('end', () => this.#channel.end());
    this.#channel.on('close', () => {
      clearTimeout(this.#patience);
      onClose(failure);
    });
  }

  destroy(): void {
    this.#channel.destroy();
  }

  #queue(response: Response | PendingResponse): void {
    if (this.#pending.length === 0 && !this.#sending && !('hurry' in response)) {
      if (!this.#channel.write(response)) this.#wait();
      return;
    }
    this.#pending.push(response);
    if (!this.#sending) void this.#send();
    else if (this.#patience === undefined) this.#startPatience();
  }

  /** A Server that asks and does not read its answers is not asked for more questions. */
  #wait(): void {
    this.#channel.pause();
    void drained(this.#channel).then(() => this.#channel.resume());
  }

  #startPatience(): void {
    this.#patience = setTimeout(() => {
      this.#patience = undefined;
      const first = this.#pending[0];
      if (first !== undefined && 'hurry' in first) first.hurry();
    }, PATIENCE_MS);
  }

  async #send(): Promise<void> {
    this.#sending = true;
    for (;;) {
      const first = this.#pending[0];
      if (first === undefined) break;
      if ('hurry' in first && this.#pending.length > 1 && this.#patience === undefined) this.#startPatience();
      const response = 'hurry' in first ? await first.response : first;
      this.#pending.shift();
      clearTimeout(this.#patience);
      this.#patience = undefined;
      if (this.#channel.destroyed) return;
      if (!this.#channel.write(response)) await drained(this.#channel);
    }
    this.#sending = false;
  }
}
