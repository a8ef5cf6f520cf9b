import { TimeoutError } from '../../core/errors.js';
import { Mutex, type Release } from '../../core/semaphore.js';
import { StallWatch } from '../../core/stall-watch.js';
import type { IncomingBody } from '../../layers/protobuf/index.js';

const LAYER = 'client';

/** The body of a file that its caller has not read to the end. The requests behind it wait for that. */
export interface OpenBody {
  /** Name of the file. */
  readonly name: string;
  readonly body: IncomingBody;
}

export interface TurnsOptions {
  /** Milliseconds that a request waits behind a body of which nothing is read; 0 for no limit. */
  readonly waitMs: number;
  /** Milliseconds that a body may be left unread; 0 for no limit. */
  readonly readTimeoutMs: number;
  /** Called when a body was left unread for so long. */
  readonly onUnread: (error: TimeoutError) => void;
}

/** The turns of a session's requests: one after the other, in the order of the calls. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #mutex = new Mutex();
  #open: OpenBody | undefined;
  /** Differs after each turn, and after each look at a turn whose body is read, or that has none. */
  #moves = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Whether requests wait until this body was read. */
  holds(body: unknown): OpenBody | undefined {
    return this.#open?.body === body ? this.#open : undefined;
  }

  /**
   * Settles when all requests before this one are done, with the function that ends this turn.
   *
   * Rejects with TimeoutError when nothing is read of the body that it waits for, and with the reason of `signal` when that
   * fires first. The session is as it was then.
   */
  take(signal: AbortSignal | undefined): Promise<Release> | Release {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return this.#mutex.tryAcquire() ?? this.#wait(signal);
  }

  /** The present turn lasts until its caller has read this body. */
  reading(open: OpenBody): void {
    this.#open = open;
    this.#moves++;
    const limit = this.#options.readTimeoutMs;
    const watch = new StallWatch({
      limitMs: limit,
      due: () => this.#open === open,
      signs: () => open.body.taken,
      stalled: () => this.#options.onUnread(unread(open, limit, 'the session ends')),
    });
    watch.begin();
    open.body.once('close', () => {
      watch.end();
      this.#open = undefined;
    });
  }

  async #wait(signal: AbortSignal | undefined): Promise<Release> {
    const late = new AbortController();
    const limit = this.#options.waitMs;
    const watch = new StallWatch({
      limitMs: limit,
      due: () => true,
      signs: () => (this.#open === undefined ? ++this.#moves : this.#moves + this.#open.body.taken),
      stalled: () => late.abort(unread(this.#open as OpenBody, limit, 'this request waits for that')),
    });
    watch.begin();
    try {
      return await this.#mutex.acquire(signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]));
    } finally {
      watch.end();
    }
  }
}

function unread({ name, body }: OpenBody, limit: number, so: string): TimeoutError {
  return new TimeoutError(`nothing of the body of ${name} was read for ${limit} ms, and ${so}: read it, or destroy it`, {
    layer: LAYER,
    limit,
    expected: body.length,
    got: body.taken,
  });
}
