/** The Runtime Manager behind a Server of another make, which speaks raw frames. */
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import t from 'tap';
import { type Clock, systemClock, useClock } from '../../lib/core/clock.js';
import { AbortedError, FileStoreError } from '../../lib/core/errors.js';
import type { FileStore } from '../../lib/enclave/store/file-store.js';
import type { Sent } from '../../lib/layers/protobuf/index.js';
import { ask, dataOf, ForeignServer, tell, until, within } from '../support/foreign.js';
import { Hand, turns } from '../support/hand.js';
import '../support/long.js';
import { collect, content, POLICY_HASH, portOf, slices, startManager, startRoles, stored } from '../support/roles.js';

type T = Parameters<typeof startManager>[0];
async function meet(t: T, options: Parameters<typeof startManager>[1] = {}) {
  const manager = await startManager(t, options);
  return { manager, server: await ForeignServer.connect(t, portOf(manager)) };
}

void t.test('what is not there', async (t) => {
  const { server, manager } = await meet(t);
  t.same(await server.call(ask.send(1, Buffer.from('x'))), tell.fail);
  t.same(await server.call(ask.needed(1)), tell.fail);
  t.same(await server.call(ask.get(1)), tell.fail);
  t.same(await server.call(ask.close(1)), tell.success);
  t.same(await server.call(ask.reset()), tell.unimplemented);
  for (const id of [1, 2, 3]) t.equal(await server.open(), id, 'ids count up from 1');
  t.same(await server.call(ask.get(1)), tell.fail, 'nothing queued');
  t.same(await server.call(ask.needed(1)), tell.needed(false));
  t.same(await server.call(ask.close(2)), tell.success);
  t.same(await server.call(ask.close(2)), tell.success);
  t.same(await server.call(ask.send(2, Buffer.from('x'))), tell.fail);
  t.equal(manager.sessions, 2);
  t.equal(await server.open(), 4, 'and are never given twice');
});

void t.test('no more sessions than may be', async (t) => {
  const { server } = await meet(t, { maxSessions: 2 });
  t.same([await server.open(), await server.open()], [1, 2]);
  t.same(await server.call(ask.open()), tell.fail);
  await server.call(ask.close(1));
  t.equal(await server.open(), 3);
});

void t.test('requests pipelined, answers in order', async (t) => {
  const { server } = await meet(t);
  const x = Buffer.from('x');
  server.post(ask.open(), ask.needed(1), ask.get(1), ask.needed(9), ask.open(), ask.close(2), ask.send(2, x), ask.reset(), ask.needed(1));
  const due = [tell.session(1), tell.needed(false), tell.fail, tell.fail, tell.session(2), tell.success, tell.fail, tell.unimplemented];
  for (const answer of [...due, tell.needed(false)]) {
    t.same(await server.answer(), answer);
  }
});

void t.test('garbage for TLS: the alert can be fetched, then the session is over', async (t) => {
  const { server, manager } = await meet(t);
  const cases: [string, Buffer, boolean][] = [
    ['a ClientHello of one byte', Buffer.from('16030100050100000100', 'hex'), true],
    // It is refused before OpenSSL sees it.
    ['a record before its time', Buffer.from('1703030005aaaaaaaaaa', 'hex'), false],
    // OpenSSL has no alert for this one.
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), false],
  ];
  for (const [what, garbage, alerts] of cases) {
    const id = await server.open();
    t.same(await server.call(ask.send(id, garbage)), tell.success);
    if (alerts) {
      t.same(await server.call(ask.needed(id)), tell.needed(true), what);
      t.equal(dataOf(await server.call(ask.get(id)))[0], 21, 'a TLS alert');
    }
    // OpenSSL tells its error some turns after it has taken the bytes: until then there is nothing to fetch.
    await until(`the end of the session: ${what}`, async () => {
      const answer = await server.call(ask.needed(id));
      if (!answer.equals(tell.needed(false))) t.same(answer, tell.fail, what);
      return answer.equals(tell.fail);
    });
    t.same(await server.call(ask.get(id)), tell.fail);
    t.same(await server.call(ask.send(id, garbage)), tell.fail);
  }
  await until('the sessions are gone', () => manager.sessions === 0);
});

