import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Duplex } from 'node:stream';
import t from 'tap';
import { systemClock, type Timer, useClock } from '../../lib/core/clock.js';
import { DIAGNOSTICS, type StackEvent } from '../../lib/pipeline/diagnostics.js';
import { stack } from '../../lib/pipeline/stack.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { within } from '../support/foreign.js';
import { failing, settle, through } from './layers.js';

type Seen = [keyof typeof DIAGNOSTICS, StackEvent];

/** The channels whose messages are of stacks. */
const { item: _, ...STACKS } = DIAGNOSTICS;

/** A pipe whose far end may be reset without failing the test. */
function pipe(): [Duplex, Duplex] {
  const [left, right] = memoryPipe();
  right.on('error', () => {});
  return [left, right];
}

/** Subscribes to all of them until the test is over. */
function listen(t: { teardown(end: () => void): void }): Seen[] {
  const seen: Seen[] = [];
  for (const name of Object.keys(STACKS) as (keyof typeof STACKS)[]) {
    const hear = (event: unknown) => void seen.push([name, event as StackEvent]);
    subscribe(DIAGNOSTICS[name], hear);
    t.teardown(() => void unsubscribe(DIAGNOSTICS[name], hear));
  }
  return seen;
}

void t.test('open and close, with the counters at that time', async (t) => {
  const seen = listen(t);
  const [left, right] = pipe();
  const channel = stack(through('a'), through('b')).over(left, { session: 's1' });
  t.match(seen, [['open', { connection: channel.connection.id, session: 's1', traffic: [{ layer: 'a' }, { layer: 'b' }] }]]);
  const closed = new Promise((resolve) => channel.once('close', resolve));
  channel.resume().end(Buffer.alloc(9));
  right.resume().end();
  await within('the close', closed);
  t.same(
    seen.map(([name]) => name),
    ['open', 'close'],
  );
  t.same(
    seen[1]?.[1].traffic.map(({ layer, outbound }) => [layer, outbound.bytesOut]),
    [
      ['a', 9],
      ['b', 9],
    ],
  );
  t.equal(seen[1]?.[1].connection, channel.connection.id);
  t.same(
    seen.map(([, event]) => 'error' in event),
    [false, false],
  );
});

void t.test('an error is published once, before the close', async (t) => {
  const seen = listen(t);
  const [left] = pipe();
  const channel = stack(through('a'), failing('b', 'outbound', 'push')).over(left);
  const closed = new Promise((resolve) => channel.once('close', resolve));
  channel.on('error', () => {});
  channel.write(Buffer.of(1));
  await within('the close', closed);
  t.same(
    seen.map(([name]) => name),
    ['open', 'error', 'close'],
  );
  t.match(seen[1]?.[1].error, { code: 'ERR_VC_PROTOBUF', layer: 'b' });
});

void t.test('traffic is published every second, while the stack is open', async (t) => {
  const timers = new Map<object, () => void>();
  const restore = useClock({
    ...systemClock,
    setInterval: (tick, ms) => {
      t.equal(ms, 1000);
      const timer: Timer = { unref: () => timer, refresh: () => timer };
      timers.set(timer, tick);
      return timer;
    },
    clear: (timer) => void timers.delete(timer as object),
  });
  t.teardown(restore);
  const seen = listen(t);
  const [left, right] = pipe();
  const channel = stack(through('a')).over(left);
  right.resume();
  channel.write(Buffer.alloc(3));
  await settle();
  for (const tick of timers.values()) tick();
  t.match(seen.at(-1), ['traffic', { traffic: [{ layer: 'a', outbound: { bytesOut: 3 } }] }]);
  channel.destroy();
  t.equal(timers.size, 0, 'the timer goes with the stack');
});

void t.test('without subscribers no event is made', async (t) => {
  const [left] = pipe();
  const channel = stack(through('a')).over(left);
  let asked = 0;
  channel.traffic = () => {
    asked++;
    return [];
  };
  channel.on('error', () => {}).destroy(new Error('x'));
  await settle();
  t.equal(asked, 0);
});
