/** When certificates hold: who may still use one, and who should be told that one ends. */
import { X509Certificate } from 'node:crypto';
import { Alarm } from '../core/alarm.js';
import { clock } from '../core/clock.js';
import { CertificateError } from '../core/errors.js';

const DAY_MS = 86_400_000;
/** An end is near when less than this part of the certificate's life is left, but not before `SOON_MS`. */
const SOON_PART = 1 / 3;
const SOON_MS = 30 * DAY_MS;
/** Milliseconds between two warnings of the same certificate. */
const REPEAT_MS = DAY_MS;

/** When a chain of certificates holds: milliseconds since 1970, first and last. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** The time in which all certificates of a chain hold. They are in PEM, DER, or read. */
export function periodOf(chain: readonly (X509Certificate | Buffer | string)[]): Period {
  const read = chain.map((each) => (each instanceof X509Certificate ? each : new X509Certificate(each)));
  return {
    from: Math.max(...read.map(({ validFrom }) => Date.parse(validFrom))),
    to: Math.min(...read.map(({ validTo }) => Date.parse(validTo))),
  };
}

/**
 * Refuses a chain that does not hold now.
 *
 * @param skewMs how far our clock may be from that of the issuer
 * @throws CertificateError
 */
export function checkPeriod({ from, to }: Period, skewMs: number, layer: string): void {
  const now = clock.now();
  const figures = (expected: number) => ({ layer, expected: dateOf(expected), got: dateOf(now) });
  if (now + skewMs < from) throw new CertificateError(`the certificate is not valid before ${dateOf(from)}`, figures(from));
  if (now - skewMs > to) throw new CertificateError(`the certificate expired at ${dateOf(to)}`, figures(to));
}

/** What is to be said about a certificate: that it does not hold yet, or any more, or soon will not. */
export type Notice = 'not yet valid' | 'about to expire' | 'expired';

/**
 * What is to be said about a certificate now; undefined when nothing is. It is about to expire when a third of its life is
 * left, or 30 days, whichever is less.
 *
 * @param heldFrom since when it has been held. A certificate that was just issued is not about to expire, however much of
 * its written time was over then. Default: since it holds
 */
export function noticeOf(period: Period, heldFrom = period.from): Notice | undefined {
  const now = clock.now();
  if (now > period.to) return 'expired';
  if (now < period.from) return 'not yet valid';
  return now >= soonAt(period, heldFrom) ? 'about to expire' : undefined;
}

/** From when on a certificate is about to expire. */
function soonAt({ from, to }: Period, heldFrom: number): number {
  return to - Math.min((to - Math.max(from, heldFrom)) * SOON_PART, SOON_MS);
}

/** When the text of a log says. */
export function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}

type Warn = (level: 'warn' | 'error', event: string, figures: Readonly<Record<string, unknown>>) => void;

/**
 * Watches over a certificate that somebody holds: a warning when it is not yet valid, about to expire or expired, at once
 * and as soon as it becomes so, and once a day after that.
 */
export class CertificateWatch {
  readonly #period: Period;
  readonly #heldFrom: number;
  readonly #warn: (notice: Notice) => void;
  #alarm: Alarm | undefined;

  /**
   * @param what whose certificate it is, in the log
   * @param issued the certificate was issued to its holder just now (see `noticeOf`)
   */
  constructor(what: string, period: Period, log: Warn, issued = false) {
    this.#period = period;
    this.#heldFrom = issued ? clock.now() : period.from;
    this.#warn = (notice) =>
      log(notice === 'expired' ? 'error' : 'warn', `certificate ${notice}`, {
        certificate: what,
        validFrom: dateOf(period.from),
        validTo: dateOf(period.to),
      });
    this.#look();
  }

  /** The certificate is not held any more. */
  stop(): void {
    this.#alarm?.stop();
  }

  #look(): void {
    const notice = noticeOf(this.#period, this.#heldFrom);
    if (notice !== undefined) this.#warn(notice);
    const now = clock.now();
    const { from, to } = this.#period;
    const changes = [from, soonAt(this.#period, this.#heldFrom), to + 1].filter((moment) => moment > now);
    const again = notice === undefined ? [] : [now + REPEAT_MS];
    // Of one that holds longer than any date can say there is nothing to be told.
    const next = Math.min(...changes, ...again);
    if (Number.isFinite(next)) this.#alarm = new Alarm(next, () => this.#look());
  }
}