void t.test('a whole session by hand', async (t) => {
  const { server } = await meet(t);
  const hand = await Hand.open(server);
  hand.ask({ oneof: 'request_policy_hash', fields: {} });
  await hand.carry();
  const answer = await hand.answer();
  t.equal(answer.oneof === 'policy_hash' && answer.fields.data.toString(), POLICY_HASH);
  hand.channel.end();
  await hand.carry();
  t.same(await server.call(ask.needed(hand.id)), tell.fail, 'after close_notify in both directions there is nothing more');
});

void t.test('messages that are none are answered; the session goes on', async (t) => {
  const { server } = await meet(t);
  const hand = await Hand.open(server);
  for (const request of [
    { oneof: null },
    { oneof: 'request_result', fields: { file_name: '/p' } },
    { oneof: 'request_pi_hash', fields: { file_name: '/p' } },
  ] as Sent<'RuntimeManagerRequest'>[]) {
    hand.ask(request);
    await hand.carry();
    t.equal((await hand.answer()).status, 'FAILED_INVALID_REQUEST');
  }
  hand.ask({ oneof: 'request_policy_hash', fields: {} });
  await hand.carry();
  t.equal((await hand.answer()).status, 'SUCCESS');
});

void t.test('GetTlsDataNeeded: false in the middle of an upload, true when its answer is there', async (t) => {
  const { server } = await meet(t);
  const hand = await Hand.open(server);
  let more: (bytes: Buffer) => void = () => {};
  async function* source() {
    for (;;) yield await new Promise<Buffer>((resolve) => (more = resolve));
  }
  hand.ask({ oneof: 'write_file', fields: { file_name: '/f', data: { length: 3000, source: source() } } });
  await hand.carry();
  for (let i = 0; i < 3; i++) {
    more(content(1000, i + 1));
    await until('ciphertext', () => (hand.channel.traffic()[2]?.outbound.bytesIn ?? 0) >= 1000 * (i + 1));
    await turns(5);
    t.same(await server.call(ask.send(hand.id, hand.take())), tell.success);
    t.same(await server.call(ask.needed(hand.id)), tell.needed(i === 2), `after ${i + 1} of 3`);
  }
  hand.give(await server.fetch(hand.id));
  t.equal((await hand.answer()).status, 'SUCCESS');
});

void t.test('a small request: what is asked together is answered together, and nobody waits for the end', async (t) => {
  const { server } = await meet(t);
  const hand = await Hand.open(server);
  hand.ask({ oneof: 'request_policy_hash', fields: {} });
  await turns(5);
  let reads = 0;
  server.socket.on('data', () => reads++);
  server.post(ask.send(hand.id, hand.take()), ask.needed(hand.id));
  t.same([await server.answer(), await server.answer()], [tell.success, tell.needed(true)]);
  t.equal(reads, 1, 'one write of the manager');
  // By now it has found out that no more is to come.
  await turns(5);
  server.post(ask.get(hand.id), ask.needed(hand.id));
  hand.give(dataOf(await server.answer()));
  t.same(await server.answer(), tell.needed(false));
  t.equal(reads, 2, 'and another');
  t.equal((await hand.answer()).status, 'SUCCESS');
});

void t.test('asked ahead: all of it goes out in one write', async (t) => {
  const { server } = await meet(t);
  const hand = await Hand.open(server);
  let reads = 0;
  server.socket.on('data', () => reads++);
  for (let round = 0; round < 10; round++) {
    hand.ask({ oneof: 'request_policy_hash', fields: {} });
    await turns(5);
    reads = 0;
    server.post(ask.send(hand.id, hand.take()), ask.needed(hand.id), ask.get(hand.id), ask.needed(hand.id));
    t.same([await server.answer(), await server.answer()], [tell.success, tell.needed(true)]);
    hand.give(dataOf(await server.answer()));
    t.same(await server.answer(), tell.needed(false));
    t.equal(reads, 1);
    t.equal((await hand.answer()).status, 'SUCCESS');
  }
  // In vain.
  server.post(ask.needed(hand.id), ask.get(hand.id), ask.needed(hand.id));
  t.same([await server.answer(), await server.answer(), await server.answer()], [tell.needed(false), tell.fail, tell.needed(false)]);
});

