import { getEventListeners, once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import timers from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { type Address, formatAddress, parseAddress } from '../../lib/transports/address.js';
import { listenPipe, openPipe } from '../../lib/transports/pipe.js';
import { connectSocket, type Listener, listenSocket, RETRY_ICECAP, RETRY_NITRO } from '../../lib/transports/socket.js';
import { until, within } from '../support/foreign.js';
import '../support/long.js';
import { seeded } from '../support/splits.js';

type T = Pick<typeof t, 'teardown'>;

const ANY_PORT: Address = { kind: 'tcp-listen', host: '127.0.0.1', port: 0 };

function folder(t: T): string {
  const made = mkdtempSync(join(tmpdir(), 'vca-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function listening(t: T, address: Address, onPipe: (pipe: Duplex) => void = () => {}): Promise<Listener> {
  const listener = await listenSocket(address, onPipe);
  t.teardown(() => listener.close());
  return listener;
}

/** The port behind `listener`, as a place to connect to. */
function portOf(listener: Listener): Address {
  return { ...(listener.address as Address & { port: number }), kind: 'tcp' } as Address;
}

void t.test('every form is read, and written as it was', async (t) => {
  const forms: [string, Address][] = [
    ['tcp://127.0.0.1:6000', { kind: 'tcp', host: '127.0.0.1', port: 6000 }],
    ['tcp://[::1]:65535', { kind: 'tcp', host: '::1', port: 65_535 }],
    ['tcp-listen://example.org:0', { kind: 'tcp-listen', host: 'example.org', port: 0 }],
    ['tcp-listen://[::]:6000', { kind: 'tcp-listen', host: '::', port: 6000 }],
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['unix-listen:///run/x y', { kind: 'unix-listen', path: '/run/x y' }],
    ['serial:///dev/hvc0', { kind: 'serial', path: '/dev/hvc0' }],
  ];
  for (const [text, address] of forms) {
    t.same(parseAddress(text), address);
    t.equal(formatAddress(address), text);
  }
});

void t.test('what is no address is refused in one line', async (t) => {
  const wrong = ['', 'tcp:/h:1', 'tcp://h', 'tcp://h:65536', 'tcp://h:-1', 'tcp://:1', 'tcp://h:1/', 'tcp-listen:///p', 'udp://h:1'];
  wrong.push(
    'unix://relative',
    'unix-listen://',
    'unix:///a\nb',
    'unix:///a\0b',
    'serial://COM3',
    'serial:/dev/hvc0',
    'http://h:1',
    'TCP://h:1',
  );
  for (const text of wrong) {
    const error = t.throws(() => parseAddress(text), { code: 'ERR_VC_INVALID_OPTION' }, JSON.stringify(text));
    t.notMatch((error as Error).message, /[\n\0]/);
  }
  for (const kind of ['unix', 'unix-listen']) {
    const atLimit = `/${'é'.repeat(53)}`;
    t.same(parseAddress(`${kind}://${atLimit}`), { kind, path: atLimit }, '107 bytes fit');
    t.throws(() => parseAddress(`${kind}://${atLimit}x`), { code: 'ERR_VC_INVALID_OPTION', limit: 107, got: 108 });
  }
  t.ok(parseAddress(`serial:///${'x'.repeat(200)}`), 'a device has no such limit');
});

void t.test('any text is an address or an error', async () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.constantFrom('tcp', 'tcp-listen', 'unix', 'unix-listen', 'serial'), fc.string({ unit: 'binary', maxLength: 120 }))
      .map(([scheme, rest]) => `${scheme}://${rest}`),
    fc.tuple(fc.domain(), fc.nat(70_000)).map(([host, port]) => `tcp-listen://${host}:${port}`),
  );
  fc.assert(
    fc.property(text, (candidate) => {
      let address: Address;
      try {
        address = parseAddress(candidate);
      } catch (error) {
        return (error as { code?: string }).code === 'ERR_VC_INVALID_OPTION';
      }
      return JSON.stringify(parseAddress(formatAddress(address))) === JSON.stringify(address);
    }),
    seeded(1000),
  );
});

void t.test('bytes go through every socket address, by either word for listening', async (t) => {
  const at = folder(t);
  const addresses: [string, string][] = [
    ['tcp-listen://127.0.0.1:0', 'tcp'],
    ['tcp://127.0.0.1:0', 'tcp'],
    [`unix-listen://${at}/a`, 'unix'],
    [`unix://${at}/b`, 'unix'],
  ];
  for (const [listen, kind] of addresses) {
    const listener = await listenPipe(parseAddress(listen), (pipe) => pipe.on('data', (bytes: Buffer) => pipe.end(bytes)));
    const pipe = (await openPipe({ ...listener.address, kind } as Address)) as Duplex;
    pipe.write('there and back');
    const [back] = await once(pipe, 'data');
    t.equal(String(back), 'there and back', listen);
    pipe.destroy();
    await listener.close();
  }
});

