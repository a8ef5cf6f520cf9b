import { dateOf, type Period } from '../../attestation/certificate-time.js';
import { Alarm } from '../../core/alarm.js';
import { Backoff } from '../../core/backoff.js';
import { clock } from '../../core/clock.js';
import { asVeracruzError } from '../../core/errors.js';
import type { Log } from '../options.js';
import type { Attested } from './attestation-handshake.js';

/**
 * A certificate is renewed when this part of the time that it had left when it came is over: just before two thirds, when
 * whoever holds it warns of its end. Or a random part of that earlier, so that managers which were attested together do not
 * come back together.
 */
const RENEW_AT = 0.65;
const JITTER = 0.1;
/** Waits between two tries, as parts of that time: a minute first for a certificate of one day, ten minutes at last. */
const FIRST_RETRY = 1 / 1440;
const LAST_RETRY = 1 / 144;
const RETRY_JITTER = 0.5;
/** Milliseconds that the first wait has at least, that the last one has at least, and that any has at most. */
const SHORTEST_MS = 100;
const LAST_SHORTEST_MS = 5000;
const LONGEST_MS = 600_000;

export interface RenewalOptions {
  /** The manager's name in log lines. */
  readonly manager: string;
  readonly log: Log;
  /** Attests and initialises the manager anew. */
  readonly renew: () => Promise<Attested>;
  /** Ends the renewal. */
  readonly signal: AbortSignal;
}

/**
 * Has a manager attested and initialised anew, again and again, before its certificate expires: at two thirds of the time
 * that the certificate had left when it came. What fails is tried again, also when the certificate has expired. Meanwhile
 * the old certificate serves.
 */
export class Renewal {
  readonly #options: RenewalOptions;
  #alarm: Alarm | undefined;

  /** @param period when the manager's certificate holds; without one that is known, nothing is renewed */
  constructor(period: Period | undefined, options: RenewalOptions) {
    this.#options = options;
    if (options.signal.aborted) return;
    options.signal.addEventListener('abort', () => this.#alarm?.stop(), { once: true });
    this.#plan(period);
  }

  #plan(period: Period | undefined): void {
    const { manager, log } = this.#options;
    if (period === undefined) {
      log('warn', 'certificate not read', { manager, reason: 'nobody renews it before it expires' });
      return;
    }
    const now = clock.now();
    // A certificate that holds no more is renewed at once, but not in a loop: an attestation server may have a wrong clock.
    const left = Math.max(period.to - now, 0);
    const wait = Math.max(left * RENEW_AT * (1 - JITTER * Math.random()), SHORTEST_MS);
    log('debug', 'certificate to be renewed', { manager, validTo: dateOf(period.to), at: dateOf(now + wait) });
    this.#alarm = new Alarm(now + wait, () => void this.#renew(period, left));
  }

  async #renew(period: Period, left: number): Promise<void> {
    const { manager, log, renew, signal } = this.#options;
    const bounded = (ms: number, shortest: number) => Math.min(Math.max(ms, shortest), LONGEST_MS);
    const firstMs = bounded(left * FIRST_RETRY, SHORTEST_MS);
    const pauses = new Backoff({ firstMs, lastMs: bounded(left * LAST_RETRY, Math.max(firstMs, LAST_SHORTEST_MS)), jitter: RETRY_JITTER });
    for (;;) {
      try {
        const attested = await renew();
        log('info', 'certificate renewed', { manager, device: attested.deviceId, validTo: attested.period && dateOf(attested.period.to) });
        // One that has expired already waits as long as a failure does, and longer each time.
        if (attested.period !== undefined && attested.period.to <= clock.now()) throw new Error('the new one has expired, too');
        if (!signal.aborted) this.#plan(attested.period);
        return;
      } catch (thrown) {
        if (signal.aborted) return;
        const expired = clock.now() > period.to;
        const { message: reason } = asVeracruzError(thrown);
        log(expired ? 'error' : 'warn', 'certificate not renewed', { manager, reason, expired, validTo: dateOf(period.to) });
      }
      await pauses.wait(signal).catch(() => {});
      if (signal.aborted) return;
    }
  }
}
