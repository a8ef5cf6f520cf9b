/** Appends to one file: whoever is slow while others wait ends, and whoever is gone waits no longer. */
import t, { type Test } from 'tap';
import { type Principal, parseRights, readPolicy } from '../../lib/enclave/policy/index.js';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { BodyFeed, IncomingBody } from '../../lib/layers/protobuf/incoming-body.js';
import { AppendTurns } from '../../lib/roles/runtime-manager/append-turns.js';
import { GuardedFiles } from '../../lib/roles/runtime-manager/guarded-files.js';
import { changed } from '../enclave/policy-support.js';
import { freshFolder, get, put } from '../enclave/store-support.js';
import { until, within } from '../support/foreign.js';
import { ManualClock } from '../support/manual-clock.js';

const ALICE: Principal = { kind: 'identity', id: 0 };
const policy = readPolicy(
  changed((given) => {
    given.identities[0].file_rights = [{ file_name: '/log', rights: parseRights('rw') }];
  }),
);
const never = new AbortController().signal;

/** An append that has its turn, and how it ends. */
function appending(turns: AppendTurns, length = 1_000_000) {
  const feed = new BodyFeed(length);
  const faults: unknown[] = [];
  feed.body.on('error', (error) => faults.push(error));
  return { feed, body: feed.body, faults, end: turns.watch('/log', feed.body) };
}

/** Another append to the file waits. */
function waiting(turns: AppendTurns): () => void {
  let go: () => void = () => {};
  void turns.wait('/log', new Promise<void>((resolve) => (go = resolve)));
  return go;
}

void t.test('slow is allowed as long as nobody waits', async (t) => {
  const clock = new ManualClock(t, 0);
  const turns = new AppendTurns(100);
  const { feed, body, faults, end } = appending(turns);
  body.resume();
  await clock.pass(60_000);
  const go = waiting(turns);
  feed.write(Buffer.alloc(1));
  await clock.pass(10_000);
  t.same(faults, [], 'from then on it counts');
  for (let time = 0; time < 3; time++) {
    feed.write(Buffer.alloc(1000));
    await clock.pass(10_000);
  }
  t.same(faults, [], 'just enough');
  go();
  await clock.pass(60_000);
  t.same(faults, [], 'nobody waits');
  waiting(turns);
  await clock.pass(10_000);
  feed.write(Buffer.alloc(999));
  await clock.pass(10_000);
  t.match(faults, [{ code: 'ERR_VC_TIMEOUT', got: 999, limit: 1000 }], 'one byte too few');
  end();
  t.equal(clock.timers, 0);
});

void t.test('what the store has not taken, and what is all there, is nobody’s delay', async (t) => {
  const clock = new ManualClock(t, 0);
  const turns = new AppendTurns(100);
  waiting(turns);
  const slowStore = appending(turns);
  slowStore.feed.write(Buffer.alloc(5000));
  const whole = appending(turns, 10);
  whole.body.resume();
  whole.feed.write(Buffer.alloc(10));
  whole.feed.end();
  const unlimited = appending(new AppendTurns(0));
  await clock.pass(60_000);
  for (const { faults, end } of [slowStore, whole, unlimited]) {
    t.same(faults, []);
    end();
  }
  turns.watch('/log', IncomingBody.whole(Buffer.from('x')))();
  t.equal(clock.timers, 0);
});

async function open(t: Test, minAppendBytesPerSecond: number) {
  const store = await DirectoryStore.open(freshFolder(t), { sync: 'none' });
  t.teardown(() => store.close());
  await put(store, '/log', 'begin ');
  return { store, files: new GuardedFiles(policy, store, minAppendBytesPerSecond) };
}

void t.test('an append whose asker goes away before its turn is not made', async (t) => {
  const { store, files } = await open(t, 0);
  const first = new BodyFeed(6);
  const appended = files.append(ALICE, '/log', first.body, never);
  first.write(Buffer.from('f'));
  await until('its turn', () => first.body.taken === 1);
  const gone = new AbortController();
  const small = files.append(ALICE, '/log', IncomingBody.whole(Buffer.from('small ')), gone.signal);
  const large = new BodyFeed(6);
  const streamed = files.append(ALICE, '/log', large.body, gone.signal);
  const last = files.append(ALICE, '/log', IncomingBody.whole(Buffer.from('last')), never);
  await new Promise((turn) => setImmediate(turn));
  gone.abort();
  for (const lost of [small, streamed]) await t.rejects(within('its end, before its turn', lost), { code: 'ERR_VC_CLOSED' });
  first.write(Buffer.from('irst '));
  first.end();
  await within('the others', Promise.all([appended, last]));
  t.equal(String(await get(store, '/log')), 'begin first last');
  const late = files.append(ALICE, '/log', IncomingBody.whole(Buffer.from('late')), gone.signal);
  await t.rejects(within('one that was gone before', late), { code: 'ERR_VC_CLOSED' });
  t.equal(String(await get(store, '/log')), 'begin first last');
});

void t.test('a slow append makes way for the next', async (t) => {
  const clock = new ManualClock(t, 0);
  const { store, files } = await open(t, 100);
  const slow = new BodyFeed(1_000_000);
  const lost = files.append(ALICE, '/log', slow.body, never);
  slow.write(Buffer.from('x'));
  await until('its turn', () => slow.body.taken === 1);
  const next = files.append(ALICE, '/log', IncomingBody.whole(Buffer.from('next')), never);
  await Promise.all([clock.pass(20_000), t.rejects(within('its end', lost), { code: 'ERR_VC_TIMEOUT' })]);
  await within('the next', next);
  t.equal(String(await get(store, '/log')), 'begin next');
});