void t.test('openPipe: a pipe or a listener, as the address says', async (t) => {
  const got: Duplex[] = [];
  const listener = (await openPipe('tcp-listen://127.0.0.1:0', { onPipe: (pipe) => got.push(pipe) })) as Listener;
  const pipe = (await openPipe(portOf(listener))) as Duplex;
  await until('the pipe comes', () => got.length === 1);
  t.equal(typeof pipe.write, 'function');
  pipe.destroy();
  got[0]?.destroy();
  await listener.close();
  await t.rejects(openPipe('unix-listen:///tmp/x'), { code: 'ERR_VC_INVALID_ARGUMENT' });
  await t.rejects(openPipe('serial:///dev/hvc0'), { code: 'ERR_VC_INVALID_ARGUMENT' });
  await t.rejects(connectSocket(ANY_PORT), { code: 'ERR_VC_INVALID_OPTION', got: 'tcp-listen' });
  await t.rejects(
    listenSocket(parseAddress('serial:///dev/hvc0'), () => {}),
    { code: 'ERR_VC_INVALID_OPTION' },
  );
});

void t.test('a signal closes a listener', async (t) => {
  const end = new AbortController();
  const listener = await listenPipe(ANY_PORT, () => {}, { signal: end.signal });
  const port = portOf(listener);
  end.abort();
  await listener.close();
  await t.rejects(connectSocket(port), { code: 'ERR_VC_TRANSPORT' });
  await t.rejects(
    listenPipe(ANY_PORT, () => {}, { signal: end.signal }),
    { code: 'ERR_VC_ABORTED' },
    'one that has fired already',
  );
  await t.rejects(openPipe(ANY_PORT, { onPipe: () => {}, signal: end.signal }), { code: 'ERR_VC_ABORTED' });
  const during = new AbortController();
  const path = join(folder(t), 'socket');
  const opening = listenPipe({ kind: 'unix-listen', path }, () => {}, { signal: during.signal });
  during.abort();
  await t.rejects(opening, { code: 'ERR_VC_ABORTED' });
  t.notOk(existsSync(path), 'one that fires while it is opened leaves nothing');
});

void t.test('a listener that is closed leaves nothing at its signal', async (t) => {
  const { signal } = new AbortController();
  const listener = await listenPipe(ANY_PORT, () => {}, { signal });
  t.equal(getEventListeners(signal, 'abort').length, 1);
  await listener.close();
  t.equal(getEventListeners(signal, 'abort').length, 0);
});

void t.test('what stands in the way of listening is told in one line', async (t) => {
  const at = folder(t);
  const port = await listening(t, ANY_PORT);
  writeFileSync(join(at, 'taken'), '');
  const cases: [Address, RegExp][] = [
    [port.address, /^cannot listen at tcp-listen:\/\/127\.0\.0\.1:\d+: the port is in use$/],
    [{ kind: 'unix-listen', path: join(at, 'taken') }, /: a file is there that is no socket \(EADDRINUSE\)$/],
    [{ kind: 'unix-listen', path: join(at, 'no/folder') }, /: no (permission for that path|such file or folder \(ENOENT\))$/],
    [{ kind: 'tcp-listen', host: '203.0.113.1', port: 0 }, /: this machine does not have that host address$/],
  ];
  for (const [address, message] of cases) {
    await t.rejects(
      listenSocket(address, () => {}),
      { code: 'ERR_VC_TRANSPORT', layer: 'transport', message },
    );
  }
});

void t.test('what stands in the way of connecting is told in one line', async (t) => {
  const at = folder(t);
  const free = await listenSocket(ANY_PORT, () => {});
  await free.close();
  writeFileSync(join(at, 'plain'), '');
  const cases: [Address, RegExp][] = [
    [portOf(free), /: nobody listens at that port \(ECONNREFUSED\)$/],
    [{ kind: 'unix', path: join(at, 'none') }, /: no such file or folder \(ENOENT\)$/],
    [{ kind: 'unix', path: join(at, 'plain') }, /: nobody listens at that file \(ECONNREFUSED\)$/],
  ];
  for (const [address, message] of cases) await t.rejects(connectSocket(address), { code: 'ERR_VC_TRANSPORT', message });
});

void t.test('no permission is told as such', { skip: process.getuid?.() === 0 ? 'root may do anything' : false }, async (t) => {
  await t.rejects(
    listenSocket({ kind: 'unix-listen', path: '/proc/x' }, () => {}),
    { code: 'ERR_VC_TRANSPORT' },
  );
});

