/** Who makes room for whom in a full table of sessions. */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { systemClock, useClock } from '../../lib/core/clock.js';
import { SessionTable, type SessionTableLimits } from '../../lib/roles/server/session-table.js';
import { seeded } from '../support/splits.js';

/** A table whose sessions have names, and a clock that the test moves on. */
function play(t: Pick<Test, 'teardown'>, limits: Partial<SessionTableLimits> = {}) {
  let now = 1_000_000;
  t.teardown(useClock({ ...systemClock, monotonic: () => now }));
  const table = new SessionTable({
    maxSessions: 100,
    maxSessionsPerAddress: 0,
    maxUnadmittedSessions: 100,
    maxUnadmittedSessionsPerAddress: 0,
    ...limits,
  });
  const ended: string[] = [];
  const open = (address: string, name: string, { admitted = false, answerDue = false } = {}) => {
    table.makeRoom(address);
    const seat = table.enter(address, {
      lastActive: now,
      answerDue,
      yield: () => {
        ended.push(name);
        seat.leave();
      },
    });
    if (admitted) seat.admit();
    return seat;
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { table, ended, open, pass };
}

const FULL = { code: 'ERR_VC_LINK' };

void t.test('a full table: one that is not admitted, of the most crowded address, the oldest', (t) => {
  const { table, ended, open, pass } = play(t, { maxSessions: 6 });
  open('honest', 'h1', { admitted: true });
  for (const name of ['b1', 'a1', 'a2', 'a3', 'b2']) open(name[0] as string, name);
  open('new', 'n1');
  t.same(ended, ['a1']);
  t.throws(() => open('a', 'a4'), FULL, 'a crowd makes no room for itself at once');
  pass(1000);
  open('a', 'a4');
  t.same(ended.length, 2, 'but when its session has not come about for a second');
  t.same([table.size, table.unadmitted], [6, 5]);
  t.end();
});

void t.test('then an idle one of an address that has more than the newcomer', (t) => {
  const { ended, open, pass } = play(t, { maxSessions: 4 });
  open('a', 'a1', { admitted: true, answerDue: true });
  for (const name of ['a2', 'a3']) open('a', name, { admitted: true });
  open('b', 'b1', { admitted: true });
  t.throws(() => open('c', 'c1'), FULL, 'none is idle');
  pass(5000);
  t.throws(() => open('a', 'a4'), FULL, 'a crowd does not make room for itself');
  open('c', 'c1').admit();
  t.same(ended, ['a2'], 'not the one that waits for an answer');
  t.throws(() => open('c', 'c2'), FULL, 'nobody has more than c now');
  t.end();
});

void t.test('the caps of one address, and of those that are not admitted', (t) => {
  const { ended, open, pass } = play(t, { maxSessionsPerAddress: 3, maxUnadmittedSessionsPerAddress: 2, maxUnadmittedSessions: 4 });
  const first = open('a', 'a1');
  open('a', 'a2');
  t.throws(() => open('a', 'a3'), { ...FULL, limit: 2 });
  first.admit();
  open('a', 'a3');
  t.throws(() => open('a', 'a4'), { ...FULL, limit: 3 });
  open('b', 'b1');
  open('c', 'c1');
  t.same(ended, []);
  open('d', 'd1');
  t.same(ended, ['a2'], 'the cap in sum');
  pass(1000);
  first.leave();
  open('a', 'a5');
  t.equal(ended.length, 2);
  t.end();
});

void t.test('whatever strangers do: caps hold, and an honest address with less than they have gets in', async () => {
  const step = fc.record({
    address: fc.nat({ max: 4 }),
    action: fc.constantFrom('open', 'open', 'open', 'admit', 'leave'),
    ms: fc.nat({ max: 700 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const undo: (() => void)[] = [];
      const limits = { maxSessions: 12, maxSessionsPerAddress: 6, maxUnadmittedSessions: 8, maxUnadmittedSessionsPerAddress: 4 };
      const { table, ended, open, pass } = play({ teardown: (fn) => void undo.push(fn as () => void) }, limits);
      const seats = new Map<string, ReturnType<typeof open>>();
      for (const [index, { address, action, ms }] of steps.entries()) {
        pass(ms);
        const mine = [...seats.keys()].filter((name) => name.startsWith(`${address}-`) && !ended.includes(name));
        try {
          if (action === 'open') seats.set(`${address}-${index}`, open(String(address), `${address}-${index}`));
          else if (action === 'admit') seats.get(mine[0] ?? '')?.admit();
          else {
            seats.get(mine[0] ?? '')?.leave();
            seats.delete(mine[0] ?? '');
          }
        } catch (error) {
          if ((error as { code?: string }).code !== 'ERR_VC_LINK') throw error;
        }
        if (table.size > 12 || table.unadmitted > 8) throw new Error(`${table.size} sessions, ${table.unadmitted} not admitted`);
      }
      // After a second nobody who has not come about keeps a new address out.
      pass(1000);
      if (table.unadmitted > 0 || table.size < 12) open('honest', 'honest');
      for (const back of undo) back();
    }),
    seeded(150),
  );
});
