/** When the Server renews a manager's certificate, and how it tries again; by a clock that the test moves. */
import t, { type Test } from 'tap';
import type { Period } from '../../lib/attestation/certificate-time.js';
import { LinkError } from '../../lib/core/errors.js';
import { AttestationHandshake } from '../../lib/roles/server/attestation-handshake.js';
import { ManagerLink } from '../../lib/roles/server/manager-link.js';
import { Renewal } from '../../lib/roles/server/renewal.js';
import { managerServerStack } from '../../lib/roles/stacks.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { until, within } from '../support/foreign.js';
import { ManualClock } from '../support/manual-clock.js';
import { CHALLENGE, challengeBody, policyText, scriptedPas } from './attestation-handshake-support.js';

const START = Date.UTC(2030, 0);
const HOUR_MS = 3_600_000;

/** A renewal of a certificate of 24 hours; `outcomes` are the hours that each new one holds, or failures. */
function begin(t: Test, outcomes: (number | Error)[], hours = 24) {
  const clock = new ManualClock(t, START);
  const lines: string[] = [];
  /** When it was tried, in hours from the start. */
  const tries: number[] = [];
  const stop = new AbortController();
  const held = (left: number): Period => ({ from: clock.now - 300_000, to: clock.now + left * HOUR_MS });
  const renew = async () => {
    tries.push((clock.now - START) / HOUR_MS);
    const outcome = outcomes.shift() ?? 24;
    if (outcome instanceof Error) throw outcome;
    return { deviceId: tries.length, period: held(outcome) };
  };
  new Renewal(held(hours), { manager: 'it', signal: stop.signal, renew, log: (level, event) => lines.push(`${level} ${event}`) });
  return { clock, lines, tries, stop };
}

void t.test('at two thirds of its time or a little before, and so on', async (t) => {
  const { clock, lines, tries, stop } = begin(t, []);
  await clock.pass(100 * HOUR_MS);
  t.ok(tries.length >= 6, `${tries.length} renewals`);
  tries.forEach((at, i) => {
    const wait = at - (tries[i - 1] ?? 0);
    t.ok(wait > 14 && wait < 16, `after ${wait} hours`);
  });
  t.equal(new Set(tries.map((at, i) => at - (tries[i - 1] ?? 0))).size, tries.length, 'never twice after the same time');
  t.notOk(lines.some((line) => line.startsWith('warn') || line.startsWith('error')));
  stop.abort();
  await clock.pass(100 * HOUR_MS);
  t.equal(clock.timers, 0, 'nothing is left of it');
});

void t.test('what fails is tried again, also when the certificate has expired', async (t) => {
  const gone = () => new LinkError('not there');
  const failures = Array.from({ length: 120 }, gone);
  const { clock, lines, tries } = begin(t, failures);
  await clock.pass(40 * HOUR_MS);
  t.equal(failures.length, 0);
  const waits = tries.slice(1, 121).map((at, i) => (at - (tries[i] as number)) * 60);
  t.ok((waits[0] as number) <= 1, 'a minute at most, first');
  t.ok(
    waits.slice(10).every((minutes) => minutes >= 5 && minutes <= 10.001),
    'ten minutes at most, later',
  );
  const seen = new Set(lines);
  t.ok(seen.has('warn certificate not renewed') && seen.has('error certificate not renewed'), 'an error once it has expired');
  t.ok(seen.has('info certificate renewed'), 'and in the end');
  t.ok((tries[120] as number) > 24);
});

void t.test('one that has expired when it comes is no success, and no loop', async (t) => {
  const { clock, lines, tries } = begin(t, [-1, -1, -1, -1, -1], 0);
  await clock.pass(HOUR_MS);
  t.equal(tries.length, 6);
  const waits = tries.slice(1).map((at, i) => (at - (tries[i] as number)) * HOUR_MS);
  t.ok((waits.at(-1) as number) > (waits[0] as number), 'it waits longer each time');
  t.equal(lines.filter((line) => line === 'error certificate not renewed').length, 5);
});

void t.test('one that cannot be read is told of', async (t) => {
  const clock = new ManualClock(t, START);
  const lines: string[] = [];
  const renew = () => Promise.reject(new Error('never'));
  const log = (level: string, event: string) => void lines.push(`${level} ${event}`);
  new Renewal(undefined, { manager: 'it', signal: new AbortController().signal, renew, log });
  t.same(lines, ['warn certificate not read']);
  t.equal(clock.timers, 0);
});

void t.test('a manager that says nothing to a renewal keeps its link; at the start it does not', async (t) => {
  const pas = await scriptedPas(t, () => challengeBody(CHALLENGE, 7));
  const handshake = new AttestationHandshake({
    policy: policyText(),
    url: `http://${pas.place}`,
    timeoutMs: 100,
    maxClockSkewMs: 0,
    log: () => {},
  });
  for (const renewal of [true, false]) {
    const [near, far] = memoryPipe();
    const peer = managerServerStack({ dialect: '2207', frame: 'tcp9' }).over(far);
    peer.on('error', () => {});
    const asked: string[] = [];
    peer.on('data', (request: { kind: string }) => asked.push(request.kind));
    let closed = false;
    const link = new ManagerLink(near, { dialect: '2207', frame: 'tcp9', maxSilenceMs: 0, askAhead: false }, () => {
      closed = true;
    });
    t.teardown(() => link.destroy());
    const { signal } = new AbortController();
    const led = handshake.lead(link, { manager: 'it', signal, renewal });
    await t.rejects(within('the deadline', led), { code: 'ERR_VC_LINK', limit: 100 });
    t.same(asked, ['Attestation']);
    if (renewal) {
      const session = link.call({ kind: 'NewTlsSession' });
      // The late answer is the first one, and is nobody's any more.
      peer.write({ kind: 'Status', status: 'Fail' });
      peer.write({ kind: 'TlsSession', session: 1 });
      t.same(await within('the next answer', session), { kind: 'TlsSession', session: 1 });
      t.notOk(closed);
    } else await until('the end of the link', () => closed);
  }
});
