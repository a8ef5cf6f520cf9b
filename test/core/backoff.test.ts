import fc from 'fast-check';
import t from 'tap';
import { Backoff } from '../../lib/core/backoff.js';
import { within } from '../support/foreign.js';
import { seeded } from '../support/splits.js';

const take = (backoff: Backoff, count: number) => Array.from({ length: count }, () => backoff.next());

void t.test('each wait is longer than the one before it, up to the last', (t) => {
  t.same(take(new Backoff({ firstMs: 100, lastMs: 5000 }), 8), [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  t.same(take(new Backoff({ firstMs: 100, lastMs: 5000, factor: 1 }), 3), [100, 100, 100]);
  t.same(take(new Backoff({ firstMs: 1, lastMs: 30, factor: 3 }), 5), [1, 3, 9, 27, 30]);
  t.same(take(new Backoff({ firstMs: 0, lastMs: 30 }), 3), [0, 0, 0], 'nothing doubled is nothing');
  t.end();
});

void t.test('after a reset the next wait is the first one again', (t) => {
  const backoff = new Backoff({ firstMs: 2, lastMs: 500 });
  take(backoff, 5);
  t.equal(backoff.ms, 64);
  backoff.reset();
  t.equal(backoff.ms, 2);
  t.same(take(backoff, 3), [2, 4, 8]);
  t.end();
});

void t.test('a caller with a timer of its own reads `ms`, and lengthens the wait itself', (t) => {
  const backoff = new Backoff({ firstMs: 2, lastMs: 5 });
  t.same([backoff.ms, backoff.ms], [2, 2]);
  backoff.lengthen();
  t.equal(backoff.ms, 4);
  backoff.lengthen();
  t.equal(backoff.ms, 5);
  t.end();
});

void t.test('jitter shortens a wait by at most its part, and does not change the series', async () => {
  fc.assert(
    fc.property(
      fc.record({ firstMs: fc.nat(1000), more: fc.nat(5000), factor: fc.double({ min: 1, max: 16, noNaN: true }) }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      ({ firstMs, more, factor }, jitter) => {
        const lastMs = firstMs + more;
        const backoff = new Backoff({ firstMs, lastMs, factor, jitter });
        let due = firstMs;
        for (let i = 0; i < 20; i++) {
          if (backoff.ms !== due) return false;
          const ms = backoff.next();
          if (ms > due || ms < due * (1 - jitter) - 1e-6) return false;
          due = Math.min(due * factor, lastMs);
        }
        return true;
      },
    ),
    seeded(200),
  );
});

void t.test('with jitter two series differ', (t) => {
  const rows = Array.from({ length: 2 }, () => take(new Backoff({ firstMs: 1000, lastMs: 1000, jitter: 1 }), 20));
  t.notSame(rows[0], rows[1]);
  t.end();
});

void t.test('wait: settles later, and rejects when its signal fires', async (t) => {
  const backoff = new Backoff({ firstMs: 1, lastMs: 2 ** 30, factor: 2 ** 30 });
  await within('a wait of a millisecond', backoff.wait());
  const signal = new AbortController();
  const long = backoff.wait(signal.signal);
  signal.abort(new Error('no more'));
  await t.rejects(within('a wait that is aborted', long), { name: 'AbortError', cause: { message: 'no more' } });
});
