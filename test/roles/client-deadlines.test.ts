/** How long a client waits over `tcp://`, where nobody asks for an answer and so nothing is heard before it comes. */
import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { Writable } from 'node:stream';
import t, { type Test } from 'tap';
import type { FileStore } from '../../lib/enclave/store/file-store.js';
import { openConnection } from '../../lib/roles/client/server-connection.js';
import type { RuntimeManagerOptions } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { tapProxy, within } from '../support/foreign.js';
import '../support/long.js';
import { alice, authority, collect, connectClient, content, startRoles } from '../support/roles.js';
import { patience } from '../support/time.js';

/** Long enough for the answers that do come, on a machine that has other things to do. */
const SILENT_MS = patience(1000);
const SILENT = { code: 'ERR_VC_TIMEOUT', limit: SILENT_MS };

/** These tests wait for a deadline most of the time, and do so together. */
t.jobs = 4;
const TOGETHER = { buffered: true };

async function startDirect(t: Test, manager: Partial<RuntimeManagerOptions> = {}) {
  const { server } = await startRoles(t, {
    manager: { ...manager, dialect: 'head' },
    server: { dialect: 'head', direct: 'tcp://127.0.0.1:0' },
  });
  const { port } = server.directAddress as { port: number };
  const connect = (to = port) => connectClient(t, `tcp://127.0.0.1:${to}`, { dialect: 'head', answerTimeoutMs: SILENT_MS });
  /** A client and the way to cut it off from the Server without a word. */
  const connectMutable = async () => {
    const proxy = await tapProxy(t, port);
    const client = await connect(proxy.port);
    const mute = () => {
      proxy.onUp = () => false;
      proxy.onDown = () => false;
    };
    return { client, mute };
  };
  /** Settles when a deadline that begins now is over: any that began before is too. */
  const deadline = async () => {
    const { client, mute } = await connectMutable();
    mute();
    await t.rejects(within('a read at a silent peer', client.readFile('/f')), { code: 'ERR_VC_OUTCOME_UNKNOWN', cause: SILENT });
    await within('close() after it', client.close());
  };
  return { connect, connectMutable, deadline };
}

void t.test('a peer that has gone silent: what was asked fails, and close() comes to its end', TOGETHER, async (t) => {
  const { deadline, connectMutable } = await startDirect(t);
  await deadline();
  const { client, mute } = await connectMutable();
  mute();
  const queued = [client.readFile('/f'), client.close()] as const;
  await t.rejects(within('a read before a close', queued[0]), { code: 'ERR_VC_OUTCOME_UNKNOWN', cause: SILENT });
  await within('a close behind a read', queued[1]);
});

void t.test('a peer that takes no more bytes', TOGETHER, async (t) => {
  const write = () => Object.assign(new Writable({ write: () => {} }), { discard: async () => {} });
  const store = { write, bind: async () => {}, close: async () => {} } as unknown as FileStore;
  const { connect } = await startDirect(t, { store });
  const client = await connect();
  const piece = content(1_000_000);
  async function* endless() {
    for (;;) yield piece;
  }
  await t.rejects(within('an upload', client.writeFile('/f', endless(), { size: 2 ** 31 })), SILENT);
  await within('close() after it', client.close());
});

void t.test('a program may run for longer than that', TOGETHER, async (t) => {
  let started: () => void = () => {};
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  let finish: (code: number) => void = () => {};
  const run = () => {
    started();
    return new Promise<number>((resolve) => {
      finish = resolve;
    });
  };
  const { connect, deadline } = await startDirect(t, { compute: { run, close: async () => {} } });
  const client = await connect();
  await client.writeFile('/p', content(10));
  const code = client.compute('/p');
  code.catch(() => {});
  await within('the program starts', running);
  await deadline();
  finish(7);
  t.equal(await within('the program', code), 7);
  await client.close();
});

void t.test('a reader may take longer than that, and a silent peer is noticed after it all the same', TOGETHER, async (t) => {
  const { connect, connectMutable, deadline } = await startDirect(t);
  const bytes = content(20_000_000);
  const first = await connect();
  await first.writeFile('/f', bytes);
  const { client, mute } = await connectMutable();
  const [slow, lost] = await Promise.all([first.readFile('/f'), client.readFile('/f')]);
  mute();
  await deadline();
  t.ok((await within('what the reader takes at last', collect(slow as AsyncIterable<Buffer>))).equals(bytes));
  await t.rejects(within('what is not there', collect(lost as AsyncIterable<Buffer>)), SILENT);
});

void t.test('the kernel looks whether the peer is there', async (t) => {
  const { connect } = await startDirect(t);
  const calls = t.capture(Socket.prototype, 'setKeepAlive');
  const client = await connect();
  // The Server asks, too, but later.
  t.ok(calls().some(({ args }) => args[1] === 30_000 && args[0] === true));
  await client.close();
});

void t.test('no connection in time', async (t) => {
  const listener = createServer((socket: Socket) => socket.on('error', () => {}).destroy()).listen(0, '127.0.0.1');
  t.teardown(() => listener.close());
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  const tls = { role: 'client', ...alice, authority: authority.certificate } as const;
  const options = { url: `tcp://127.0.0.1:${port}`, dialect: 'head', maxMessageBytes: 2 ** 20, tls, awaiting: () => false } as const;
  // A loop that is busy until then looks at its timers first, and at its sockets after them.
  const connection = openConnection({ ...options, connectTimeoutMs: 1 });
  for (const until = performance.now() + 20; performance.now() < until; );
  await t.rejects(within('a connection', connection), { code: 'ERR_VC_TRANSPORT', limit: 1 });
  await t.rejects(openConnection({ ...options, connectTimeoutMs: 0 }), { code: 'ERR_VC_INVALID_OPTION' });
  await t.rejects(openConnection({ ...options, answerTimeoutMs: -1 }), { code: 'ERR_VC_INVALID_OPTION' });
  const signal = AbortSignal.abort();
  await t.rejects(openConnection({ ...options, signal }), { code: 'ERR_VC_ABORTED' });
});