void t.test('asked ahead of an answer that takes its time: it waits for it, and is not in its own way', async (t) => {
  const store = slowStore();
  const { server } = await meet(t, { store });
  const hand = await Hand.open(server);
  hand.ask({ oneof: 'read_file', fields: { file_name: '/slow' } });
  await turns(5);
  server.post(ask.send(hand.id, hand.take()), ask.needed(hand.id), ask.get(hand.id), ask.needed(hand.id));
  t.same(await server.answer(), tell.success);
  await until('the read', () => store.reads.length === 1);
  const answer = server.answer();
  let answered = false;
  void answer.then(() => (answered = true));
  await new Promise((go) => setTimeout(go, 50));
  t.notOk(answered, 'ten times its patience, which is for others');
  for (const go of store.reads) go();
  t.same(await answer, tell.needed(true));
  hand.give(dataOf(await server.answer()));
  await hand.carryRest();
  t.equal((await hand.answer()).status, 'SUCCESS');
});

void t.test('asked ahead in vain: what waits, waits once', async (t) => {
  const store = slowStore();
  const { server } = await meet(t, { store });
  const hand = await Hand.open(server);
  hand.ask({ oneof: 'read_file', fields: { file_name: '/slow' } });
  await turns(5);
  t.same(await server.call(ask.send(hand.id, hand.take())), tell.success);
  for (let round = 0; round < 2; round++) {
    let reads = 0;
    const count = () => reads++;
    server.socket.on('data', count);
    server.post(ask.get(hand.id), ask.needed(hand.id));
    t.same([await server.answer(), await server.answer()], [tell.fail, tell.needed(false)]);
    t.equal(reads, 1, 'the question behind it has the answer of the first, which has waited');
    server.socket.off('data', count);
  }
  const needed = server.call(ask.needed(hand.id));
  for (const go of store.reads) go();
  t.same(await needed, tell.needed(true), 'a question of its own waits as ever');
  hand.give(await server.fetch(hand.id));
  t.equal((await hand.answer()).status, 'SUCCESS');
});

void t.test('asked ahead of a slow answer: whoever else comes is not held up', async (t) => {
  const store = slowStore();
  const { server } = await meet(t, { store });
  const [slow, quick] = [await Hand.open(server), await Hand.open(server)];
  slow.ask({ oneof: 'read_file', fields: { file_name: '/slow' } });
  quick.ask({ oneof: 'read_file', fields: { file_name: '/quick' } });
  await turns(5);
  const all = (hand: Hand) => [ask.send(hand.id, hand.take()), ask.get(hand.id), ask.needed(hand.id)];
  server.post(...all(slow), ...all(quick));
  t.same(await Promise.all([1, 2, 3].map(() => server.answer())), [tell.success, tell.fail, tell.needed(false)]);
  t.same(await server.answer(), tell.success);
  quick.give(dataOf(await server.answer()));
  await quick.carryRest();
  t.equal((await quick.answer()).status, 'SUCCESS');
  for (const go of store.reads) go();
  slow.give(await server.fetch(slow.id));
  t.equal((await slow.answer()).status, 'SUCCESS');
});

void t.test('two requests in one flight: the second answer is not missed', async (t) => {
  const { server } = await meet(t);
  const hand = await Hand.open(server);
  for (let round = 0; round < 20; round++) {
    hand.ask({ oneof: 'request_policy_hash', fields: {} });
    await turns(round % 5);
    hand.ask({ oneof: 'read_file', fields: { file_name: '/none' } });
    await turns(5);
    server.post(ask.send(hand.id, hand.take()), ask.needed(hand.id));
    t.same(await server.answer(), tell.success);
    t.same(await server.answer(), tell.needed(true));
    await turns(round % 4);
    hand.give(dataOf(await server.call(ask.get(hand.id))));
    hand.give(await server.fetch(hand.id));
    t.same([(await hand.answer()).status, (await hand.answer()).status], ['SUCCESS', 'FAILED_GENERIC']);
  }
});

