import type { Duplex } from 'node:stream';
import { drained } from '../../core/drained.js';
import { LinkError } from '../../core/errors.js';
import { Semaphore } from '../../core/semaphore.js';
import type { Request, Response } from '../../layers/bincode/index.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import type { FrameKind } from '../../layers/frame/index.js';
import type { Channel } from '../../pipeline/channel.js';
import { type LinkOptions, serverManagerStack } from '../stacks.js';

const LAYER = 'link';
/**
 * Answers with data that may be on their way at once from a console: a VirtIO console drops what its host does not read
 * in time, some 110 KiB fit, and the manager behind one answers with 8,000 bytes at most.
 */
const CONSOLE_FETCHES = 8;
/** Ciphertext of one SendTlsData: well below what a frame may have at either end; and on a console what soon gets through. */
const SEND_BYTES = 256 * 1024;
const CONSOLE_SEND_BYTES = 48 * 1024;

type Answered = (error: LinkError | undefined, response: Response | undefined) => void;

export interface ManagerLinkOptions extends LinkOptions {
  /** Milliseconds that the manager may stay silent with a request unanswered; 0 for ever. */
  readonly maxSilenceMs: number;
  /** GetTlsData may be sent before it is known that there is something. Not done on a console, which is slow. */
  readonly askAhead: boolean;
}

/**
 * The Server's end of the link to one Runtime Manager. Requests are pipelined: they carry no number, so the answers
 * are matched by order alone, first in, first out (wire spec §D).
 *
 * The link fails once, for everybody: every request under way gets the `LinkError`, and so does every later one.
 */
export class ManagerLink {
  readonly #channel: Channel<Request | Response>;
  #waiting: Answered[] = [];
  /** Index of the first waiting answer; the array is cut when it has run far ahead. */
  #head = 0;
  #failure: LinkError | undefined;
  /** Time of the last answer, or of the first request after a pause: `performance.now()`. */
  #heard = 0;
  readonly #watch: NodeJS.Timeout | undefined;
  /** A permit for each GetTlsData that may be sent before one is answered. */
  readonly #fetches: Semaphore;
  readonly dialect: Dialect;
  readonly frame: FrameKind;
  /** GetTlsData may be sent before it is known that there is something. */
  readonly asksAhead: boolean;
  /** Bytes of ciphertext that one SendTlsData may have. */
  readonly maxSendBytes: number;

  /**
   * @param pipe the connected socket; the link owns it
   * @param onClose called once, with the fault if there was one
   */
  constructor(pipe: Duplex, options: ManagerLinkOptions, onClose: (error: LinkError | undefined) => void) {
    this.dialect = options.dialect;
    this.frame = options.frame;
    const console = options.frame === 'icecap4';
    this.#fetches = new Semaphore(console ? CONSOLE_FETCHES : Number.POSITIVE_INFINITY);
    this.asksAhead = options.askAhead && !console;
    this.maxSendBytes = console ? CONSOLE_SEND_BYTES : SEND_BYTES;
    this.#channel = serverManagerStack(options).over(pipe);
    this.#channel.on('data', (response: Response) => this.#answer(response));
    this.#channel.on('error', (cause) =>
      this.#fail(new LinkError(`the link to the Runtime Manager failed: ${cause.message}`, { layer: LAYER, cause })),
    );
    this.#channel.on('end', () => this.#channel.destroy());
    this.#channel.on('close', () => {
      clearInterval(this.#watch);
      const pending = this.pending;
      this.#fail(new LinkError(`the Runtime Manager closed the link with ${pending} requests unanswered`, { layer: LAYER, got: pending }));
      onClose(this.#failure);
    });
    const { maxSilenceMs } = options;
    if (maxSilenceMs > 0) this.#watch = setInterval(() => this.#checkSilence(maxSilenceMs), Math.min(1000, maxSilenceMs)).unref();
  }

  /** Requests that await their answer. */
  get pending(): number {
    return this.#waiting.length - this.#head;
  }

  /** Sends a request; `answered` is called exactly once. False: wait for `drained` before the next bulk request. */
  send(request: Request, answered: Answered): boolean {
    if (this.#failure !== undefined) {
      answered(this.#failure, undefined);
      return true;
    }
    if (this.pending === 0) this.#heard = performance.now();
    this.#waiting.push(answered);
    return this.#channel.write(request);
  }

  /** Sends a request and gives its answer. */
  call(request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.send(request, (error, response) => {
        if (response === undefined) reject(error ?? new LinkError('the link gave no answer', { layer: LAYER }));
        else resolve(response);
      });
    });
  }

  /** GetTlsData, in its turn where the upstream takes only so many at once. `sent` is called when it is on its way. */
  async fetch(session: number, sent?: () => void): Promise<Response> {
    // Sent at once where that may be: a request that follows must not overtake it.
    const release = this.#fetches.tryAcquire() ?? (await this.#fetches.acquire());
    try {
      const response = this.call({ kind: 'GetTlsData', session });
      sent?.();
      return await response;
    } finally {
      release();
    }
  }

  /** Settles when the link takes bulk again, or is gone. */
  drained(): Promise<void> {
    return drained(this.#channel);
  }

  /** Closes the link when what was asked is answered. */
  end(): void {
    this.#channel.end();
  }

  /** Closes the link at once; `error` is what the requests under way get. */
  destroy(error: LinkError = new LinkError('the link is closed', { layer: LAYER })): void {
    this.#failure ??= error;
    this.#channel.destroy();
  }

  #answer(response: Response): void {
    const answered = this.#waiting[this.#head];
    if (answered === undefined) {
      this.#channel.destroy(
        new LinkError(`the Runtime Manager sent ${response.kind} that nobody asked for`, { layer: LAYER, got: response.kind }),
      );
      return;
    }
    this.#heard = performance.now();
    this.#waiting[this.#head++] = undefined as unknown as Answered;
    if (this.#head > 256 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    answered(undefined, response);
  }

  #checkSilence(maxSilenceMs: number): void {
    if (this.pending === 0 || performance.now() - this.#heard < maxSilenceMs) return;
    this.#channel.destroy(
      new LinkError(`the Runtime Manager was silent for ${maxSilenceMs} ms with ${this.pending} requests unanswered`, {
        layer: LAYER,
        limit: maxSilenceMs,
        got: this.pending,
      }),
    );
  }

  #fail(error: LinkError): void {
    this.#failure ??= error;
    const waiting = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    for (const answered of waiting) answered(this.#failure, undefined);
  }
}

/** What an answer is called in errors: its kind, with the status of a `Status`. */
export function nameOf(response: Response | undefined): string {
  return response?.kind === 'Status' ? `Status(${response.status})` : (response?.kind ?? 'nothing');
}
