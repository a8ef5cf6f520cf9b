import type { Duplex } from 'node:stream';
import { integerInRange } from '../../core/check.js';
import { clock, type Timer } from '../../core/clock.js';
import { AbortedError, TimeoutError, TransportError } from '../../core/errors.js';
import { CONSOLE_LAYER } from './deadline.js';

/** A frame without a payload. No bincode message is one. The guest says "I am here" with it, the host "are you there?". */
export const HELLO: Buffer = Buffer.alloc(4);

/** Options of the hello of a console. */
export interface HelloOptions {
  /** Milliseconds to wait for the guest. Default 60,000, enough for a guest to boot. */
  timeoutMs?: number;
  /** Milliseconds between two questions. Default 1000. */
  intervalMs?: number;
  /**
   * Milliseconds of silence that must follow a hello, so that four zeros in the middle of other bytes are not taken for one.
   * Default 50, or `intervalMs` if that is less. After a second question it is `intervalMs`, because a slow guest may still
   * answer that question too.
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
 * The host's half of the hello. Waits until the guest has opened its console and begun a new link. Drops all bytes that came
 * before: those of an older link, and those that the terminal echoed before it was in raw mode.
 *
 *     guest opens         00 00 00 00  ──▶  host               the guest was later than the host
 *     guest is there      ◀── 00 00 00 00   host               the host was later: it asks, every intervalMs;
 *     guest resets link   00 00 00 00  ──▶  host               a guest's link that hears this is over, a fresh one begins
 *
 * The original has no hello, so both peers must have it switched on.
 *
 * @throws InvalidOptionError; TimeoutError; TransportError when the pipe ends; AbortedError
 */
export async function awaitHello(pipe: Duplex, options: HelloOptions = {}): Promise<void> {
  const { timeoutMs, intervalMs, quietMs } = checkHello(options);
  const { signal } = options;
  let zeros = 0;
  let questions = 0;
  let quiet: Timer | undefined;
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error) => {
      clock.clear(quiet);
      clock.clear(late);
      clock.clear(asking);
      // The listener was for 'readable', not 'data', so the pipe is left as it was: neither flowing nor paused.
      pipe.off('readable', heard).off('end', ended).off('close', ended).off('error', failed);
      signal?.removeEventListener('abort', abort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const next = () => pipe.read() as Buffer | null;
    const heard = () => {
      // From Node 26 on, read() gives one of the chunks that wait, and tells of the others by no event of their own.
      let read = false;
      for (let chunk = next(); chunk !== null; chunk = next()) {
        read = true;
        for (const byte of chunk) zeros = byte === 0 ? zeros + 1 : 0;
      }
      if (!read) return;
      clock.clear(quiet);
      if (zeros >= HELLO.length) quiet = clock.setTimeout(() => settle(), questions > 1 ? intervalMs : quietMs);
    };
    const ended = () => settle(new TransportError('the pipe ended before the guest said hello', { layer: CONSOLE_LAYER }));
    const failed = (cause: Error) =>
      settle(new TransportError(`the pipe failed before the guest said hello: ${cause.message}`, { layer: CONSOLE_LAYER, cause }));
    const abort = () => settle(new AbortedError('waiting for the guest was aborted', { layer: CONSOLE_LAYER, cause: signal?.reason }));
    const late = clock.setTimeout(
      () => settle(new TimeoutError(`no hello from the guest within ${timeoutMs} ms`, { layer: CONSOLE_LAYER, limit: timeoutMs })),
      timeoutMs,
    );
    const asking = clock.setInterval(() => {
      // A hello has come, and its silence is being awaited: no question now.
      if (zeros >= HELLO.length) return;
      questions++;
      pipe.write(HELLO);
    }, intervalMs);
    pipe.on('error', failed).on('end', ended).on('close', ended).on('readable', heard);
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}
