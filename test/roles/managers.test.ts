/** One Server, many Runtime Managers. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { FileStore } from '../../lib/enclave/store/file-store.js';
import { ManagerLink } from '../../lib/roles/server/manager-link.js';
import { type ServerOptions, VeracruzServer } from '../../lib/roles/server/server.js';
import { managerServerStack } from '../../lib/roles/stacks.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { echoing, foreignManager, post, RawHttp, until, within } from '../support/foreign.js';
import '../support/long.js';
import { collect, connectClient, content, freshFolder, portOf, startManager } from '../support/roles.js';

const at = (manager: { address: unknown }) => `tcp://127.0.0.1:${portOf(manager)}`;

async function start(t: Test, options: ServerOptions): Promise<VeracruzServer> {
  const server = await VeracruzServer.start({ listen: 'tcp://127.0.0.1:0', ...options });
  t.teardown(() => server.close());
  return server;
}

void t.test('new sessions go where the fewest are', async (t) => {
  const managers = [await startManager(t), await startManager(t), await startManager(t)];
  const server = await start(t, { runtime: managers.map(at) });
  const clients = [];
  for (let i = 0; i < 6; i++) clients.push(await connectClient(t, server.url));
  t.same(
    managers.map((manager) => manager.sessions),
    [2, 2, 2],
  );
  await clients[0]?.close();
  await clients[3]?.close();
  await until('two sessions less', () => server.sessions === 4);
  await connectClient(t, server.url);
  const counts = server.managers.map(({ sessions }) => sessions);
  t.equal(Math.max(...counts), 2);
  t.equal(
    counts.reduce((sum, count) => sum + count, 0),
    5,
  );
});

void t.test('a lost manager takes its own sessions with it, and nobody else', async (t) => {
  const lost = await startManager(t);
  const kept = await startManager(t);
  const server = await start(t, { runtime: [at(lost), at(kept)] });
  const clients = [await connectClient(t, server.url), await connectClient(t, server.url)];
  const file = content(100_000);
  await Promise.all(clients.map((client) => client.writeFile('/a', file)));
  await lost.close();
  await until('the link down', () => server.managers.some(({ up }) => !up));
  const outcomes = await Promise.allSettled(
    clients.map((client) =>
      within(
        'a download',
        client.readFile('/a').then((body) => collect(body as AsyncIterable<Buffer>)),
      ),
    ),
  );
  t.same(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], 'one client noticed, the other did not');
  t.equal(kept.sessions, 1);
  const later = await connectClient(t, server.url);
  t.ok(later, 'a new session finds the manager that is left');

  const back = await startManager(t, { listen: at(lost) });
  await until('the link restored', () => server.managers.every(({ up }) => up));
  await connectClient(t, server.url);
  t.equal(back.sessions, 1, 'and the one that came back, when it has come back');
});

void t.test('a slow manager, and a slow session, delay nobody else', async (t) => {
  let release: () => void = () => {};
  const blocked = new Promise<void>((resolve) => {
    release = resolve;
  });
  t.teardown(() => release());
  const slowStore = {
    read: async () => {
      await blocked;
      throw new Error('never read');
    },
    bind: async () => {},
    close: async () => {},
  } as unknown as FileStore;
  const slow = await startManager(t, { store: slowStore });
  const quick = await startManager(t);
  const server = await start(t, { runtime: [at(slow), at(quick)] });
  const clients = [await connectClient(t, server.url), await connectClient(t, server.url)];
  const reads = clients.map((client) => client.readFile('/missing').catch((error: { code: string }) => error.code));
  t.equal(await within('the answer of the quick manager', Promise.any(reads)), 'ERR_VC_REQUEST_FAILED');

  // The link of the slow manager is shared: another session of it must still get through.
  const others = [];
  while (slow.sessions < 2) others.push(await within('a session beside the slow one', connectClient(t, server.url)));
  t.ok(others.length > 0);
});

void t.test('a manager can be drained', async (t) => {
  const managers = [await startManager(t), await startManager(t)];
  const server = await start(t, { runtime: managers.map(at) });
  const clients = [await connectClient(t, server.url), await connectClient(t, server.url)];
  let drained = false;
  const drain = server.drain(at(managers[0] as { address: unknown })).then(() => {
    drained = true;
  });
  for (let i = 0; i < 3; i++) clients.push(await connectClient(t, server.url));
  t.equal(managers[0]?.sessions, 1, 'no new session came to it');
  t.equal(managers[1]?.sessions, 4);
  t.notOk(drained, 'the one it had is still there');
  for (const client of clients.slice(0, 2)) await client.close();
  await within('the drain', drain);
  await until('the link down', () => server.managers.filter(({ up }) => up).length === 1);
  t.equal(await clients[2]?.policyHash().then((hash) => hash.length), 64, 'the others never noticed');
});

void t.test('while the only manager is drained, whoever comes is told so', async (t) => {
  const manager = await startManager(t);
  const server = await start(t, { runtime: at(manager) });
  const client = await connectClient(t, server.url);
  const drain = server.drain(at(manager));
  const http = await RawHttp.connect(t, portOf(server));
  const { status, body } = await http.send(post('0 '));
  t.same([status, body], [503, 'the Runtime Manager takes no new sessions\n']);
  t.equal((await client.policyHash()).length, 64, 'the session goes on');
  await client.close();
  await within('the drain', drain);
});

void t.test('a manager whose link is down can be drained, and the last one takes the Server with it', async (t) => {
  const manager = await startManager(t);
  const server = await start(t, { runtime: at(manager) });
  await manager.close();
  await until('the link down', () => server.managers.every(({ up }) => !up));
  await within('the drain', server.drain(at(manager)));
  await within('the Server without managers', server.closed);
});

void t.test('a manager can be reset: its sessions end, the others stay', async (t) => {
  const managers = [await startManager(t), await startManager(t)];
  const server = await start(t, { runtime: managers.map(at) });
  const clients = [await connectClient(t, server.url), await connectClient(t, server.url)];
  await server.reset(at(managers[0] as { address: unknown }));
  const outcomes = await Promise.allSettled(clients.map((client) => client.readFile('/missing')));
  const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'none'));
  t.equal(codes.filter((code) => code === 'ERR_VC_REQUEST_FAILED').length, 1, 'one was answered');
  await t.rejects(server.reset('tcp://127.0.0.1:1'), { code: 'ERR_VC_INVALID_OPTION' });
});

void t.test('a manager that does not answer the reset is left, and gets no sessions meanwhile', async (t) => {
  const manager = await foreignManager(t, echoing({ reset: () => new Promise<never>(() => {}) }));
  const server = await start(t, { runtime: manager.address, maxSilenceMs: 0 });
  const reset = server.reset(manager.address);
  await until('the request', () => manager.requests.some(({ kind }) => kind === 'reset'));
  t.match(server.managers, [{ up: true, draining: true }]);
  await t.rejects(connectClient(t, server.url), { code: 'ERR_VC_HTTP_STATUS', got: 503 });
  await within('the reset', reset);
  await within('the Server without managers', server.closed);
});

void t.test('no manager comes by itself where one is drained', async (t) => {
  const path = join(freshFolder(t), 'socket');
  const server = await start(t, { runtime: `unix-listen://${path}` });
  await startManager(t, { connect: `unix://${path}` });
  await until('the manager', () => server.managers[0]?.up === true);
  const client = await connectClient(t, server.url);
  const drain = server.drain(`unix-listen://${path}`);
  const late = connect(path);
  t.teardown(() => late.destroy());
  t.match(await once(late, 'connect').catch((error: unknown) => error), { code: /^(ENOENT|ECONNREFUSED)$/ });
  t.equal((await client.policyHash()).length, 64, 'the session goes on');
  await client.close();
  await within('the drain', drain);
});

void t.test('a shutdown by a principal retires one manager; the last one takes the Server with it', async (t) => {
  const managers = [await startManager(t), await startManager(t)];
  const server = await start(t, { runtime: managers.map(at) });
  const first = await connectClient(t, server.url);
  const second = await connectClient(t, server.url);
  await first.shutdown();
  await until('one manager gone', () => server.managers.filter(({ up }) => up).length === 1);
  await t.rejects(second.readFile('/missing'), { code: 'ERR_VC_REQUEST_FAILED' }, 'the other serves on');
  await second.shutdown();
  await within('the Server closed', server.closed);
  await within('the managers closed', Promise.all(managers.map((manager) => manager.closed)));
});

void t.test('a manager that falls silent with a request unanswered is given up', async (t) => {
  let links = 0;
  const silent = createServer((socket) => {
    links++;
    socket.on('error', () => {}).resume();
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close());
  const server = await start(t, { runtime: `tcp://127.0.0.1:${(silent.address() as { port: number }).port}`, maxSilenceMs: 50 });
  await t.rejects(within('the refusal', connectClient(t, server.url)), { code: 'ERR_VC_HTTP_STATUS', got: 503 });
  await until('a second link', () => links > 1);
});

void t.test('from a console only eight answers are on their way at once', async (t) => {
  for (const [frame, expected] of [
    ['icecap4', 8],
    ['tcp9', 12],
  ] as const) {
    const [near, far] = memoryPipe();
    const link = new ManagerLink(near, { dialect: '2207', frame, maxSilenceMs: 0, askAhead: true }, () => {});
    t.equal(link.asksAhead, frame === 'tcp9', 'nor is a console asked ahead');
    t.teardown(() => link.destroy());
    const peer = managerServerStack({ dialect: '2207', frame }).over(far);
    peer.on('error', () => {});
    const asked: number[] = [];
    peer.on('data', (request) => asked.push('session' in request ? request.session : -1));
    const fetches = Array.from({ length: 12 }, (_, session) => link.fetch(session));
    await until('the first requests', () => asked.length >= expected);
    await new Promise((resolve) => setImmediate(resolve));
    t.equal(asked.length, expected, `${frame}: ${expected} before an answer`);
    for (let answered = 0; answered < 12; answered++) {
      peer.write({ kind: 'TlsData', data: [Buffer.of(answered)], active: true });
      await within('an answer', fetches[answered] as Promise<unknown>);
    }
    t.same(
      asked,
      Array.from({ length: 12 }, (_, session) => session),
      'in their order',
    );
  }
});

void t.test('a link whose end is told still brings the answers that are due; what is asked later fails, and it does not', async (t) => {
  const [near, far] = memoryPipe();
  let closed: unknown = 'open';
  const link = new ManagerLink(near, { dialect: '2207', frame: 'tcp9', maxSilenceMs: 0, askAhead: true }, (error) => {
    closed = error?.message;
  });
  t.teardown(() => link.destroy());
  const peer = managerServerStack({ dialect: '2207', frame: 'tcp9' }).over(far);
  peer.on('error', () => {}).resume();
  const before = link.call({ kind: 'NewTlsSession' });
  link.end();
  await t.rejects(link.call({ kind: 'CloseTlsSession', session: 1 }), { code: 'ERR_VC_LINK', message: /has shut down/ });
  await once(peer, 'end');
  t.equal(closed, 'open');
  peer.write({ kind: 'TlsSession', session: 7 });
  t.same(await within('the answer', before), { kind: 'TlsSession', session: 7 });
  peer.end();
  await until('the end', () => closed !== 'open');
  t.match(String(closed), /closed the link with 0 requests unanswered$/);
});

void t.test('after a shutdown the link ends in good order, whatever its client still sends', async (t) => {
  for (let round = 0; round < 5; round++) {
    const reasons: unknown[] = [];
    const manager = await startManager(t);
    const log: ServerOptions['log'] = (_level, event, figures) => void (event === 'link closed' && reasons.push(figures?.reason));
    const server = await start(t, { runtime: at(manager), log });
    const [client, other] = [await connectClient(t, server.url), await connectClient(t, server.url)];
    await client.shutdown();
    await Promise.all([client.close(), other.close()]);
    await within('the Server closed', server.closed);
    t.same(reasons, ['the Runtime Manager closed the link with 0 requests unanswered']);
  }
});
