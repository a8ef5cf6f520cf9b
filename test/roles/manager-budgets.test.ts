/** One principal cannot take what a manager has for all: sessions, memory, room in the store, turns of programs. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock, useClock } from '../../lib/core/clock.js';
import { AbortedError, BusyError } from '../../lib/core/errors.js';
import type { Computation, ComputeEngine } from '../../lib/enclave/compute/engine.js';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import type { RuntimeManagerOptions } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { ask, ForeignServer, tell, until } from '../support/foreign.js';
import { Hand } from '../support/hand.js';
import '../support/long.js';
import { bob, content, freshFolder, portOf, slices, startManager, startRoles, stored } from '../support/roles.js';

const MIB = 2 ** 20;

/** Runs that end when they are aborted, and not before. */
const endless: ComputeEngine = {
  run: ({ signal }: Computation) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new AbortedError('aborted')), { once: true })),
  close: async () => {},
};

/** A manager behind a Server that the test plays, and what its log says of sessions that failed. */
async function meet(t: Test, options: Partial<RuntimeManagerOptions>) {
  const failed: string[] = [];
  const log = (_level: string, event: string, { code }: Readonly<Record<string, unknown>> = {}) => {
    if (event === 'session failed') failed.push(`${event} ${String(code)}`);
  };
  const manager = await startManager(t, { compute: endless, log, ...options });
  return { manager, failed, server: await ForeignServer.connect(t, portOf(manager)) };
}

/** Has the session ask for a program that does not end. */
async function run(server: ForeignServer, hand: Hand): Promise<void> {
  hand.ask({ oneof: 'request_result', fields: { file_name: '/p' } });
  await until('the request', () => hand.waiting > 0);
  await server.call(ask.send(hand.id, hand.take()));
}

/** Begins an upload of the session. */
function upload(hand: Hand, size: number): void {
  hand.ask({ oneof: 'write_file', fields: { file_name: `/f${hand.id}`, data: { length: size, source: slices(content(size), 65_536) } } });
}

/** Feeds so many bytes of what the session has to send. False when the manager refuses them. */
async function feed(server: ForeignServer, hand: Hand, bytes: number): Promise<boolean> {
  for (let fed = 0; fed < bytes; ) {
    await until('ciphertext', () => hand.waiting > 0);
    const taken = hand.take(Math.min(250_000, bytes - fed));
    if (!(await server.call(ask.send(hand.id, taken))).equals(tell.success)) return false;
    fed += taken.length;
  }
  return true;
}

