/** How many bytes the body of a POST should have: what the line carries in a moment, and what the way to the server takes. */
import { clock } from '../core/clock.js';

/** Bytes of the first long body: on a line of 1 kB/s it is through within the deadlines of both ends. */
const FIRST_BYTES = 64 * 1024;
/** A body is never made smaller than this. */
const LEAST_BYTES = 16 * 1024;
/** Most bytes of a body: the letters of 1 MiB, and the session id before them. More does not make a fast line faster. */
const MOST_BYTES = 1_398_115;
/** Milliseconds that a body may take. */
const BODY_MS = 2000;
/** The next body has at most this many times the bytes of the one before it. */
const GROWTH = 4;

/**
 * The size of the next body. It follows the rate at which bodies are answered, so that each takes two seconds at most: a slow
 * line then shows signs of life. A body that somebody on the way refuses as too long sets a limit that stays.
 *
 *     64 KiB, 256 KiB, 1 MiB …      a line that carries 1 MiB in two seconds
 *     64 KiB, 16 KiB, 16 KiB …      8 kB/s
 */
export class BodySize {
  #wanted = FIRST_BYTES;
  #limit = Number.POSITIVE_INFINITY;
  #answeredAt = 0;
  /** Bytes of the longest body that was answered. */
  #taken = LEAST_BYTES;

  /** Bytes that the next body should have. */
  get bytes(): number {
    return Math.min(this.#wanted, this.#limit);
  }

  /** Bytes that somebody on the way takes, as far as refusals have shown; infinite before the first. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * Nobody has taken a body of `bytes` yet. No other may be sent behind it: if somebody on the way refuses it and then takes
   * the next one, the server's stream has a gap.
   */
  untried(bytes: number): boolean {
    return bytes > this.#taken;
  }

  /** A body of `bytes` was answered that began to leave at `since`, `clock.monotonic()`. */
  answered(bytes: number, since: number): void {
    const now = clock.monotonic();
    // Bodies queue up behind each other. The time of each begins when the one before it was answered.
    const ms = Math.max(1, now - Math.max(since, this.#answeredAt));
    this.#answeredAt = now;
    this.#taken = Math.max(this.#taken, bytes);
    // A short body takes as long as a long one where the distance, and not the rate, makes it slow.
    if (bytes < this.bytes / 2) return;
    const carried = Math.round((bytes / ms) * BODY_MS);
    this.#wanted = Math.max(LEAST_BYTES, Math.min(carried, bytes * GROWTH, MOST_BYTES));
  }

  /**
   * A body of `bytes` was refused as too long. The limit becomes the next power of two below it, because limits are round
   * numbers. False when that is less than a body may be made.
   */
  refused(bytes: number): boolean {
    const next = 2 ** Math.ceil(Math.log2(bytes) - 1);
    if (next < LEAST_BYTES) return false;
    this.#limit = Math.min(this.#limit, next);
    return true;
  }
}
