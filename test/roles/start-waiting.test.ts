/** A Server's start: it takes its places first, and waits for whom it needs. */

import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { RuntimeManager } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { type ServerOptions, VeracruzServer } from '../../lib/roles/server/server.js';
import { foreignManager, post, RawHttp, until, within } from '../support/foreign.js';
import '../support/long.js';
import { connectClient, freshFolder, managerIdentity, POLICY, portOf, startManager } from '../support/roles.js';
import {
  gate,
  goodManager,
  goodPas,
  type LogLine,
  policyText,
  type ScriptedPas,
  scriptedPas,
  stage,
} from './attestation-handshake-support.js';

/** A port that nobody listens at now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf({ address: server.address() });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const HELLO = `0 ${Buffer.from('hello').toString('base64')}`;

/** What a client is answered that wants to open a session: the status, and the line. */
async function said(t: Test, port: number): Promise<string> {
  const { status, body } = await (await RawHttp.connect(t, port)).send(post(HELLO));
  return `${status} ${body.toString().trim()}`;
}

function begin(t: Test, options: ServerOptions) {
  const logs: LogLine[] = [];
  const end = new AbortController();
  const log: NonNullable<ServerOptions['log']> = (level, event, figures = {}) => logs.push({ level, event, figures });
  const starting = VeracruzServer.start({ ...options, log, signal: end.signal });
  t.teardown(async () => {
    end.abort();
    await starting.then(
      (server) => server.close(),
      () => {},
    );
  });
  const waits = (because: string) => logs.some((line) => line.event === 'waiting' && line.figures.because === because);
  return { logs, end, starting, waits };
}

void t.test('a manager that is not there yet is waited for, and whoever asks is told', async (t) => {
  const [own, its] = [await freePort(), await freePort()];
  const { logs, starting, waits } = begin(t, { listen: `tcp://127.0.0.1:${own}`, runtime: `tcp://127.0.0.1:${its}` });
  await until('it says so', () => waits('the Runtime Manager is not there'));
  t.match(logs.find(({ event }) => event === 'listening')?.figures, { at: `tcp://127.0.0.1:${own}` });
  t.equal(await said(t, own), '503 the Runtime Manager is not there');
  await startManager(t, { listen: `tcp://127.0.0.1:${its}` });
  const server = await within('the start', starting);
  t.equal((await (await connectClient(t, server.url)).policyHash()).length, 64);
  t.equal(logs.filter(({ event }) => event === 'waiting').length, 1, 'it was said once');
});

void t.test('so is an attestation server; and while a manager is initialised, that is said', async (t) => {
  const [own, its] = [await freePort(), await freePort()];
  const door = gate();
  const manager = await foreignManager(
    t,
    goodManager({ attest: (request, socket) => door.opened.then(() => goodManager()(request, socket)) }),
  );
  const policy = policyText({ attestationUrl: `127.0.0.1:${its}` });
  const { starting, waits } = begin(t, { listen: `tcp://127.0.0.1:${own}`, runtime: manager.address, policy });
  await until('it says so', () => waits('the attestation server is not there'));
  t.equal(await said(t, own), '503 the attestation server is not there');
  t.equal(manager.requests.length, 0, 'the manager was asked nothing');
  await scriptedPas(t, goodPas(), [], its);
  await until('the manager is asked', () => manager.requests.length > 0);
  t.equal(await said(t, own), '503 the Runtime Manager is being attested and initialised');
  door.open();
  await within('the start', starting);
});

void t.test('an attestation server that is busy is waited for, one that refuses is not', async (t) => {
  for (const [status, waited] of [
    [429, true],
    [503, true],
    [403, false],
    [500, false],
  ] as const) {
    let refusals = 2;
    const { start } = await stage(t, goodPas({ start: () => (refusals-- > 0 ? { status, text: 'no' } : undefined) }), goodManager());
    const started = start({ startTimeoutMs: 0 });
    if (waited) await within('the start', started);
    else await t.rejects(within('the failure', started), { code: 'ERR_VC_HTTP_STATUS', got: status });
    t.equal(refusals, waited ? -1 : 1);
  }
});

