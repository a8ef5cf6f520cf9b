import { TimeoutError } from '../../core/errors.js';
import type { Channel } from '../../pipeline/channel.js';

export interface AnswerWatchOptions {
  /** Milliseconds without progress of an answer; 0 waits for ever. */
  readonly answerTimeoutMs: number;
  /** The same for the answer of a program that runs: how long it may run. */
  readonly computeTimeoutMs: number;
  /** Whether an answer, or the rest of one, is due. */
  readonly awaiting: () => boolean;
  /** Whether that is a program's. */
  readonly running: () => boolean;
  /** Whether bytes of ours have not been taken yet. Their own deadline is the transport's. */
  readonly sending: () => boolean;
}

/**
 * Ends a session whose answer makes no progress. Progress is plaintext that TLS has authenticated, and nothing else: a Server
 * can answer every POST and never give the client what the manager said.
 *
 * While bytes wait in the layers, it is the reader of the answer who makes the peer wait. That counts as progress.
 */
export class AnswerWatch {
  readonly #channel: Pick<Channel<unknown>, 'idle' | 'received' | 'destroyed' | 'destroy' | 'connection' | 'once'>;
  readonly #options: AnswerWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Time of the last progress, `performance.now()`, and the bytes that had come by then. */
  #since = 0;
  #received = 0;

  constructor(
    channel: Pick<Channel<unknown>, 'idle' | 'received' | 'destroyed' | 'destroy' | 'connection' | 'once'>,
    options: AnswerWatchOptions,
  ) {
    this.#channel = channel;
    this.#options = options;
    channel.once('close', () => clearTimeout(this.#timer));
  }

  /** An answer is due from now on. */
  expect(): void {
    this.#progress();
    this.#timer ??= this.#look(this.#limitMs);
  }

  get #limitMs(): number {
    const { answerTimeoutMs, computeTimeoutMs, running } = this.#options;
    return running() ? computeTimeoutMs : answerTimeoutMs;
  }

  #progress(): void {
    this.#since = performance.now();
    this.#received = this.#channel.received;
  }

  /** The timer is not stopped with every answer: it looks, when it fires, whether one is due for that long. */
  #look(afterMs: number): NodeJS.Timeout | undefined {
    if (afterMs === 0 || this.#channel.destroyed) return undefined;
    return setTimeout(() => this.#check(), afterMs).unref();
  }

  #check(): void {
    this.#timer = undefined;
    if (!this.#options.awaiting()) return;
    const limit = this.#limitMs;
    if (!this.#channel.idle || this.#options.sending() || this.#channel.received !== this.#received) this.#progress();
    const silentMs = performance.now() - this.#since;
    if (limit === 0 || silentMs < limit) {
      this.#timer = this.#look(limit === 0 ? 0 : Math.max(1, Math.ceil(limit - silentMs)));
      return;
    }
    const what = this.#options.running() ? "a program's answer" : 'the answer';
    this.#channel.destroy(
      new TimeoutError(`nothing of ${what} came for ${limit} ms that the manager can have sent`, {
        layer: 'client',
        limit,
        session: this.#channel.connection.session,
      }),
    );
  }
}