void t.test('a session too many is told so, by TLS, and takes nothing from the others', async (t) => {
  const log: string[] = [];
  const { connect, manager } = await startRoles(t, {
    manager: {
      maxSessionsPerPrincipal: 2,
      log: (_level, event, { code } = {}) => void (event === 'request refused' && log.push(String(code))),
    },
  });
  const first = await connect();
  const second = await connect();
  await Promise.all([first.policyHash(), second.policyHash()]);
  // The first request of a client is one of its own.
  await t.rejects(connect(), { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_NOT_READY' });
  t.same(log, ['ERR_VC_BUSY']);
  await (await connect({ identity: bob })).writeFile('/g', Buffer.from('of another'));
  await first.writeFile('/h', Buffer.from('of the same'));
  await second.close();
  await until('it has left', () => manager.sessions < 3);
  await (await connect()).writeFile('/f', Buffer.from('there is a place again'));
});

void t.test('uploads behind programs: the greediest session ends, and nobody else', async (t) => {
  const folder = join(freshFolder(t), 'store');
  const store = await DirectoryStore.open(folder, { sync: 'none' });
  t.teardown(() => store.close());
  // A quarter is alice's.
  const { server, manager, failed } = await meet(t, { store, maxWaitingBytes: 8 * MIB });
  const modest = await Hand.open(server);
  const greedy = [await Hand.open(server), await Hand.open(server), await Hand.open(server)];
  for (const hand of greedy) {
    await run(server, hand);
    upload(hand, 4 * MIB);
  }
  const [most, ...less] = greedy as [Hand, Hand, Hand];
  t.ok(await feed(server, most, 1_250_000));
  t.ok(await feed(server, less[0], 500_000));
  t.same(failed, []);
  t.ok(await feed(server, less[1], 500_000), 'not the one that sent last');
  await until('one has ended', () => failed.length > 0);
  t.same(failed, ['session failed ERR_VC_LIMIT']);
  t.same(await server.call(ask.send(most.id, Buffer.from('x'))), tell.fail, 'it is the one with the most');
  t.notOk(await feed(server, less[1], 3 * MIB), 'each in its turn');

  modest.ask({ oneof: 'request_policy_hash', fields: {} });
  await modest.carry();
  t.equal((await modest.answer()).status, 'SUCCESS', 'a session of the same principal that wants little');
  const other = await Hand.open(server, bob);
  upload(other, 3 * MIB);
  t.ok(await feed(server, other, 3 * MIB));
  await other.carry();
  other.give(await server.fetch(other.id));
  t.equal((await other.answer()).status, 'SUCCESS', 'and those of others');
  t.equal(manager.sessions, 3);
});

void t.test('over the share, a session whose upload is being taken waits; its sender goes on when there is room', async (t) => {
  // Nothing is ended for time: the limit of what is held back never passes.
  const setTimeout: typeof systemClock.setTimeout = (callback, ms, ...args) =>
    ms === 200 ? systemClock.setTimeout(() => {}, 0) : systemClock.setTimeout(callback, ms, ...args);
  t.teardown(useClock({ ...systemClock, setTimeout }));
  const folder = join(freshFolder(t), 'store');
  const store = await DirectoryStore.open(folder, { sync: 'none' });
  t.teardown(() => store.close());
  const { server, failed } = await meet(t, { store, maxWaitingBytes: MIB });
  const hands = [await Hand.open(server), await Hand.open(server), await Hand.open(server)];
  const size = 3 * MIB;
  for (const hand of hands) upload(hand, size);
  t.same(await Promise.all(hands.map((hand) => feed(server, hand, size))), [true, true, true]);
  for (const hand of hands) {
    await hand.carry();
    hand.give(await server.fetch(hand.id));
    t.equal((await hand.answer()).status, 'SUCCESS');
    t.same(await stored(store, `/f${hand.id}`), content(size));
  }
  t.same(failed, []);
});

void t.test('what waits for its turn to append is not waited for', async (t) => {
  let held = 0;
  const setTimeout: typeof systemClock.setTimeout = (callback, ms, ...args) => {
    if (ms === 200) held++;
    return systemClock.setTimeout(callback, ms, ...args);
  };
  t.teardown(useClock({ ...systemClock, setTimeout }));
  const { server } = await meet(t, {});
  const append = (hand: Hand, length: number) =>
    hand.ask({ oneof: 'append_file', fields: { file_name: '/log', data: { length, source: slices(content(length), 65_536) } } });
  const first = await Hand.open(server);
  append(first, 4 * MIB);
  await feed(server, first, MIB);
  const second = await Hand.open(server);
  append(second, 16 * MIB);
  t.ok(await feed(server, second, 12 * MIB));
  t.equal(held, 0);
});

void t.test('programs of who asked: whose they are is told, and that too many wait', async (t) => {
  const asked: (string | undefined)[] = [];
  const compute: ComputeEngine = {
    run: async ({ askedBy }) => {
      asked.push(askedBy);
      if (asked.length === 3) throw new BusyError('too many programs wait', { limit: 1 });
      return 0;
    },
    close: async () => {},
  };
  const { connect } = await startRoles(t, { manager: { compute } });
  const client = await connect();
  await client.compute('/p');
  await (await connect({ identity: bob })).compute('/p');
  await t.rejects(client.compute('/p'), { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_NOT_READY' });
  t.same(asked, ['0', '1', '0']);
  t.equal((await client.policyHash()).length, 64, 'the session goes on');
});

void t.test('announcements take no room from others', async (t) => {
  const folder = join(freshFolder(t), 'store');
  const store = await DirectoryStore.open(folder, { sync: 'none', maxStoreBytes: 4 * MIB });
  t.teardown(() => store.close());
  const { server } = await meet(t, { store });
  for (let i = 0; i < 4; i++) {
    const hand = await Hand.open(server);
    upload(hand, 3 * MIB);
    await feed(server, hand, 40_000);
  }
  const other = await Hand.open(server, bob);
  upload(other, 2 * MIB);
  t.ok(await feed(server, other, 2 * MIB));
  await other.carry();
  other.give(await server.fetch(other.id));
  t.equal((await other.answer()).status, 'SUCCESS');
  const large = await Hand.open(server, bob);
  upload(large, 5 * MIB);
  await feed(server, large, 40_000);
  large.give(await server.fetch(large.id));
  t.equal((await large.answer()).status, 'FAILED_GENERIC', 'what cannot fit is refused at once');
});

void t.test('a quota for each principal, also after a restart', async (t) => {
  const folder = join(freshFolder(t), 'store');
  const start = () => startRoles(t, { manager: { store: folder, quotaPerPrincipalBytes: 1000 } });
  const { connect, manager } = await start();
  const [first, second] = [await connect(), await connect({ identity: bob })];
  const full = { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_GENERIC' };
  await first.writeFile('/a', Buffer.alloc(600));
  await t.rejects(first.writeFile('/b', Buffer.alloc(401)), full);
  await second.writeFile('/b', Buffer.alloc(900));
  await second.appendFile('/a', Buffer.alloc(100));
  await t.rejects(second.appendFile('/a', Buffer.alloc(1)), full);
  await first.writeFile('/b', Buffer.alloc(400));
  await second.writeFile('/c', Buffer.alloc(900));
  await manager.close();

  const again = await start();
  const third = await again.connect();
  await t.rejects(third.writeFile('/d', Buffer.alloc(1)), full, 'it is full as before');
  await third.writeFile('/c', Buffer.alloc(0));
  await (await again.connect({ identity: bob })).writeFile('/d', Buffer.alloc(900));

  const own = await DirectoryStore.open(join(freshFolder(t), 'own'));
  t.teardown(() => own.close());
  const wrong = { code: 'ERR_VC_INVALID_OPTION' };
  await t.rejects(startManager(t, { store: own, quotaPerPrincipalBytes: 1 }), wrong, 'a store of its own has its own limit');
  await t.rejects(startManager(t, { store: own, storeOptions: { maxFiles: 1 } }), { ...wrong, message: /^storeOptions is for a store/ });
  for (const options of [{ quotaPerPrincipalBytes: -1 }, { maxSessionsPerPrincipal: 0 }, { maxWaitingBytes: MIB - 1 }]) {
    await t.rejects(startManager(t, options), wrong, String(Object.keys(options)));
  }
});

void t.test('the limits of the store that a manager opens', async (t) => {
  const { connect } = await startRoles(t, {
    manager: { store: join(freshFolder(t), 'store'), storeOptions: { maxStoreBytes: 1000, maxFiles: 2, maxFileNameBytes: 8 } },
  });
  const client = await connect();
  await client.writeFile('/a', content(900));
  const refused = { code: 'ERR_VC_REQUEST_FAILED' };
  await t.rejects(client.writeFile('/b', content(200)), refused, 'its bytes');
  await client.writeFile('/b', content(1));
  await t.rejects(client.writeFile('/c', content(1)), refused, 'its files');
  await t.rejects(client.writeFile('/too-long', content(1)), refused, 'its names');
  await t.rejects(startManager(t, { storeOptions: { maxFiles: -1 } }), { code: 'ERR_VC_INVALID_OPTION', message: /^maxFiles / });
});
