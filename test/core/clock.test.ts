import t from 'tap';
import { Backoff } from '../../lib/core/backoff.js';
import { clock, systemClock, useClock } from '../../lib/core/clock.js';

void t.test("the clock of the process is the machine's", async (t) => {
  const before = Date.now();
  t.ok(clock.now() >= before);
  const started = clock.monotonic();
  await clock.sleep(1);
  t.ok(clock.monotonic() > started);
  const controller = new AbortController();
  const waiting = clock.sleep(60_000, { signal: controller.signal });
  controller.abort('enough');
  await t.rejects(waiting, { name: 'AbortError', cause: 'enough' });
  const keptAlive = clock.setInterval(() => {}, 1000);
  const signal = clock.timeout(1);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  t.equal((signal.reason as Error).name, 'TimeoutError');
  clock.clear(keptAlive);
});

void t.test('timers: once, again and again, and ended', async (t) => {
  t.equal(await new Promise((resolve) => clock.setTimeout(resolve, 1, 'argument')), 'argument');
  let calls = 0;
  await new Promise<void>((resolve) => {
    const timer = clock.setInterval(() => {
      calls++;
      if (calls < 3) return;
      clock.clear(timer);
      resolve();
    }, 1);
  });
  const never = clock.setTimeout(() => t.fail('a timer that was cleared called'), 1);
  clock.clear(never);
  clock.clear(undefined);
  await clock.sleep(10);
  t.equal(calls, 3);
});

void t.test('another clock takes the place of all of it, and gives it back', async (t) => {
  const waited: number[] = [];
  const restore = useClock({
    ...systemClock,
    monotonic: () => 42,
    sleep: async (ms) => {
      waited.push(ms);
    },
  });
  const backoff = new Backoff({ firstMs: 1000, lastMs: 4000 });
  for (let wait = 0; wait < 4; wait++) await backoff.wait();
  t.same(waited, [1000, 2000, 4000, 4000]);
  t.equal(clock.monotonic(), 42);
  restore();
  t.not(clock.monotonic(), 42);
});