void t.test('of two managers one refuses, and the other is not there: that is told, and waited for', async (t) => {
  const own = await freePort();
  const absent = `tcp://127.0.0.1:${await freePort()}`;
  const { options, managers } = await stage(t, goodPas({ start: () => ({ status: 403, text: 'no' }) }), goodManager());
  const refused = managers[0]?.address as string;
  const waiting = begin(t, { ...options, listen: `tcp://127.0.0.1:${own}`, runtime: [refused, absent], startTimeoutMs: 0 });
  const told = () => waiting.logs.find(({ event }) => event === 'manager not in service')?.figures;
  await until('it is told', () => told() !== undefined && waiting.waits('the Runtime Manager is not there'));
  t.match(told(), { manager: refused, reason: /403/ });
  t.equal(await said(t, own), '503 the Runtime Manager could not be attested and initialised');
  const { starting } = begin(t, { ...options, runtime: [absent, refused], startTimeoutMs: 300 });
  await t.rejects(
    within('the end of the wait', starting),
    { code: 'ERR_VC_HTTP_STATUS', got: 403 },
    'who refuses is told before who is absent',
  );
});

void t.test('the wait has an end, where one is given', async (t) => {
  const runtime = `tcp://127.0.0.1:${await freePort()}`;
  const { starting, waits } = begin(t, { listen: 'tcp://127.0.0.1:0', runtime, startTimeoutMs: 700 });
  await t.rejects(within('the end of the wait', starting), { code: 'ERR_VC_TRANSPORT', message: /nobody listens at that port/ });
  t.ok(waits('the Runtime Manager is not there'));
  for (const startTimeoutMs of [-1, 1.5, 2 ** 31]) {
    await t.rejects(VeracruzServer.start({ startTimeoutMs }), { code: 'ERR_VC_INVALID_OPTION' });
  }
});

void t.test('the wait ends at a signal', async (t) => {
  const own = await freePort();
  const { starting, waits, end } = begin(t, { listen: `tcp://127.0.0.1:${own}`, runtime: `tcp://127.0.0.1:${await freePort()}` });
  await until('it waits', () => waits('the Runtime Manager is not there'));
  end.abort();
  await t.rejects(within('the end', starting), { code: 'ERR_VC_ABORTED' });
  await t.rejects(said(t, own), 'nobody listens any more');
});

/** What a second Server on the place of another may not do. */
async function untouched(
  t: Test,
  pas: ScriptedPas,
  managers: Awaited<ReturnType<typeof stage>>['managers'],
  start: () => Promise<unknown>,
) {
  const before = [pas.posts.length, managers[0]?.requests.length];
  await t.rejects(start(), { code: 'ERR_VC_TRANSPORT', message: /the port is in use/ });
  t.same([pas.posts.length, managers[0]?.requests.length], before, 'nobody was asked anything');
}

void t.test('a Server whose place is taken attests and initialises nobody', async (t) => {
  const { pas, managers, start } = await stage(t, goodPas(), goodManager());
  const first = await start({ direct: 'tcp://127.0.0.1:0' });
  const taken = `tcp://127.0.0.1:${portOf(first)}`;
  await untouched(t, pas, managers, () => start({ listen: taken }));
  await untouched(t, pas, managers, () => start({ direct: taken }));
  await untouched(t, pas, managers, () => start({ runtime: [managers[0]?.address as string, taken.replace('tcp', 'tcp-listen')] }));
});

void t.test('nor does a manager touch a store', async (t) => {
  const first = await startManager(t);
  const store = join(freshFolder(t), 'store');
  const options = { ...managerIdentity(), policy: POLICY, store, listen: `tcp://127.0.0.1:${portOf(first)}` };
  await t.rejects(RuntimeManager.start(options), { code: 'ERR_VC_TRANSPORT', message: /the port is in use/ });
  t.notOk(existsSync(store));
});

void t.test('a manager that comes back is back in service at once', async (t) => {
  const manager = await startManager(t);
  const listen = `tcp://127.0.0.1:${portOf(manager)}`;
  const { starting } = begin(t, { listen: 'tcp://127.0.0.1:0', runtime: listen });
  const server = await within('the start', starting);
  const waits: number[] = [];
  let running = manager;
  for (let round = 0; round < 5; round++) {
    await running.close();
    await until('the link down', () => server.managers[0]?.up === false);
    // As long as a process takes to start: by a growing wait the next try would be a second and more away.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    running = await startManager(t, { listen });
    const back = performance.now();
    await until('the link up', () => server.managers[0]?.up === true);
    waits.push(Math.round(performance.now() - back));
  }
  t.comment(`back after ${waits.join(', ')} ms`);
  await (await connectClient(t, server.url)).close();
});
