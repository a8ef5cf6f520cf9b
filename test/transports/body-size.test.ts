/** Sizes of bodies by the rate of the line, and by what is refused, with a clock that the test turns. */
import t from 'tap';
import { clock, useClock } from '../../lib/core/clock.js';
import { BodySize } from '../../lib/transports/body-size.js';

/** Sends bodies over a line of `bytesPerSecond` one after the other. Returns their sizes. */
function sizesOn(size: BodySize, bytesPerSecond: number, count: number, now: { ms: number }): number[] {
  return Array.from({ length: count }, () => {
    const { bytes } = size;
    const since = now.ms;
    now.ms += (bytes / bytesPerSecond) * 1000;
    size.answered(bytes, since);
    return bytes;
  });
}

function clockOfTest(t: { teardown: (end: () => void) => unknown }): { ms: number } {
  const now = { ms: 0 };
  t.teardown(useClock({ ...clock, monotonic: () => now.ms }));
  return now;
}

void t.test('a fast line carries the longest body as the fourth', async (t) => {
  const now = clockOfTest(t);
  t.same(sizesOn(new BodySize(), 1e9, 6, now), [65_536, 262_144, 1_048_576, 1_398_115, 1_398_115, 1_398_115]);
});

void t.test('each body takes two seconds at most, also when the line becomes slower or faster', async (t) => {
  const now = clockOfTest(t);
  const size = new BodySize();
  t.same(sizesOn(size, 50_000, 3, now), [65_536, 100_000, 100_000]);
  t.same(sizesOn(size, 8_000, 3, now), [100_000, 16_384, 16_384]);
  t.same(sizesOn(size, 500, 2, now), [16_384, 16_384], 'never less than 16 KiB');
  t.same(sizesOn(size, 1e9, 4, now), [16_384, 65_536, 262_144, 1_048_576]);
});

void t.test('bodies that wait behind each other: the time of each begins with the answer before it', async (t) => {
  const now = clockOfTest(t);
  const size = new BodySize();
  for (let answered = 1; answered <= 4; answered++) {
    now.ms += 1000;
    size.answered(65_536, 0);
  }
  t.equal(size.bytes, 131_072, 'two seconds of 65,536 bytes a second');
});

void t.test('a short body tells nothing', async (t) => {
  const now = clockOfTest(t);
  const size = new BodySize();
  now.ms = 60_000;
  size.answered(100, 0);
  t.equal(size.bytes, 65_536);
});

void t.test('a refusal sets a limit that stays: the round number below', async (t) => {
  const now = clockOfTest(t);
  const size = new BodySize();
  t.equal(size.limit, Number.POSITIVE_INFINITY);
  sizesOn(size, 1e9, 4, now);
  t.ok(size.refused(1_398_115));
  t.same([size.bytes, size.limit], [1_048_576, 1_048_576]);
  t.ok(size.refused(1_048_576));
  t.equal(size.limit, 524_288);
  t.ok(size.refused(700_000));
  t.equal(size.limit, 524_288, 'a refusal of what is over the limit already changes nothing');
  sizesOn(size, 1e9, 2, now);
  t.equal(size.bytes, 524_288, 'and no rate lifts it');
  t.ok(size.refused(32_768));
  t.equal(size.limit, 16_384);
  t.notOk(size.refused(16_384), 'less is not tried');
  t.equal(size.limit, 16_384);
});