/** A store whose reads and writes wait to be let go. */
function slowStore(): FileStore & { reads: (() => void)[]; taken: number } {
  const store = {
    reads: [] as (() => void)[],
    taken: 0,
    read: async (name: string) => {
      if (name === '/slow') await new Promise<void>((go) => store.reads.push(go));
      return { length: 4, stream: Readable.from([Buffer.from('done')]) };
    },
    write: () =>
      new Writable({
        highWaterMark: 1,
        // The first chunk is never done.
        write: (chunk: Buffer) => {
          store.taken += chunk.length;
        },
      }),
    bind: async () => {},
    close: async () => {},
  };
  return store as unknown as FileStore & { reads: (() => void)[]; taken: number };
}

void t.test('one slow session does not hold up another on its link', async (t) => {
  const store = slowStore();
  const { server } = await meet(t, { store });
  const slow = await Hand.open(server);
  const quick = await Hand.open(server);
  slow.ask({ oneof: 'read_file', fields: { file_name: '/slow' } });
  quick.ask({ oneof: 'read_file', fields: { file_name: '/quick' } });
  await turns(5);
  // All in one flight: the slow one's question stands before the quick one's.
  server.post(ask.send(slow.id, slow.take()), ask.needed(slow.id), ask.send(quick.id, quick.take()), ask.needed(quick.id));
  const answers = [await server.answer(), await server.answer(), await server.answer(), await server.answer()];
  t.same(answers, [tell.success, tell.needed(false), tell.success, tell.needed(true)]);
  quick.give(await server.fetch(quick.id));
  t.equal((await quick.answer()).status, 'SUCCESS');
  t.equal(store.reads.length, 1, 'while the slow one is still at it');
  const needed = server.call(ask.needed(slow.id));
  for (const go of store.reads) go();
  t.same(await needed, tell.needed(true), 'with nobody behind it, the question waits for the answer');
  slow.give(await server.fetch(slow.id));
  t.equal((await slow.answer()).status, 'SUCCESS');
});

void t.test('a shutdown ends what runs, and who waits for it is told', async (t) => {
  const run = ({ signal }: { readonly signal: AbortSignal }) =>
    new Promise<number>((_, reject) => signal.addEventListener('abort', () => reject(new AbortedError('aborted'))));
  const { server } = await meet(t, { compute: { run, close: async () => {} } });
  const [waiting, ending] = [await Hand.open(server), await Hand.open(server)];
  waiting.ask({ oneof: 'request_result', fields: { file_name: '/p' } });
  await turns(5);
  t.same(await server.call(ask.send(waiting.id, waiting.take())), tell.success);
  ending.ask({ oneof: 'request_shutdown', fields: {} });
  await ending.carry();
  t.equal((await ending.answer()).status, 'SUCCESS');
  // The link is still open: a console is not seen to close.
  waiting.give(await server.fetch(waiting.id));
  t.equal((await waiting.answer()).status, 'FAILED_GENERIC');
});

/** A store that takes nothing until it is opened. */
function stuckStore() {
  const waiting: (() => void)[] = [];
  let open = false;
  let taken = 0;
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    taken += chunk.length;
    void (open ? done() : waiting.push(done));
  };
  const store = {
    write: () => new Writable({ highWaterMark: 1, write }),
    bind: async () => {},
    close: async () => {},
  } as unknown as FileStore;
  const goOn = (on: boolean) => {
    open = on;
    if (on) for (const go of waiting.splice(0)) go();
  };
  return { store, goOn, taken: () => taken };
}

/** Feeds so many bytes of what the session has to send. */
async function feed(server: ForeignServer, hand: Hand, bytes: number): Promise<void> {
  for (let fed = 0; fed < bytes; ) {
    await until('ciphertext', () => hand.waiting > 0);
    const taken = hand.take(Math.min(500_000, bytes - fed));
    if (!(await server.call(ask.send(hand.id, taken))).equals(tell.success)) throw new Error('refused');
    fed += taken.length;
  }
}

