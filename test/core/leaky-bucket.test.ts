import t from 'tap';
import { systemClock, useClock } from '../../lib/core/clock.js';
import { LeakyBucket } from '../../lib/core/leaky-bucket.js';

void t.test('it fills, and empties with time, never below 0', async (t) => {
  let now = 1000;
  const bucket = new LeakyBucket(2, () => now);
  t.equal(bucket.level, 0);
  bucket.add(3);
  now += 500;
  t.equal(bucket.level, 2);
  bucket.add(-1);
  t.equal(bucket.level, 1);
  bucket.add(-5);
  t.equal(bucket.level, 0);
  bucket.add(1);
  now += 60_000;
  t.equal(bucket.level, 0);
});

void t.test('no more than it may hold, and by the clock of the process', async (t) => {
  let now = 0;
  t.teardown(useClock({ ...systemClock, monotonic: () => now }));
  const bucket = new LeakyBucket(1);
  bucket.add(8, 10);
  bucket.add(8, 10);
  t.equal(bucket.level, 10);
  now += 2500;
  t.equal(bucket.level, 7.5);
});
