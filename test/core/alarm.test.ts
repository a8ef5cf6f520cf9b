import t from 'tap';
import { Alarm } from '../../lib/core/alarm.js';
import { ManualClock } from '../support/manual-clock.js';

const START = Date.UTC(2030, 0);
const DAY_MS = 86_400_000;

void t.test('it rings once, at its moment', async (t) => {
  const clock = new ManualClock(t, START);
  const rung: number[] = [];
  new Alarm(START + 40 * DAY_MS, () => rung.push(clock.now));
  await clock.pass(40 * DAY_MS - 1);
  t.same(rung, [], 'nor is a wait longer than a timer can do');
  await clock.pass(10 * DAY_MS);
  t.same(rung, [START + 40 * DAY_MS]);
  t.equal(clock.timers, 0);
});

void t.test('it goes by the clock, and not by how long it has waited', async (t) => {
  const clock = new ManualClock(t, START);
  let rung = 0;
  new Alarm(START + DAY_MS, () => rung++);
  clock.jump(DAY_MS);
  await clock.pass(30_000);
  t.equal(rung, 1, 'the machine had slept');
  new Alarm(clock.now - 1, () => rung++);
  await clock.pass(1);
  t.equal(rung, 2, 'a moment that has passed');
});

void t.test('it can be stopped', async (t) => {
  const clock = new ManualClock(t, START);
  const alarm = new Alarm(START + 1000, () => t.fail('it rang'));
  await clock.pass(500);
  alarm.stop();
  await clock.pass(DAY_MS);
  t.equal(clock.timers, 0);
});