void t.test('a connection is tried again until somebody listens', async (t) => {
  const path = join(folder(t), 'late');
  const early = connectSocket({ kind: 'unix', path }, { retry: { ...RETRY_ICECAP, intervalMs: 1 } });
  await new Promise((go) => setImmediate(go));
  const got: Duplex[] = [];
  await listening(t, { kind: 'unix-listen', path }, (pipe) => got.push(pipe));
  const socket = await within('the connection', early);
  t.ok(socket.writable);
  socket.destroy();
  await until('the pipe came', () => got.length === 1);
  got[0]?.destroy();
});

void t.test('tries are counted, waits grow, and both have their limits', async (t) => {
  const path = join(folder(t), 'none');
  await t.rejects(connectSocket({ kind: 'unix', path }, { retry: { tries: 4, intervalMs: 1, backoff: 2 } }), { code: 'ERR_VC_TRANSPORT' });
  await t.rejects(connectSocket({ kind: 'unix', path: join(path, '..', '..') }, { retry: { tries: 2, intervalMs: 0, backoff: 1 } }));
  for (const retry of [
    { tries: 0, intervalMs: 1, backoff: 1 },
    { tries: 1.5, intervalMs: 1, backoff: 1 },
    { tries: 1, intervalMs: -1, backoff: 1 },
    { tries: 1, intervalMs: 1, backoff: 0.5 },
    { tries: 1, intervalMs: 1, backoff: Number.NaN },
  ]) {
    await t.rejects(connectSocket({ kind: 'unix', path }, { retry }), { code: 'ERR_VC_INVALID_OPTION' });
  }
  t.same(RETRY_NITRO, { tries: 5, intervalMs: 1000, backoff: 2 });
});

void t.test('waits grow no longer than a timer can wait', async (t) => {
  const { setTimeout: sleep } = timers;
  const restore = () => {
    Object.assign(timers, { setTimeout: sleep });
    syncBuiltinESMExports();
  };
  t.teardown(restore);
  const waits: number[] = [];
  Object.assign(timers, { setTimeout: async (ms: number) => waits.push(ms) });
  syncBuiltinESMExports();
  const retry = { tries: 5, intervalMs: 2 ** 30, backoff: 1.5 };
  await t.rejects(connectSocket({ kind: 'unix', path: join(folder(t), 'none') }, { retry }), { code: 'ERR_VC_TRANSPORT' });
  t.same(waits, [2 ** 30, 1.5 * 2 ** 30, 2 ** 31 - 1, 2 ** 31 - 1]);
});

void t.test('what no try can heal is not tried again', async (t) => {
  const file = join(folder(t), 'plain');
  writeFileSync(file, '');
  await within(
    'the refusal',
    t.rejects(connectSocket({ kind: 'unix', path: join(file, 'below') }, { retry: RETRY_ICECAP }), {
      code: 'ERR_VC_TRANSPORT',
      cause: { code: 'ENOTDIR' },
    }),
  );
});

void t.test('a signal ends the tries, before, between and in them', async (t) => {
  const path = join(folder(t), 'none');
  const end = new AbortController();
  const trying = connectSocket({ kind: 'unix', path }, { signal: end.signal, retry: { tries: 2, intervalMs: 100_000, backoff: 1 } });
  await new Promise((go) => setImmediate(go));
  end.abort();
  await t.rejects(within('the abort', trying), { code: 'ERR_VC_ABORTED' });
  await t.rejects(connectSocket({ kind: 'unix', path }, { signal: end.signal }), { code: 'ERR_VC_ABORTED' });
});

void t.test('a listener that was closed leaves its connections alone, and no file', async (t) => {
  const path = join(folder(t), 'sock');
  const listener = await listenSocket({ kind: 'unix-listen', path }, (pipe) => pipe.pipe(pipe));
  const socket = netConnect(path);
  await once(socket, 'connect');
  socket.write('a');
  await once(socket, 'data');
  const closed = listener.close();
  socket.write('b');
  t.equal(String((await once(socket, 'data'))[0]), 'b');
  socket.destroy();
  await closed;
  await t.rejects(connectSocket({ kind: 'unix', path }), { message: /ENOENT/ });
});

void t.test('the file of a listening socket is for its owner and group at most, whatever the umask is', async (t) => {
  const before = process.umask();
  t.teardown(() => process.umask(before));
  for (const [umask, mode] of [
    [0, 0o770],
    [0o022, 0o750],
    [0o077, 0o700],
  ] as const) {
    process.umask(umask);
    const path = join(folder(t), 'socket');
    const listener = await listenSocket({ kind: 'unix-listen', path }, (socket) => socket.destroy());
    t.teardown(() => listener.close());
    t.equal(statSync(path).mode & 0o777, mode, umask.toString(8));
    t.equal(process.umask(), umask, 'which is as it was');
  }
});
