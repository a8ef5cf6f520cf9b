/** The events of items: each once between two neighbours, and none where nobody had subscribed. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { FLUSH } from '../../lib/core/unit.js';
import { lengthPrefix } from '../../lib/layers/frame/index.js';
import { protobuf } from '../../lib/layers/protobuf/index.js';
import { DIAGNOSTICS, type ItemEvent } from '../../lib/pipeline/diagnostics.js';
import { stack } from '../../lib/pipeline/stack.js';
import { type MemoryPipeOptions, memoryPipe } from '../../lib/transports/memory.js';
import { until } from '../support/foreign.js';
import { settle, through } from './layers.js';

/** A pipe whose far end may be reset without failing the test. */
function pipe(options: MemoryPipeOptions = {}): [Duplex, Duplex] {
  const [left, right] = memoryPipe(options);
  right.on('error', () => {});
  return [left, right];
}

function listen(t: Pick<Test, 'teardown'>): { readonly seen: ItemEvent[]; readonly stop: () => void } {
  const seen: ItemEvent[] = [];
  const hear = (event: unknown) => void seen.push(event as ItemEvent);
  const stop = () => void unsubscribe(DIAGNOSTICS.item, hear);
  subscribe(DIAGNOSTICS.item, hear);
  t.teardown(stop);
  return { seen, stop };
}

const told = ({ direction, from, to, bytes, item }: ItemEvent) =>
  `${direction} ${from} → ${to}: ${bytes ?? (typeof item === 'symbol' ? item.description : typeof item)}`;

void t.test('bytes on their way down and up, in order', async (t) => {
  const { seen } = listen(t);
  const [left, right] = pipe();
  const channel = stack(through('a'), through('b')).over(left, { session: 's' });
  right.resume();
  const sent = Buffer.from('abc');
  channel.write(sent);
  channel.write(Buffer.from('é'));
  right.write('four');
  channel.resume();
  await until('all of it', () => seen.length >= 9);
  t.same(
    seen.filter(({ direction }) => direction === 'outbound').map(told),
    [3, 2].flatMap((bytes) => [`outbound application → a: ${bytes}`, `outbound a → b: ${bytes}`, `outbound b → pipe: ${bytes}`]),
  );
  t.same(seen.filter(({ direction }) => direction === 'inbound').map(told), [
    'inbound pipe → b: 4',
    'inbound b → a: 4',
    'inbound a → application: 4',
  ]);
  t.equal(seen[0]?.item, sent, 'the item itself, no copy');
  t.match(seen[0], { connection: channel.connection.id, session: 's' });
  const times = seen.map(({ time }) => time);
  t.same(
    times,
    times.toSorted((a, b) => a - b),
  );
  channel.destroy();
});

void t.test('messages, bounds and marks', async (t) => {
  const { seen } = listen(t);
  const [left, right] = pipe();
  right.resume();
  const layers = [protobuf({ sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' }), lengthPrefix()] as const;
  const channel = stack(...layers).over(left);
  channel.write({ oneof: 'read_file', fields: { file_name: '/a' } });
  await until('the mark', () => seen.some(({ from, item }) => from === 'length-prefix' && typeof item === 'symbol'));
  t.same(seen.map(told), [
    'outbound application → protobuf: object',
    'outbound protobuf → length-prefix: object',
    'outbound protobuf → length-prefix: 6',
    'outbound length-prefix → pipe: 14',
    'outbound application → protobuf: veracruz-streams.end-of-message',
    'outbound protobuf → length-prefix: veracruz-streams.end-of-message',
    'outbound length-prefix → pipe: veracruz-streams.end-of-message',
  ]);
  channel.destroy();
});

void t.test('a mark from below passes, too', async (t) => {
  const { seen } = listen(t);
  const [left, right] = pipe({ objectMode: true });
  const channel = stack(through('a')).over(left);
  channel.resume();
  right.write(FLUSH);
  await until('the mark', () => seen.length === 2);
  t.same(seen.map(told), ['inbound pipe → a: veracruz-streams.flush', 'inbound a → application: veracruz-streams.flush']);
  channel.destroy();
});

void t.test('back-pressure is as it is without', async (t) => {
  const { seen } = listen(t);
  const [left, right] = pipe({ highWaterMark: 1024 });
  const channel = stack(through('a'), through('b')).over(left);
  let taken = 0;
  const fill = () => {
    while (right.write(Buffer.alloc(1024))) taken++;
  };
  right.on('drain', fill);
  fill();
  await settle(200);
  const before = seen.length;
  t.ok(taken < 40, `nobody reads, and ${taken} chunks were taken`);
  await settle(200);
  t.equal(seen.length, before);
  channel.destroy();
});

void t.test('a stack that was opened before somebody subscribed publishes nothing, and neither does one after', async (t) => {
  const [left, right] = pipe();
  right.resume();
  const early = stack(through('a')).over(left);
  const { seen, stop } = listen(t);
  early.write(Buffer.alloc(1));
  await settle();
  t.same(seen, []);
  stop();
  const [other, far] = pipe();
  far.resume();
  const late = stack(through('a')).over(other);
  t.same(
    late.transforms.outbound.map(({ observer }) => observer),
    [undefined],
  );
  for (const channel of [early, late]) channel.destroy();
});
