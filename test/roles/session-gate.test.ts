/** How a handshake that is late is refused: it depends on who was late. */
import t from 'tap';
import type { VeracruzError } from '../../lib/core/errors.js';
import { HandshakePlaces } from '../../lib/roles/server/handshake-places.js';
import { statusOf } from '../../lib/roles/server/http-front.js';
import { SessionGate } from '../../lib/roles/server/session-gate.js';
import { HELLO } from '../support/foreign.js';
import { ManualClock } from '../support/manual-clock.js';

const LIMITS = { helloTimeoutMs: 50, handshakeTimeoutMs: 100, maxHandshakeBytes: 1000 };

/** A gate whose manager never answers, with so many places for handshakes taken by others. */
function gate(taken: number) {
  const places = new HandshakePlaces({ maxHandshakes: 2, handshakeTimeoutMs: 100_000 });
  const nothing = { granted: () => {}, ended: () => {} };
  for (let other = 0; other < taken; other++) places.enter({ address: `b${other}`, ...nothing });
  const faults: VeracruzError[] = [];
  const session = new SessionGate('a', LIMITS, {
    open: () => new Promise<never>(() => {}),
    places: () => places,
    onAdmitted: () => {},
    onFault: (error) => faults.push(error),
  });
  return { session, faults, answers: () => faults.map((error) => [statusOf(error), error.message]) };
}

void t.test('the client is late: 408; there was no place for it: 503', async (t) => {
  const clock = new ManualClock(t, 0);
  const silent = gate(0);
  await clock.pass(50);
  t.same(silent.answers(), [[408, 'no ClientHello after 50 ms']]);
  const [served, full] = [gate(1), gate(2)];
  for (const { session } of [served, full]) void session.feed([HELLO]);
  await clock.pass(100);
  t.same(served.answers(), [[408, 'the TLS handshake was not over after 100 ms']]);
  t.same(full.answers(), [[503, 'no place for a handshake after 100 ms']]);
});
