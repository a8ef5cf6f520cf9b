import type { Duplex } from 'node:stream';
import { clock, type Timer } from '../../core/clock.js';
import { drained } from '../../core/drained.js';
import { LinkError } from '../../core/errors.js';
import { Semaphore } from '../../core/semaphore.js';
import type { Request, Response, Sent } from '../../layers/bincode/index.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import type { FrameKind } from '../../layers/frame/index.js';
import type { Channel } from '../../pipeline/channel.js';
import { type LinkOptions, serverManagerStack } from '../stacks.js';

const LAYER = 'link';
/**
 * GetTlsData requests that may be under way at once on a VirtIO console. Such a console holds about 110 KiB and drops what
 * its host does not read in time; a manager behind one answers with at most 8,000 bytes.
 */
const CONSOLE_FETCHES = 8;
/** Bytes of ciphertext in one SendTlsData: well below the frame limit of either end, and less on a console, which is slow. */
const SEND_BYTES = 256 * 1024;
const CONSOLE_SEND_BYTES = 48 * 1024;

type Answered = (error: LinkError | undefined, response: Response | undefined) => void;

export interface ManagerLinkOptions extends LinkOptions {
  /** Milliseconds that the manager may stay silent while a request is unanswered; 0 for no limit. */
  readonly maxSilenceMs: number;
  /** Whether GetTlsData may be sent before the manager has said that it has data. Never done on a console, which is slow. */
  readonly askAhead: boolean;
}

/**
 * The Server's end of the link to one Runtime Manager. Requests are pipelined. They carry no number, so the order alone
 * matches answers to requests: first in, first out (wire spec §D).
 *
 * When the link fails, every request under way gets the same `LinkError`, and so does every later request.
 */
export class ManagerLink {
  readonly #channel: Channel<Sent<'request'>, Response>;
  #waiting: Answered[] = [];
  /** Index of the oldest unanswered request in `#waiting`. Used entries are cut off only now and then, which is cheaper. */
  #head = 0;
  #failure: LinkError | undefined;
  /** Time of the last answer, or of a later request that found none unanswered: `clock.monotonic()`. */
  #heard = 0;
  /** The manager has answered a request: both ends speak the same. */
  #answered = false;
  /** Our side of the link is ended. */
  #ended = false;
  readonly #watch: Timer | undefined;
  /** A permit for each GetTlsData that may be sent before one is answered. */
  readonly #fetches: Semaphore;
  readonly dialect: Dialect;
  readonly frame: FrameKind;
  /** Whether GetTlsData may be sent before the manager has said that it has data. */
  readonly asksAhead: boolean;
  /** Most bytes of ciphertext in one SendTlsData. */
  readonly maxSendBytes: number;

  /**
   * @param pipe the connected socket; the link owns it
   * @param onClose called once when the link has closed, with the error that every request gets
   */
  constructor(pipe: Duplex, options: ManagerLinkOptions, onClose: (error: LinkError | undefined) => void) {
    this.dialect = options.dialect;
    this.frame = options.frame;
    const console = options.frame === 'icecap4';
    this.#fetches = new Semaphore(console ? CONSOLE_FETCHES : Number.POSITIVE_INFINITY);
    this.asksAhead = options.askAhead && !console;
    this.maxSendBytes = console ? CONSOLE_SEND_BYTES : SEND_BYTES;
    this.#channel = serverManagerStack(options).over(pipe);
    this.#channel.on('data', (response) => this.#answer(response));
    this.#channel.on('error', (cause) =>
      this.#fail(new LinkError(`the link to the Runtime Manager failed: ${cause.message}`, { layer: LAYER, cause })),
    );
    this.#channel.on('end', () => this.#channel.destroy());
    this.#channel.on('close', () => {
      clock.clear(this.#watch);
      const pending = this.pending;
      const message = `the Runtime Manager closed the link with ${pending} requests unanswered${this.#noneBefore(pending)}`;
      this.#fail(new LinkError(message, { layer: LAYER, got: pending }));
      onClose(this.#failure);
    });
    const { maxSilenceMs } = options;
    if (maxSilenceMs > 0) this.#watch = clock.setInterval(() => this.#checkSilence(maxSilenceMs), Math.min(1000, maxSilenceMs)).unref();
  }

  /** Number of unanswered requests. */
  get pending(): number {
    return this.#waiting.length - this.#head;
  }

  /** Sends a request; `answered` is called exactly once. Returns false when the next data should wait for `drained`. */
  send(request: Request, answered: Answered): boolean {
    if (this.#failure !== undefined) {
      answered(this.#failure, undefined);
      return true;
    }
    if (this.#ended) {
      // What is asked already is still answered. To write behind the end would destroy the link, and these answers with it.
      answered(new LinkError('the Runtime Manager has shut down', { layer: LAYER }), undefined);
      return true;
    }
    if (this.pending === 0) this.#heard = clock.monotonic();
    this.#waiting.push(answered);
    return this.#channel.write(request);
  }

  /** Sends a request and resolves with its answer. */
  call(request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.send(request, (error, response) => {
        if (response === undefined) reject(error ?? new LinkError('the link gave no answer', { layer: LAYER }));
        else resolve(response);
      });
    });
  }

  /**
   * Sends GetTlsData, on a console as soon as fewer than `CONSOLE_FETCHES` are under way. `sent` is called right after that.
   */
  async fetch(session: number, sent?: () => void): Promise<Response> {
    // `tryAcquire` first: a free permit lets the request leave in this tick, so that no later request overtakes it.
    const release = this.#fetches.tryAcquire() ?? (await this.#fetches.acquire());
    try {
      const response = this.call({ kind: 'GetTlsData', session });
      sent?.();
      return await response;
    } finally {
      release();
    }
  }

  /** Settles when the link takes more data, or is gone. */
  drained(): Promise<void> {
    return drained(this.#channel);
  }

  /** Ends the sending side: further requests fail, one by one. The link closes when the manager ends its side too, after its last answer. */
  end(): void {
    this.#ended = true;
    this.#channel.end();
  }

  /** Closes the link at once. The requests under way fail with `error`. */
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
    this.#answered = true;
    this.#heard = clock.monotonic();
    this.#waiting[this.#head++] = undefined as unknown as Answered;
    if (this.#head > 256 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    answered(undefined, response);
  }

  #checkSilence(maxSilenceMs: number): void {
    if (this.pending === 0 || clock.monotonic() - this.#heard < maxSilenceMs) return;
    this.#channel.destroy(
      new LinkError(
        `the Runtime Manager was silent for ${maxSilenceMs} ms with ${this.pending} requests unanswered${this.#noneBefore(this.pending)}`,
        {
          layer: LAYER,
          limit: maxSilenceMs,
          got: this.pending,
        },
      ),
    );
  }

  /** What may be wrong where the manager has never answered: it cannot tell that it does not understand. Else undefined. */
  get doubt(): string | undefined {
    return this.#answered ? undefined : `does it speak the dialect ${this.dialect} in frames ${this.frame}?`;
  }

  #noneBefore(pending: number): string {
    return pending === 0 || this.doubt === undefined ? '' : `, and none answered before: ${this.doubt}`;
  }

  #fail(error: LinkError): void {
    this.#failure ??= error;
    const waiting = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    for (const answered of waiting) answered(this.#failure, undefined);
  }
}

/** Name of an answer in error messages: its kind, and for a `Status` also the status. */
export function nameOf(response: Response | undefined): string {
  return response?.kind === 'Status' ? `Status(${response.status})` : (response?.kind ?? 'nothing');
}
