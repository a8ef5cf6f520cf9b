/** How many managers may be connected where a Server listens for them, and which of them makes room. */
import type { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { type Clock, systemClock, useClock } from '../../lib/core/clock.js';
import { Upstream } from '../../lib/roles/server/upstream.js';
import { type ConnectAddress, parseAddress } from '../../lib/transports/address.js';
import { openPipe } from '../../lib/transports/pipe.js';
import { until } from '../support/foreign.js';

/** A listening upstream of two links, and what became of those that came: whoever is in `serving` is put into service. */
async function listening(t: Test) {
  let now = 0;
  const clock: Clock = { ...systemClock, monotonic: () => now };
  t.teardown(useClock(clock));
  const refused: unknown[] = [];
  const joined: Duplex[] = [];
  const serving: (() => void)[] = [];
  const manager = { address: 'memory-listen://links', dialect: '2207', frame: 'tcp9', askAhead: true, maxLinks: 2 } as const;
  const upstream = new Upstream(
    manager,
    (_level, event, figures) => void (event === 'link refused' && refused.push(figures?.reason)),
    (pipe) => {
      joined.push(pipe);
      pipe.on('error', () => {}).resume();
      return new Promise((resolve, reject) => {
        serving.push(resolve);
        pipe.once('close', () => reject(new Error('gone')));
      });
    },
  );
  await upstream.listen();
  t.teardown(async () => {
    for (const pipe of joined) pipe.destroy();
    await upstream.close();
  });
  const connect = async () => {
    const before = joined.length + refused.length;
    const pipe = await openPipe(parseAddress('memory://links') as ConnectAddress);
    t.teardown(() => pipe.destroy());
    pipe.on('error', () => {}).resume();
    await until('it has come', () => joined.length + refused.length > before);
    return pipe;
  };
  const at = (ms: number) => {
    now = ms;
  };
  return { connect, joined, serving, refused, at };
}

void t.test('the oldest that is not in service after ten seconds makes room', async (t) => {
  const { connect, joined, serving, refused, at } = await listening(t);
  await connect();
  serving[0]?.();
  at(1);
  await connect();
  await connect();
  t.same(refused, ['all 2 links are taken']);
  at(10_000);
  await connect();
  t.equal(refused.length, 2, 'the second is not ten seconds old');
  at(10_001);
  await connect();
  t.equal(joined.length, 3);
  t.same([joined[0]?.destroyed, joined[1]?.destroyed], [false, true], 'the one in service stays');
  joined[0]?.destroy();
  await until('it is gone', () => joined[0]?.closed === true);
  await connect();
  t.equal(joined.length, 4, 'its place is free');
});

void t.test('where all are in service the next is closed', async (t) => {
  const { connect, joined, serving, refused, at } = await listening(t);
  await connect();
  await connect();
  for (const serve of serving) serve();
  at(1_000_000);
  await connect();
  t.same([joined.length, refused], [2, ['all 2 links are taken']]);
});

void t.test('maxLinks', (t) => {
  const manager = { address: 'memory-listen://links', dialect: '2207', frame: 'tcp9', askAhead: true, maxLinks: 0 } as const;
  t.throws(
    () =>
      new Upstream(
        manager,
        () => {},
        () => Promise.resolve(),
      ),
    { code: 'ERR_VC_INVALID_OPTION' },
  );
  t.end();
});
