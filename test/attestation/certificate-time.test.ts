/** When certificates hold, and what is said when one does not. */
import t from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { CertificateWatch, checkPeriod, noticeOf, periodOf } from '../../lib/attestation/certificate-time.js';
import { ManualClock } from '../support/manual-clock.js';

const START = Date.UTC(2030, 0);
const DAY_MS = 86_400_000;
const of = (from: number, to: number) => ({ from: START + from * DAY_MS, to: START + to * DAY_MS });

void t.test('a chain holds while all of it holds', (t) => {
  const one = (from: number, to: number) =>
    makeAuthority({ notBefore: new Date(START + from * DAY_MS), notAfter: new Date(START + to * DAY_MS) });
  const [leaf, root] = [one(0, 10), one(1, 7)];
  t.same(periodOf([leaf.certificateDer]), of(0, 10));
  t.same(periodOf([leaf.certificate, root.certificateDer]), of(1, 7), 'PEM and DER');
  t.throws(() => periodOf([Buffer.from('nothing of the kind')]));
  t.end();
});

void t.test('out of its time it is refused, but for the skew of the clocks', (t) => {
  const SKEW = 300_000;
  const check = (now: number) => {
    const clock = new ManualClock(t, now);
    void clock;
    checkPeriod(of(0, 1), SKEW, 'test');
  };
  for (const good of [START - SKEW, START, START + DAY_MS, START + DAY_MS + SKEW]) t.doesNotThrow(() => check(good));
  t.throws(() => check(START - SKEW - 1), { code: 'ERR_VC_CERTIFICATE', message: /not valid before 2030-01-01T/, layer: 'test' });
  t.throws(() => check(START + DAY_MS + SKEW + 1), { code: 'ERR_VC_CERTIFICATE', message: /expired at 2030-01-02T/ });
  t.end();
});

void t.test('a certificate is about to expire when a third of its life is left, or 30 days', async (t) => {
  const clock = new ManualClock(t, START);
  t.equal(noticeOf(of(1, 9)), 'not yet valid');
  const cases = [
    [of(0, 9), 6],
    [of(0, 3650), 3620],
  ] as const;
  for (const [period, soon] of cases) {
    clock.jump(START - clock.now + soon * DAY_MS - 1);
    t.equal(noticeOf(period), undefined);
    await clock.pass(1);
    t.equal(noticeOf(period), 'about to expire');
    clock.jump(period.to - clock.now);
    t.equal(noticeOf(period), 'about to expire', 'its last moment');
    await clock.pass(1);
    t.equal(noticeOf(period), 'expired');
  }
  clock.jump(START + 8 * DAY_MS - clock.now);
  t.equal(noticeOf(of(0, 9), START + 7.9 * DAY_MS), undefined, 'issued a moment ago, whatever its first day is');
});

void t.test('whoever holds one is told in time, and then once a day', async (t) => {
  const clock = new ManualClock(t, START);
  const lines: string[] = [];
  const log = (level: string, event: string, figures: Readonly<Record<string, unknown>>) =>
    lines.push([(clock.now - START) / DAY_MS, level, event, figures.certificate, figures.validTo].join(' '));
  const watch = new CertificateWatch('of the test', of(1, 10), log);
  await clock.pass(11.5 * DAY_MS);
  const end = new Date(START + 10 * DAY_MS).toISOString();
  const past = `error certificate expired of the test ${end}`;
  t.same(lines, [
    `0 warn certificate not yet valid of the test ${end}`,
    `7 warn certificate about to expire of the test ${end}`,
    `8 warn certificate about to expire of the test ${end}`,
    `9 warn certificate about to expire of the test ${end}`,
    `10 warn certificate about to expire of the test ${end}`,
    `${(10 * DAY_MS + 1) / DAY_MS} ${past}`,
    `${(11 * DAY_MS + 1) / DAY_MS} ${past}`,
  ]);
  watch.stop();
  await clock.pass(10 * DAY_MS);
  t.equal(lines.length, 7, 'nothing more of one that is held no more');
  t.equal(clock.timers, 0);
});
