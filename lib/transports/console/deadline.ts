import { clock, type Timer } from '../../core/clock.js';
import { TimeoutError } from '../../core/errors.js';

/** Name of this transport in errors. */
export const CONSOLE_LAYER = 'console';

/**
 * Settles as `operation` does, or rejects with a `TimeoutError` when `operation` has not settled after `limitMs` milliseconds.
 * The result of a late operation is dropped, because a call into a device cannot be taken back.
 */
export async function withDeadline<T>(what: string, limitMs: number, operation: Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(
      () => reject(new TimeoutError(`${what} took more than ${limitMs} ms`, { layer: CONSOLE_LAYER, limit: limitMs })),
      limitMs,
    );
  });
  try {
    return await Promise.race([operation, late]);
  } finally {
    clock.clear(timer);
  }
}