void t.test('an upload faster than the store: beyond 8 MiB the Status waits for the store, though not for ever', async (t) => {
  // The limit of a Status that is held back passes when the test says so.
  const limits: (() => void)[] = [];
  const setTimeout: Clock['setTimeout'] = (callback, ms, ...args) => {
    if (ms !== 200) return systemClock.setTimeout(callback, ms, ...args);
    limits.push(() => callback(...args));
    return systemClock.setTimeout(() => {}, 0);
  };
  t.teardown(useClock({ ...systemClock, setTimeout }));
  const { store, goOn, taken } = stuckStore();
  const { server } = await meet(t, { store });
  const hand = await Hand.open(server);
  const size = 24 * 2 ** 20;
  hand.ask({ oneof: 'write_file', fields: { file_name: '/f', data: { length: size + 1, source: slices(content(size), 65_536) } } });
  await feed(server, hand, 4 * 2 ** 20);
  server.post(ask.needed(hand.id), ask.needed(99));
  t.same([await server.answer(), await server.answer()], [tell.needed(false), tell.fail], 'some backlog holds nobody up');
  await feed(server, hand, 3 * 2 ** 20);
  t.same(limits, [], 'up to 8 MiB');
  server.post(ask.needed(hand.id), ask.needed(99));
  t.same([await server.answer(), await server.answer()], [tell.needed(false), tell.fail], 'a question never does');

  const send = async () => {
    await until('ciphertext', () => hand.waiting > 500_000);
    server.post(ask.send(hand.id, hand.take(500_000)));
    return { answer: server.answer() };
  };
  await feed(server, hand, 2 ** 20 - 100_000);
  const first = await send();
  await turns(50);
  t.equal(await Promise.race([first.answer, Promise.resolve('waits')]), 'waits');
  goOn(true);
  t.same(await first.answer, tell.success, 'until the store has caught up');
  await until('all is taken', () => taken() > 8 * 2 ** 20);
  goOn(false);

  await feed(server, hand, 7 * 2 ** 20);
  limits.length = 0;
  const held = () => until('it is held', () => limits.length > 0);
  // The time is limited for the sake of others, so another session asks behind each.
  const sendBeforeAnother = async () => {
    const sent = await send();
    server.post(ask.needed(99));
    return { ...sent, other: server.answer() };
  };
  let again = await sendBeforeAnother();
  for (; limits.length === 0; again = await sendBeforeAnother()) await Promise.race([again.answer, held()]);
  limits[0]?.();
  t.same([await again.answer, await again.other], [tell.success, tell.fail], 'or its time is over');
  t.same(await (await send()).answer, tell.success);
  t.equal(limits.length, 1, 'a store that takes nothing is not waited for again soon');
});

void t.test('what waits behind a slow answer is limited, and holds up nobody', async (t) => {
  const logged: string[] = [];
  const log = (_level: string, event: string, { code }: Readonly<Record<string, unknown>> = {}) =>
    void logged.push(`${event} ${String(code)}`);
  const { server, manager } = await meet(t, { store: slowStore(), log, maxBacklogBytes: 12 * 2 ** 20 });
  const hand = await Hand.open(server);
  hand.ask({ oneof: 'read_file', fields: { file_name: '/slow' } });
  const size = 15 * 2 ** 20;
  hand.ask({ oneof: 'write_file', fields: { file_name: '/f', data: { length: size, source: slices(content(size), 65_536) } } });
  let fed = 0;
  const feed = async (upTo: number) => {
    while (fed < upTo) {
      await until('ciphertext', () => hand.waiting > 0);
      const bytes = hand.take();
      for (let at = 0; at < bytes.length; at += 500_000) {
        const slice = bytes.subarray(at, at + 500_000);
        if (!(await server.call(ask.send(hand.id, slice))).equals(tell.success)) return false;
        fed += slice.length;
      }
    }
    return true;
  };
  t.ok(await feed(11 * 2 ** 20));
  // Each of the questions used to hold up the one behind it for a second: these would take longer than a hang.
  const questions = Array.from({ length: 40 }, () => [ask.needed(hand.id), ask.needed(99)]).flat();
  server.post(...questions);
  const answers = await within('the answers of two sessions', Promise.all(questions.map(() => server.answer())));
  t.same(answers, Array.from({ length: 40 }, () => [tell.needed(false), tell.fail]).flat());
  t.notOk(await feed(size), 'refused');
  t.ok(fed > 12 * 2 ** 20, 'though not before the limit');
  await until('the session is over', () => manager.sessions === 0);
  t.same(
    logged.filter((line) => line.startsWith('session failed')),
    ['session failed ERR_VC_LIMIT'],
  );
  await t.rejects(meet(t, { maxBacklogBytes: 65_535 }), { code: 'ERR_VC_INVALID_OPTION' });
});

