import { Backoff } from '../core/backoff.js';
import { integerInRange } from '../core/check.js';
import { AbortedError, InvalidOptionError } from '../core/errors.js';
import { TRANSPORT_LAYER } from './refuse.js';

/** The longest wait that a timer can do. With more, the timer would fire at once. */
const MAX_WAIT_MS = 2 ** 31 - 1;
/** Error codes after which no further try can succeed. */
const HOPELESS = new Set(['EACCES', 'EPERM', 'ENOTDIR', 'ENAMETOOLONG', 'EPROTOTYPE', 'EINVAL']);

/** How often a connection is tried before it counts as failed. */
export interface RetryOptions {
  /** Tries in all, the first included: 1 or more, or `Infinity` (until the signal fires). */
  readonly tries: number;
  /** Milliseconds from the first failure to the second try. */
  readonly intervalMs: number;
  /** Each further wait is this many times longer, up to 24 days: 1 keeps `intervalMs`, 2 doubles it. 1 to 16. */
  readonly backoff: number;
}

/** The original's IceCap server waits so for QEMU's socket: a try every 100 ms until it is there (wire spec §D). */
export const RETRY_ICECAP: RetryOptions = Object.freeze({ tries: Number.POSITIVE_INFINITY, intervalMs: 100, backoff: 1 });
/** As the original's Nitro server: 5 tries, 1, 2, 4 and 8 s apart. Its last wait, 16 s, has no try after it (wire spec §D). */
export const RETRY_NITRO: RetryOptions = Object.freeze({ tries: 5, intervalMs: 1000, backoff: 2 });

/** How long, and how often, a connection is tried. */
export interface ConnectOptions {
  signal?: AbortSignal | undefined;
  /** Default: one try. */
  retry?: RetryOptions | undefined;
}

/**
 * Calls `attempt` until it succeeds, its tries are used up, or it fails with an error that no further try can heal.
 *
 * @param text the address, for messages
 * @throws the error of the last attempt; AbortedError; InvalidOptionError for a `retry` outside its ranges
 */
export async function retrying<V>(text: string, { signal, retry }: ConnectOptions, attempt: () => Promise<V> | V): Promise<V> {
  const { tries, intervalMs, backoff } = checkRetry(retry ?? { tries: 1, intervalMs: 0, backoff: 1 });
  const pauses = new Backoff({ firstMs: intervalMs, lastMs: MAX_WAIT_MS, factor: backoff });
  for (let made = 1; ; made++) {
    if (signal?.aborted === true) throw connectingAborted(text, signal.reason);
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof AbortedError || made >= tries || isHopeless(error)) throw error;
    }
    await pauses.wait(signal).catch((cause: unknown) => {
      throw connectingAborted(text, cause);
    });
  }
}

/** The error of a dial that was ended by a signal. */
export function connectingAborted(text: string, cause: unknown): AbortedError {
  return new AbortedError(`connecting to ${text} was aborted`, { layer: TRANSPORT_LAYER, cause });
}

/** Whether no further try of what failed so can succeed: it is not permitted, or there is no such kind of place. */
export function isHopeless(error: unknown): boolean {
  return HOPELESS.has(codeOf((error as Error).cause));
}

/** The system's error code, e.g. `ECONNREFUSED`; an empty string if there is none. */
export function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
}

function checkRetry(retry: RetryOptions): RetryOptions {
  if (retry.tries !== Number.POSITIVE_INFINITY) integerInRange('tries', retry.tries, 1, Number.MAX_SAFE_INTEGER);
  integerInRange('intervalMs', retry.intervalMs, 0, MAX_WAIT_MS);
  if (!(retry.backoff >= 1 && retry.backoff <= 16)) {
    throw new InvalidOptionError(`backoff must be from 1 to 16, got ${retry.backoff}`, { expected: '1..16', got: retry.backoff });
  }
  return retry;
}
