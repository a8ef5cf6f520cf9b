import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import t from 'tap';
import { awaitHello } from '../../lib/transports/console/hello.js';
import { memoryPipe } from '../../lib/transports/memory.js';
import { openPipe } from '../../lib/transports/pipe.js';
import { tcpServer, until, within } from '../support/foreign.js';
import { collect, endOf, FakeDevice, framed, Links } from './console-support.js';

const HELLO = Buffer.alloc(4);
// The interval is longer than a busy machine needs for an answer: a second question, on its way still, would begin a third link.
const QUICK = { intervalMs: 1000, quietMs: 5 };

type T = Pick<typeof t, 'teardown'>;

/** QEMU's part: a device in the guest, and whatever socket of the host is connected to it. */
class Chardev {
  readonly device = new FakeDevice();
  #host: Duplex | undefined;

  constructor() {
    this.device.onWrite = (bytes) => {
      // Nobody there: the bytes are gone.
      if (this.#host?.writable === true) this.#host.write(bytes);
    };
  }

  connect(t: T): Duplex {
    const [host, ours] = memoryPipe();
    this.#host = ours;
    ours.on('data', (bytes: Buffer) => this.device.send(bytes));
    ours.on('error', () => {});
    host.on('error', () => {});
    t.teardown(() => host.destroy());
    return host;
  }
}

async function guest(t: T, chardev: Chardev): Promise<Links> {
  const links = await Links.open(chardev.device, { hello: true });
  t.teardown(() => links.console?.close());
  return links;
}

async function exchange(host: Duplex, links: Links): Promise<boolean> {
  const link = links.all.at(-1);
  link?.on('data', (bytes: Buffer) => link.write(bytes));
  const heard = collect(host);
  const order = framed(Buffer.from('order'));
  host.write(order);
  await until('the answer', () => heard.bytes.length >= order.length);
  return heard.bytes.equals(order);
}

void t.test('a host that is there first waits for the guest', async (t) => {
  const chardev = new Chardev();
  const host = chardev.connect(t);
  const waiting = awaitHello(host, { ...QUICK, intervalMs: 60_000 });
  const links = await guest(t, chardev);
  await within('the hello', waiting);
  t.ok(await exchange(host, links));
});

void t.test('a host that comes later asks for a fresh link', async (t) => {
  const chardev = new Chardev();
  const links = await guest(t, chardev);
  const old = await links.next();
  const ended = endOf(old);
  old.resume();
  await until('the guest has said hello to nobody', () => chardev.device.written.length === 4);
  const host = chardev.connect(t);
  await within('the hello', awaitHello(host, QUICK));
  t.match(await ended, { code: 'ERR_VC_CLOSED', layer: 'console' });
  t.ok(await exchange(host, links));
});

void t.test('what an older link left is dropped, zeros in it too', async (t) => {
  const [host, device] = memoryPipe();
  const waiting = awaitHello(host, { quietMs: 20, intervalMs: 60_000 });
  device.write(Buffer.concat([framed(Buffer.alloc(20)).subarray(3), HELLO, Buffer.from('rest')]));
  device.write(HELLO.subarray(0, 3));
  device.write(HELLO.subarray(3));
  await within('the hello', waiting);
  device.write('next');
  const [first] = await once(host, 'data');
  t.equal(String(first), 'next');
});

void t.test('without a hello it ends: deadline, end, failure, abort', async (t) => {
  await t.rejects(awaitHello(memoryPipe()[0], { timeoutMs: 10, intervalMs: 5, quietMs: 1 }), { code: 'ERR_VC_TIMEOUT', limit: 10 });

  const [ending, device] = memoryPipe();
  const ended = awaitHello(ending);
  device.end();
  await t.rejects(ended, { code: 'ERR_VC_TRANSPORT' });

  const [failing, peer] = memoryPipe();
  peer.on('error', () => {});
  const failed = awaitHello(failing);
  failing.destroy(new Error('ECONNRESET'));
  await t.rejects(failed, { code: 'ERR_VC_TRANSPORT', cause: { message: 'ECONNRESET' } });

  const abort = new AbortController();
  const aborted = awaitHello(memoryPipe()[0], { signal: abort.signal });
  abort.abort();
  await t.rejects(aborted, { code: 'ERR_VC_ABORTED' });
  await t.rejects(awaitHello(memoryPipe()[0], { signal: abort.signal }), { code: 'ERR_VC_ABORTED' });

  await t.rejects(awaitHello(memoryPipe()[0], { quietMs: 0 }), { code: 'ERR_VC_INVALID_OPTION' });
});

void t.test('options of the hello at an address: its own signal, its default, and checked before anything is connected', async (t) => {
  let connections = 0;
  const { port } = await tcpServer(t, () => connections++);
  const at = `tcp://127.0.0.1:${port}`;
  await t.rejects(openPipe(at, { hello: { intervalMs: 20, quietMs: 21 } }), { code: 'ERR_VC_INVALID_OPTION' });
  t.equal(connections, 0);
  await t.rejects(openPipe(at, { hello: { intervalMs: 20, timeoutMs: 1 } }), { code: 'ERR_VC_TIMEOUT' });
  for (const own of [true, false]) {
    const abort = new AbortController();
    const [none, { signal }] = [new AbortController(), abort];
    const opening = openPipe(at, own ? { hello: { signal }, signal: none.signal } : { hello: { signal: none.signal }, signal });
    const before = connections;
    await until('it is connected', () => connections > before);
    abort.abort();
    await t.rejects(within('the abort', opening), { code: 'ERR_VC_ABORTED' });
  }
});

void t.test('with hello off an empty frame is a frame like any other', async (t) => {
  const device = new FakeDevice();
  const links = await Links.open(device);
  t.teardown(() => links.console?.close());
  const heard = collect(await links.next());
  device.send(HELLO);
  await until('it arrives', () => heard.bytes.length === 4);
  t.equal(links.all.length, 1);
  t.equal(device.written.length, 0);
});
