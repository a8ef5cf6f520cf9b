import type { Duplex } from 'node:stream';
import { integerInRange } from '../../core/check.js';
import { AbortedError, TimeoutError, TransportError } from '../../core/errors.js';
import { CONSOLE_LAYER } from './deadline.js';

/** A frame without a payload, which no bincode message is: from the guest "I am here", from the host "are you there?". */
export const HELLO: Buffer = Buffer.alloc(4);

export interface HelloOptions {
  /** Milliseconds to wait for the guest. Default 60,000, in which a guest boots. */
  timeoutMs?: number;
  /** Milliseconds between two questions. Default 1000. */
  intervalMs?: number;
  /**
   * Milliseconds of silence that must follow a hello, to tell it from four zeros in the middle of something. Default 50, or
   * `intervalMs` if that is less; once it was asked twice, `intervalMs`, for a slow guest might answer the second question
   * as well.
   */
  quietMs?: number;
  signal?: AbortSignal | undefined;
}

/** Defaults of `HelloOptions`. */
export const HELLO_DEFAULTS = Object.freeze({ timeoutMs: 60_000, intervalMs: 1000, quietMs: 50 });

type HelloTimes = Required<Omit<HelloOptions, 'signal'>>;

/** @throws InvalidOptionError */
export function checkHello(options: HelloOptions): HelloTimes {
  const { timeoutMs = HELLO_DEFAULTS.timeoutMs, intervalMs = HELLO_DEFAULTS.intervalMs } = options;
  const { quietMs = Math.min(HELLO_DEFAULTS.quietMs, intervalMs) } = options;
  integerInRange('timeoutMs', timeoutMs, 1, 2 ** 31 - 1);
  integerInRange('intervalMs', intervalMs, 1, 2 ** 31 - 1);
  integerInRange('quietMs', quietMs, 1, intervalMs);
  return { timeoutMs, intervalMs, quietMs };
}

/**
 * The host's half of the hello: waits until the guest has its console open and a fresh link on it, and drops all that
 * came before that (what an older link left, what the terminal echoed before it was raw).
 *
 *     guest opens         00 00 00 00  ──▶  host               the guest was later than the host
 *     guest is there      ◀── 00 00 00 00   host               the host was later: it asks, every intervalMs;
 *     guest resets link   00 00 00 00  ──▶  host               a guest's link that hears this is over, a fresh one begins
 *
 * Not in the original: only between two peers that both have it on.
 *
 * @throws InvalidOptionError; TimeoutError; TransportError when the pipe ends; AbortedError
 */
export async function awaitHello(pipe: Duplex, options: HelloOptions = {}): Promise<void> {
  const { timeoutMs, intervalMs, quietMs } = checkHello(options);
  const { signal } = options;
  let zeros = 0;
  let questions = 0;
  let quiet: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error) => {
      clearTimeout(quiet);
      clearTimeout(late);
      clearInterval(asking);
      // With 'readable' and not 'data', so that the pipe is left as it was: neither flowing nor paused.
      pipe.off('readable', heard).off('end', ended).off('close', ended).off('error', failed);
      signal?.removeEventListener('abort', abort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const heard = () => {
      const chunk = pipe.read() as Buffer | null;
      if (chunk === null) return;
      clearTimeout(quiet);
      for (const byte of chunk) zeros = byte === 0 ? zeros + 1 : 0;
      if (zeros >= HELLO.length) quiet = setTimeout(() => settle(), questions > 1 ? intervalMs : quietMs);
    };
    const ended = () => settle(new TransportError('the pipe ended before the guest said hello', { layer: CONSOLE_LAYER }));
    const failed = (cause: Error) =>
      settle(new TransportError(`the pipe failed before the guest said hello: ${cause.message}`, { layer: CONSOLE_LAYER, cause }));
    const abort = () => settle(new AbortedError('waiting for the guest was aborted', { layer: CONSOLE_LAYER, cause: signal?.reason }));
    const late = setTimeout(
      () => settle(new TimeoutError(`no hello from the guest within ${timeoutMs} ms`, { layer: CONSOLE_LAYER, limit: timeoutMs })),
      timeoutMs,
    );
    const asking = setInterval(() => {
      // Not while a hello waits for its silence.
      if (zeros >= HELLO.length) return;
      questions++;
      pipe.write(HELLO);
    }, intervalMs);
    pipe.on('error', failed).on('end', ended).on('close', ended).on('readable', heard);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
