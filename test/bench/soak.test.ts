/** The soak: what it judges, and that it runs. */
import t from 'tap';
import { changedCounts, grown, growthOf, MAX_GROWTH_BYTES, slopeOf } from '../../bench/proof/soak/judge.js';
import { type Leftovers, leftovers } from '../../bench/proof/soak/leftovers.js';
import { runBench } from './run.js';

const MIB = 2 ** 20;
const holding = (heap: number, counts: Leftovers['counts'] = {}): Leftovers => ({ heap, external: 0, resident: 0, counts });

void t.test('what is left over', async (t) => {
  const before = leftovers({ sessions: 1 });
  const timer = setTimeout(() => {}, 2 ** 30);
  process.on('SIGUSR2', clearTimeout);
  const kept = Buffer.alloc(20 * MIB, 1);
  const after = leftovers({ sessions: 2 });
  process.off('SIGUSR2', clearTimeout);
  clearTimeout(timer);
  const changed = changedCounts('server', before, after);
  for (const name of ['sessions were 1, and are 2', 'Timeout were', 'listeners of the process were']) {
    t.ok(
      changed.some((line) => line.startsWith(`server: ${name}`)),
      name,
    );
  }
  t.match(grown('server', [before, before, before, after, after, after]), [/^server: holds \d+ bytes more/]);
  t.equal(kept.length, 20 * MIB);
});

void t.test('counts', async (t) => {
  t.same(changedCounts('client', holding(0, { a: 1, Timeout: 3 }), holding(0, { a: 1, Timeout: 1 })), [], 'timers may be fewer');
  t.same(changedCounts('client', holding(0, { a: 1 }), holding(0, { b: 2 })), [
    'client: a were 1, and are 0',
    'client: b were 0, and are 2',
  ]);
});

void t.test('memory', async (t) => {
  const steady = [30, 31, 29, 30, 32, 30, 29, 31, 30, 30].map((mib) => holding(mib * MIB));
  const rising = Array.from({ length: 10 }, (_, i) => holding((30 + 3 * i) * MIB));
  t.same(grown('manager', steady), []);
  t.ok(growthOf(steady) < MAX_GROWTH_BYTES);
  t.equal(growthOf(rising), 21 * MIB);
  t.equal(slopeOf(rising), 3 * MIB);
  t.equal(slopeOf([holding(MIB)]), 0);
  t.match(grown('manager', rising), [/^manager: holds 22020096 bytes more, the limit is 12582912/]);
});

void t.test('the command', async (t) => {
  const { code, stdout, stderr } = await runBench('proof/soak/main', ['--requests', '400', '--sessions', '20']);
  t.equal(code, 0, stderr);
  t.match(stdout, /^process .*\nclient .*\nserver .*\nmanager .*\n400 requests, 20 sessions, \d+ s\nno violation, Node v/);
});
