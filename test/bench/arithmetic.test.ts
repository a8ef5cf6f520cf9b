import fc from 'fast-check';
import t from 'tap';
import { groupsOf } from '../../bench/files/plan.js';
import { resultsOf, usageOf } from '../../bench/files/results.js';
import type { Round, Transfer } from '../../bench/files/transfer.js';
import { interleaved, rotated } from '../../bench/harness/rounds.js';
import { sizeText } from '../../bench/harness/size.js';
import { median, quantile, spread } from '../../bench/harness/statistics.js';
import { indexOf, nameOf, sharesOf } from '../../bench/parts/support/transfer.js';
import { seeded } from '../support/splits.js';

void t.test('medians, quartiles and spread', (t) => {
  t.equal(median([3]), 3);
  t.equal(median([9, 1, 5]), 5);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(quantile([0, 10], 0.25), 2.5);
  t.equal(spread([10, 10, 10]), 0);
  t.equal(spread([8, 9, 10, 11, 12]), 0.2);
  const samples = [3, 1, 2];
  median(samples);
  t.same(samples, [3, 1, 2], 'the samples stay as they are');
  t.end();
});

void t.test('a quantile lies between the samples, and grows with its share', (t) => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), share, share, (samples, a, b) => {
      const [low, high] = [quantile(samples, Math.min(a, b)), quantile(samples, Math.max(a, b))];
      t.ok(low >= Math.min(...samples) - 1e-9 && high <= Math.max(...samples) + 1e-9 && low <= high + 1e-9);
    }),
    seeded(100),
  );
  t.end();
});

void t.test('rounds are interleaved, and each begins with another case', async (t) => {
  const order: string[] = [];
  const samples = await interleaved(['a', 'b', 'c'], 4, async (name, round) => {
    order.push(`${name}${round}`);
    return `${name}${round}`;
  });
  t.same(order, ['a0', 'b0', 'c0', 'b1', 'c1', 'a1', 'c2', 'a2', 'b2', 'a3', 'b3', 'c3']);
  t.same(samples, [
    ['a0', 'a1', 'a2', 'a3'],
    ['b0', 'b1', 'b2', 'b3'],
    ['c0', 'c1', 'c2', 'c3'],
  ]);
  t.same(rotated([], 3), []);
});

void t.test('sessions share the bytes without loss', (t) => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 256 }), (bytes, sessions) => {
      const shares = sharesOf(bytes, sessions);
      t.equal(shares.length, sessions);
      t.equal(
        shares.reduce((sum, share) => sum + share, 0),
        bytes,
      );
    }),
    seeded(100),
  );
  t.equal(indexOf(nameOf(17)), 17);
  t.end();
});

void t.test('sizes as text', (t) => {
  t.equal(sizeText(64), '64 B');
  t.equal(sizeText(65536), '64 KiB');
  t.equal(sizeText(1.5 * 2 ** 30), '1.5 GiB');
  t.equal(sizeText(8 * 2 ** 30), '8 GiB');
  t.equal(sizeText(100_000_000), '100 MB');
  t.end();
});

void t.test('what a run moves', (t) => {
  for (const extent of ['short', 'normal', 'full'] as const) t.ok(groupsOf(extent).length > 0, extent);
  t.ok(
    groupsOf('full').some(({ bytes }) => bytes === 8 * 2 ** 30),
    '8 GiB',
  );
  const groups = groupsOf('normal', [1000, 2000], [1, 4]);
  t.same(
    groups.map(({ bytes, sessions, medium }) => `${bytes} ${sessions} ${medium}`),
    ['1000 1 memory', '1000 4 memory', '2000 1 memory', '2000 4 memory', '1000 1 disk', '2000 1 disk'],
  );
  t.notOk(
    groupsOf('normal', [1000], [4]).some(({ medium }) => medium === 'disk'),
    'disk to disk is one session',
  );
  t.end();
});

void t.test('ratios say by what factor ours is faster', (t) => {
  const round = (seconds: number): Round => ({ upload: transferOf(seconds) });
  const group = { bytes: 2_000_000, medium: 'memory', sessions: 1, fixtures: [] } as const;
  const alone = resultsOf(
    group,
    ['full', 'node:tls'],
    [
      [round(2), round(9), round(1)],
      [round(1), round(1), round(1)],
    ],
    [],
  );
  t.match(alone[0], { name: 'full upload', by: 'veracruz-streams', seconds: 2, mbPerSecond: 1, rounds: 3, ratioTo: { 'node:tls': 0.5 } });
  t.match(alone[1], { name: 'node:tls upload', by: 'node:tls', ratioTo: {} });
  t.equal(alone.length, 2, 'nothing was downloaded');
  const together = resultsOf({ ...group, sessions: 16 }, ['full'], [[round(1)]], alone);
  t.same(together[0]?.ratioTo, { '1 session': 2 });
  t.end();
});

void t.test('the worst peak and the median processor time count', (t) => {
  const usage = (rss: number, user: number) => ({ client: { peakRss: rss, cpu: { user, system: 0.5 } } });
  t.same(usageOf([usage(1e6, 1), usage(5e6, 2), usage(3e6, 9)]), { peakRssMb: { client: 5 }, cpuSeconds: { client: 2.5 } });
  t.same(usageOf([{ client: { peakRss: undefined, cpu: undefined } }]), { peakRssMb: {}, cpuSeconds: {} }, 'a system that does not tell');
  t.end();
});

function transferOf(seconds: number): Transfer {
  return { seconds, moved: [], usage: { client: { peakRss: 1e8, cpu: { user: 1, system: 0 } } } };
}
