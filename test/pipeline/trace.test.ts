/** Traces: what is in them, what never is, and what ends them. */
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import { systemClock, type Timer, useClock } from '../../lib/core/clock.js';
import { lengthPrefix } from '../../lib/layers/frame/index.js';
import { protobuf } from '../../lib/layers/protobuf/index.js';
import { stack } from '../../lib/pipeline/stack.js';
import { nameOf } from '../../lib/pipeline/trace/names.js';
import { traceTo } from '../../lib/pipeline/trace/trace.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { until, within } from '../support/foreign.js';
import { freshFolder } from '../support/roles.js';
import { linesOf, sumsOf } from '../support/traces.js';
import { failing, through } from './layers.js';

/** A pipe whose far end may be reset without failing the test. */
function pipe(): [Duplex, Duplex] {
  const [left, right] = memoryPipe();
  right.on('error', () => {});
  return [left, right];
}

const fresh = (t: Pick<Test, 'teardown'>) => join(freshFolder(t), 'trace.jsonl');
const request = { sends: 'RuntimeManagerRequest', receives: 'RuntimeManagerResponse' } as const;
const response = { sends: 'RuntimeManagerResponse', receives: 'RuntimeManagerRequest' } as const;

/** A client asks a manager, which answers with `data`; both end. Their connections are the last two that were opened. */
async function exchange(data: Buffer): Promise<void> {
  const [left, right] = memoryPipe();
  const client = stack(protobuf(request), lengthPrefix()).over(left, { session: 'c' });
  const manager = stack(protobuf(response), lengthPrefix()).over(right, { session: 'm' });
  const closed = Promise.all(([client, manager] as Duplex[]).map((channel) => new Promise((resolve) => channel.once('close', resolve))));
  manager.on('data', () => manager.end({ status: 'SUCCESS', oneof: 'result', fields: { data } }));
  client.on('data', (answer) => answer.oneof === 'result' && answer.fields.data.resume());
  client.end({ oneof: 'read_file', fields: { file_name: '/secret/name' } });
  await within('the end of both', closed);
}

void t.test('the sums of the lines are the counters of every layer', async (t) => {
  const path = fresh(t);
  const trace = traceTo(path, { role: 'both', version: '1.2.3' });
  await exchange(Buffer.alloc(300_000));
  trace.close();
  const [head, ...lines] = linesOf(path);
  t.match(head, { event: 'trace', format: 1, role: 'both', version: '1.2.3', pid: process.pid, bytes: 0 });
  const closes = lines.filter(({ event }) => event === 'close');
  t.equal(closes.length, 2);
  for (const { connection, traffic } of closes) {
    t.same(sumsOf(lines, connection), traffic);
    t.ok(traffic.every(({ outbound, inbound }: any) => outbound.bytesOut > 0 && inbound.bytesIn > 0));
  }
  const times = lines.map(({ ms }) => ms);
  t.same(
    times,
    times.toSorted((a, b) => a - b),
    'no line is earlier than the one before',
  );
});

void t.test('names of messages, statuses, units and marks; no payload', async (t) => {
  const path = fresh(t);
  const trace = traceTo(path);
  await exchange(Buffer.from('the contents of a file'));
  trace.close();
  const lines = linesOf(path);
  for (const line of [
    { from: 'application', to: 'protobuf', message: 'read_file', session: 'c' },
    { from: 'protobuf', to: 'application', message: 'result', status: 'SUCCESS', session: 'c' },
    { from: 'protobuf', to: 'length-prefix', announces: 16 },
    { from: 'length-prefix', to: 'pipe', mark: 'end-of-message' },
  ]) {
    t.ok(
      lines.some((one) => Object.entries(line).every(([name, value]) => one[name] === value)),
      JSON.stringify(line),
    );
  }
  const text = readFileSync(path, 'latin1');
  for (const secret of ['contents', 'secret', Buffer.from('contents').toString('hex')]) t.notOk(text.includes(secret), secret);
});

void t.test('first bytes, only as many as were asked for', async (t) => {
  const path = fresh(t);
  const trace = traceTo(path, { bytes: 4 });
  const [left, right] = pipe();
  right.resume();
  const channel = stack(through('a')).over(left);
  for (const item of [Buffer.from('abcdefg'), Buffer.from('xy'), 'éé€']) channel.write(item);
  await until('all of it', () => right.readableLength === 0 && channel.idle);
  trace.close();
  channel.destroy();
  const first = linesOf(path).filter(({ to }) => to === 'a');
  t.same(
    first.map(({ bytes, first }) => [bytes, first]),
    [
      [7, '61626364'],
      [2, '7879'],
      [7, 'c3a9c3a9'],
    ],
  );
  for (const bytes of [-1, 65_537, 0.5]) t.throws(() => traceTo(fresh(t), { bytes }), { code: 'ERR_VC_INVALID_OPTION' });
});

