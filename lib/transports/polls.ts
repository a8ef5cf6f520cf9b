import { Backoff } from '../core/backoff.js';
import { clock, type Timer } from '../core/clock.js';

/** Milliseconds between polls while an answer is awaited: the wait doubles from the first to the last. */
const POLL_FIRST_MS = 2;
const POLL_LAST_MS = 500;

export interface PollsOptions {
  /** The body of a poll; undefined when nobody awaits an answer. */
  readonly body: () => Buffer | undefined;
  /** False while another POST is open, and when none may follow. */
  readonly possible: () => boolean;
  /** The reader has enough to read. */
  readonly readerIsFull: () => boolean;
  readonly post: (body: Buffer) => void;
}

/** Polls of an exchange: POSTs that only fetch output. They come when no other POST is open, and less often over time. */
export class Polls {
  readonly #options: PollsOptions;
  readonly #delay = new Backoff({ firstMs: POLL_FIRST_MS, lastMs: POLL_LAST_MS });
  #timer: Timer | undefined;
  /** A poll is due, but waits until the reader has room. */
  #awaitsReader = false;

  constructor(options: PollsOptions) {
    this.#options = options;
  }

  /** Polls after the present delay, if that is possible then. */
  schedule(): void {
    if (this.#timer !== undefined || !this.#options.possible()) return;
    this.#timer = clock.setTimeout(() => this.#due(), this.#delay.ms);
  }

  cancel(): void {
    clock.clear(this.#timer);
    this.#timer = undefined;
  }

  /** Output has come: the next poll is soon. */
  hurry(): void {
    this.#delay.reset();
  }

  /** The reader has room. */
  roomMade(): void {
    if (!this.#awaitsReader) return;
    this.#awaitsReader = false;
    this.schedule();
  }

  #due(): void {
    this.#timer = undefined;
    const { possible, readerIsFull, body, post } = this.#options;
    if (!possible()) return;
    if (readerIsFull()) {
      this.#awaitsReader = true;
      return;
    }
    const bytes = body();
    if (bytes === undefined) return;
    this.#delay.lengthen();
    post(bytes);
  }
}