void t.test('a stranger who waits for the gate cannot pile up ciphertext', async (t) => {
  const { server } = await meet(t);
  const hand = new Hand(server, 0);
  await until('the ClientHello', () => hand.waiting > 0);
  const hello = hand.take();
  // So many handshakes run at once; the next one waits.
  const others = await Promise.all(Array.from({ length: 64 }, () => server.open()));
  const id = await server.open();
  const more = Array.from({ length: 32 }, () => ask.send(id, Buffer.alloc(65_536)));
  server.post(...others.map((other) => ask.send(other, hello)), ask.send(id, hello), ...more);
  for (const _ of [...others, id]) t.same(await server.answer(), tell.success);
  const answers = await Promise.all(more.map(() => server.answer()));
  const taken = answers.findIndex((answer) => answer.equals(tell.fail));
  t.ok(taken > 0 && taken <= 16, `${taken} of 64 KiB were taken`);
  t.ok(answers.slice(taken).every((answer) => answer.equals(tell.fail)));
});

void t.test('the link closes: its sessions die, and those of other links do not', async (t) => {
  const { server, manager } = await meet(t);
  const other = await ForeignServer.connect(t, portOf(manager));
  const mine = await Hand.open(server);
  const theirs = await Hand.open(other);
  t.not(mine.id, theirs.id, "ids are the manager's, not the link's");
  server.socket.destroy();
  await until('the session of the closed link is gone', () => manager.sessions === 1);
  theirs.ask({ oneof: 'request_policy_hash', fields: {} });
  await theirs.carry();
  t.equal((await theirs.answer()).status, 'SUCCESS');
  t.same(await other.call(ask.needed(mine.id)), tell.fail);
});

void t.test('a link reaches its own sessions only, and forgets those that are over', async (t) => {
  const closed: unknown[] = [];
  const log = (_level: string, event: string, { sessions }: Readonly<Record<string, unknown>> = {}) => {
    if (event === 'link closed') closed.push(sessions);
  };
  const { server, manager } = await meet(t, { log });
  const other = await ForeignServer.connect(t, portOf(manager));
  const mine = await Hand.open(server);
  for (const request of [ask.send(mine.id, Buffer.from('x')), ask.needed(mine.id), ask.get(mine.id), ask.close(mine.id)]) {
    t.same(await other.call(request), tell.fail);
  }
  mine.ask({ oneof: 'request_policy_hash', fields: {} });
  await mine.carry();
  t.equal((await mine.answer()).status, 'SUCCESS', 'nothing has come of it');
  const id = await other.open();
  t.same(await other.call(ask.send(id, Buffer.from('GET / HTTP/1.1\r\n\r\n'))), tell.success);
  await until('the session of the other link is over', () => manager.sessions === 1);
  other.socket.destroy();
  await until('the link is closed', () => closed.length === 1);
  t.same(closed, [0]);
});

void t.test('the link closes in the middle of an upload: the old file is untouched', async (t) => {
  const { manager, store, folder } = await startRoles(t);
  const sink = store.write('/f');
  sink.end('old');
  await sink.commit();
  const server = await ForeignServer.connect(t, portOf(manager));
  const hand = await Hand.open(server);
  async function* source() {
    yield content(1_000_000);
    await new Promise(() => {});
  }
  hand.ask({ oneof: 'write_file', fields: { file_name: '/f', data: { length: 2_000_000, source: source() } } });
  await hand.carry();
  const { readdirSync } = await import('node:fs');
  await until('the upload is being written', () => readdirSync(`${folder}/pending`).length > 0);
  server.socket.destroy();
  await until('nothing of it is left', () => readdirSync(`${folder}/pending`).length === 0);
  t.equal(String(await stored(store, '/f')), 'old');
});