void t.test('an error, with its code and layer; nothing of stacks that were opened before', async (t) => {
  const path = fresh(t);
  const [before] = pipe();
  const early = stack(through('a'))
    .over(before)
    .on('error', () => {});
  const trace = traceTo(path);
  const [left] = pipe();
  const channel = stack(through('a'), failing('b', 'outbound', 'push'))
    .over(left)
    .on('error', () => {});
  const closed = new Promise((resolve) => channel.once('close', resolve));
  channel.write(Buffer.of(1));
  early.destroy(new Error('x'));
  await within('the close', closed);
  trace.close();
  trace.close();
  const lines = linesOf(path);
  t.match(lines.at(-2), { event: 'error', connection: channel.connection.id, code: 'ERR_VC_PROTOBUF', layer: 'b' });
  t.match(lines.at(-1), { event: 'close', connection: channel.connection.id });
  t.notOk(lines.some(({ connection }) => connection === early.connection.id));
});

void t.test('the file is for its owner, and begins anew', async (t) => {
  const path = fresh(t);
  writeFileSync(path, `{"event":"trace","format":1}\n${'x'.repeat(10_000)}`);
  chmodSync(path, 0o644);
  traceTo(path).close();
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(linesOf(path).length, 1);
  const other = join(freshFolder(t), 'new');
  traceTo(other).close();
  t.equal(statSync(other).mode & 0o777, 0o600);
});

void t.test('a file that is no recording is not replaced: a key, a policy, a source', async (t) => {
  const path = fresh(t);
  for (const contents of ['-----BEGIN PRIVATE KEY-----', '{"identities":[]}', 'x', '\0'.repeat(100)]) {
    writeFileSync(path, contents);
    t.throws(() => traceTo(path), { code: 'ERR_VC_INVALID_ARGUMENT', message: /it has other contents than a recording/ });
    t.equal(readFileSync(path, 'latin1'), contents);
  }
});

void t.test('files that cannot be written', async (t) => {
  const folder = freshFolder(t);
  symlinkSync('/nowhere/at/all', join(folder, 'dangling'));
  for (const path of [folder, join(folder, 'no', 'file'), join(folder, 'dangling')]) {
    t.throws(() => traceTo(path), { code: 'ERR_VC_INVALID_ARGUMENT', message: `cannot write ${path}: ` }, path);
  }
});

void t.test(
  'a full disk ends the trace with one warning, and nothing else',
  { skip: existsSync('/dev/full') ? false : 'no /dev/full' },
  async (t) => {
    const faults: string[] = [];
    const trace = traceTo('/dev/full', { onFault: (error) => faults.push(error.message) });
    await exchange(Buffer.alloc(5_000_000));
    await exchange(Buffer.alloc(5_000_000));
    await until('the fault', () => faults.length > 0);
    trace.close();
    t.equal(faults.length, 1);
    t.match(faults[0], /^\/dev\/full ends here, it can be written no further: ENOSPC/);
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    traceTo('/dev/full').close();
    t.match(await within('the warning', warned), { message: '/dev/full ends here' });
  },
);

void t.test('what was recorded is in the file 200 ms later', async (t) => {
  const ticks: (() => void)[] = [];
  const timer: Timer = { unref: () => timer, refresh: () => timer };
  const restore = useClock({
    ...systemClock,
    setInterval: (tick, ms) => {
      t.equal(ms, 200);
      ticks.push(tick);
      return timer;
    },
    clear: () => {},
  });
  t.teardown(restore);
  const path = fresh(t);
  const trace = traceTo(path);
  t.equal(statSync(path).size, 0);
  ticks[0]?.();
  t.equal(linesOf(path).length, 1);
  trace[Symbol.dispose]();
});

void t.test('names of messages', async (t) => {
  t.same(nameOf({ oneof: 'read_file', fields: {} }), { message: 'read_file' });
  t.same(nameOf({ oneof: null, status: 'SUCCESS' }), { message: 'SUCCESS' });
  t.same(nameOf({ kind: 'Status', status: 'Fail' }), { message: 'Status', status: 'Fail' });
  t.same(nameOf({ kind: 'x'.repeat(1000), status: 7 }), { message: 'x'.repeat(64) });
  for (const item of [undefined, null, 5, {}, Symbol('x')]) t.same(nameOf(item), { message: 'message' });
});
