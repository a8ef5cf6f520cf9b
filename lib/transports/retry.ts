import { Backoff } from '../core/backoff.js';
import { integerInRange } from '../core/check.js';
import { AbortedError, InvalidOptionError } from '../core/errors.js';
import { TRANSPORT_LAYER } from './refuse.js';

/** What a timer can wait; asked for more it does not wait at all. */
const MAX_WAIT_MS = 2 ** 31 - 1;
/** What no further try heals. */
const HOPELESS = new Set(['EACCES', 'EPERM', 'ENOTDIR', 'ENAMETOOLONG', 'EPROTOTYPE', 'EINVAL']);

/** How often a connection is tried before it counts as failed. */
export interface RetryOptions {
  /** Tries in all, the first included: 1 or more, or `Infinity` (until the signal fires). */
  readonly tries: number;
  /** Milliseconds from the first failure to the second try. */
  readonly intervalMs: number;
  /** What each further wait is longer by, up to 24 days: 1 keeps `intervalMs`, 2 doubles it. */
  readonly backoff: number;
}

/** As the original's IceCap server waits for QEMU's socket: every 100 ms until it is there (wire spec §D). */
export const RETRY_ICECAP: RetryOptions = Object.freeze({ tries: Number.POSITIVE_INFINITY, intervalMs: 100, backoff: 1 });
/** As the original's Nitro server: 5 tries, 1, 2, 4 and 8 s apart. Its last wait, 16 s, had no try behind it (wire spec §D). */
export const RETRY_NITRO: RetryOptions = Object.freeze({ tries: 5, intervalMs: 1000, backoff: 2 });

export interface ConnectOptions {
  signal?: AbortSignal | undefined;
  /** Default: one try. */
  retry?: RetryOptions | undefined;
}

/**
 * Calls `attempt` until it succeeds, its tries are used up, or its failure is one that no further try can heal.
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
      if (error instanceof AbortedError || made >= tries || HOPELESS.has(codeOf((error as Error).cause))) throw error;
    }
    await pauses.wait(signal).catch((cause: unknown) => {
      throw connectingAborted(text, cause);
    });
  }
}

/** The error of a dial that a signal has ended. */
export function connectingAborted(text: string, cause: unknown): AbortedError {
  return new AbortedError(`connecting to ${text} was aborted`, { layer: TRANSPORT_LAYER, cause });
}

/** The system's code for what went wrong, e.g. `ECONNREFUSED`; an empty text where there is none. */
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
