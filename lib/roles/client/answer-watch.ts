import type { Duplex } from 'node:stream';
import { clock, type Timer } from '../../core/clock.js';
import { TimeoutError } from '../../core/errors.js';
import type { Channel } from '../../pipeline/channel.js';

export interface AnswerWatchOptions {
  /** Milliseconds that an answer may go without progress; 0 for no limit. */
  readonly answerTimeoutMs: number;
  /** Milliseconds that a program may run before its answer makes progress; 0 for no limit. */
  readonly computeTimeoutMs: number;
  /** Whether an answer is due, or the rest of one. */
  readonly awaiting: () => boolean;
  /** Whether the answer that is due is a program's. */
  readonly running: () => boolean;
  /** Whether the transport still has bytes to send. The transport itself has a deadline for them. */
  readonly sending: () => boolean;
}

/** What is needed of a channel, whatever its items are. */
type Watched = Pick<Duplex, 'destroyed' | 'destroy' | 'once'> & Pick<Channel<unknown>, 'idle' | 'received' | 'connection'>;

/**
 * Ends a session whose answer makes no progress. Only plaintext that TLS has authenticated counts as progress from the peer,
 * because a Server could answer every POST and still never deliver what the manager said.
 *
 * Bytes that wait in the layers also count as progress: the reader of the answer makes the peer wait then.
 */
export class AnswerWatch {
  readonly #channel: Watched;
  readonly #options: AnswerWatchOptions;
  #timer: Timer | undefined;
  /** Time at which the timer fires, `clock.monotonic()`. */
  #firesAt = 0;
  /** Time of the last progress, `clock.monotonic()`, and the plaintext bytes received by then. */
  #since = 0;
  #received = 0;

  constructor(channel: Watched, options: AnswerWatchOptions) {
    this.#channel = channel;
    this.#options = options;
    channel.once('close', () => clock.clear(this.#timer));
  }

  /** An answer is due from now on. */
  expect(): void {
    this.#progress();
    const limit = this.#limitMs;
    // The timer may still be that of a program, which had far longer than this answer has.
    if (this.#timer !== undefined && limit > 0 && this.#firesAt > this.#since + limit) {
      clock.clear(this.#timer);
      this.#timer = undefined;
    }
    this.#timer ??= this.#look(limit);
  }

  get #limitMs(): number {
    const { answerTimeoutMs, computeTimeoutMs, running } = this.#options;
    return running() ? computeTimeoutMs : answerTimeoutMs;
  }

  #progress(): void {
    this.#since = clock.monotonic();
    this.#received = this.#channel.received;
  }

  /**
   * Starts the timer. Answers do not stop it, which would cost time for each; it checks when it fires whether one is
   * overdue.
   */
  #look(afterMs: number): Timer | undefined {
    if (afterMs === 0 || this.#channel.destroyed) return undefined;
    this.#firesAt = clock.monotonic() + afterMs;
    return clock.setTimeout(() => this.#check(), afterMs).unref();
  }

  #check(): void {
    this.#timer = undefined;
    if (!this.#options.awaiting()) return;
    const limit = this.#limitMs;
    if (!this.#channel.idle || this.#options.sending() || this.#channel.received !== this.#received) this.#progress();
    const silentMs = clock.monotonic() - this.#since;
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