void t.test('broken frames and broken bincode close the link, and the manager lives on', async (t) => {
  const { manager } = await meet(t);
  const cases = {
    'a length of 2^63': Buffer.from('000000000000008000', 'hex'),
    'a length over the limit': Buffer.from('000000010000000000', 'hex'),
    'an unknown variant': Buffer.from('04000000000000000008000000', 'hex'),
    'a vector longer than its message': Buffer.from('10000000000000000007000000010000000200000000000000', 'hex'),
    'trailing bytes': Buffer.from('0500000000000000000500000000', 'hex'),
    'an empty message': Buffer.from('000000000000000000', 'hex'),
  };
  for (const [what, bytes] of Object.entries(cases)) {
    const server = await ForeignServer.connect(t, portOf(manager));
    await server.open();
    const closed = once(server.socket, 'close');
    server.socket.write(bytes);
    await within(what, closed);
    await until(`its session is gone: ${what}`, () => manager.sessions === 0);
  }
  const server = await ForeignServer.connect(t, portOf(manager));
  t.ok((await server.open()) > 0);
});

void t.test('an end inside a frame', async (t) => {
  const { manager } = await meet(t);
  const server = await ForeignServer.connect(t, portOf(manager));
  await server.open();
  const closed = once(server.socket, 'close');
  server.socket.end(Buffer.from('0400000000', 'hex'));
  await within('the link after a truncated frame', closed);
  await until('its session is gone', () => manager.sessions === 0);
});

void t.test('two sessions, one answer each, fetched in pieces of any size', async (t) => {
  const { server, manager } = await meet(t, { maxAnswerBytes: 100 });
  const writer = await Hand.open(server);
  const bytes = content(50_000);
  writer.ask({ oneof: 'write_file', fields: { file_name: '/f', data: bytes } });
  await writer.carry();
  t.equal((await writer.answer()).status, 'SUCCESS');
  writer.ask({ oneof: 'read_file', fields: { file_name: '/f' } });
  const carried = writer.carry();
  const answer = await writer.answer();
  if (answer.oneof !== 'result') throw new Error('no result');
  const [read] = await Promise.all([collect(answer.fields.data), carried]);
  t.ok(read.equals(bytes));
  t.equal(manager.sessions, 1);
});

void t.test('a store that fails while a file is read: a small file costs its request, a large one its session', async (t) => {
  const faults = {
    broken: () =>
      new Readable({
        read() {
          this.destroy(new FileStoreError('the disk is gone'));
        },
      }),
    short: () => Readable.from([Buffer.alloc(10)]),
    long: () => Readable.from([Buffer.alloc(20_000), Buffer.alloc(20_000)]),
  };
  const read = (name: string) => {
    const [, fault, length] = name.split('/') as [string, keyof typeof faults, string];
    return Promise.resolve({ length: Number(length), stream: faults[fault]() });
  };
  const store = { read, bind: async () => {}, close: async () => {} } as unknown as FileStore;
  const { server, manager } = await meet(t, { store });
  const small = 16 * 1024;
  for (const [name, lives] of [
    [`/broken/${small}`, true],
    [`/broken/${small + 1}`, false],
    [`/short/${small}`, false],
    [`/long/${small}`, false],
  ] as const) {
    const hand = await Hand.open(server);
    hand.ask({ oneof: 'read_file', fields: { file_name: name } });
    await hand.carry().catch(() => {});
    if (lives) {
      t.equal((await hand.answer()).status, 'FAILED_GENERIC', name);
      hand.ask({ oneof: 'request_policy_hash', fields: {} });
      await hand.carry();
      t.equal((await hand.answer()).status, 'SUCCESS');
      await server.call(ask.close(hand.id));
    }
    await until(`no session: ${name}`, () => manager.sessions === 0);
  }
});
