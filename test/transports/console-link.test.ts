import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { MockBinding } from '@serialport/binding-mock';
import t from 'tap';
import { InvalidOptionError } from '../../lib/core/errors.js';
import { frame } from '../../lib/layers/frame/index.js';
import { stack } from '../../lib/pipeline/stack.js';
import { type ConsoleOptions, VirtioConsole } from '../../lib/transports/console/virtio-console.js';
import { openPipe } from '../../lib/transports/pipe.js';
import type { Listener } from '../../lib/transports/socket.js';
import { until, within } from '../support/foreign.js';
import { collect, endOf, FakeDevice, framed, Links } from './console-support.js';

type T = Pick<typeof t, 'teardown'>;

async function open(t: T, device: FakeDevice, options: ConsoleOptions = {}): Promise<Links> {
  const links = await Links.open(device, options);
  t.teardown(() => links.console?.close());
  return links;
}

void t.test('bytes go in both directions, unaltered, and nothing is said unasked', async (t) => {
  const device = new FakeDevice();
  const link = await (await open(t, device)).next();
  const heard = collect(link);
  t.equal(device.written.length, 0);
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  device.send(framed(every));
  await until('the bytes arrive', () => heard.bytes.length === 260);
  t.same(heard.bytes, framed(every));
  link.write(framed(every));
  await until('the answer is out', () => device.written.length === 260);
  t.same(device.written, framed(every));
});

void t.test('stale bytes are dropped when the device is opened', async (t) => {
  const device = new FakeDevice();
  device.send(Buffer.from('of a link that is gone'));
  const link = await (await open(t, device)).next();
  const heard = collect(link);
  device.send(framed(Buffer.from('new')));
  await until('the bytes arrive', () => heard.bytes.length === 7);
  t.same(heard.bytes, framed(Buffer.from('new')));
});

void t.test('a write goes out in pieces of maxWriteBytes', async (t) => {
  const device = new FakeDevice();
  const link = await (await open(t, device, { maxWriteBytes: 100 })).next();
  const bytes = Buffer.from(Array.from({ length: 1234 }, (_, i) => i % 251));
  link.cork();
  for (let at = 0; at < bytes.length; at += 77) link.write(bytes.subarray(at, at + 77));
  link.uncork();
  await until('all is out', () => device.written.length === bytes.length);
  t.same(device.written, bytes);
  t.ok(device.writes.every(({ length }) => length <= 100));
  t.equal(device.writes.length, 13, 'gathered where they are smaller');
});

void t.test('a reader that does not read makes the device wait, and its frame does not time out', async (t) => {
  const device = new FakeDevice();
  const links = await open(t, device, { frameTimeoutMs: 200 });
  const link = await links.next();
  const frameBytes = framed(Buffer.alloc(400_000, 7));
  link.pause();
  link.read(0);
  for (let at = 0; at < frameBytes.length; at += 4096) device.send(frameBytes.subarray(at, at + 4096));
  await until('the link has enough', () => link.readableLength >= link.readableHighWaterMark);
  await sleep(450);
  t.ok(device.waiting > 0, 'the rest stays in the device');
  t.ok(link.readableLength < 2 * link.readableHighWaterMark);
  t.notOk(link.destroyed, 'it is we who are slow, not the host');
  const heard = collect(link);
  link.resume();
  await until('all arrives', () => heard.bytes.length === frameBytes.length);
  t.same(heard.bytes, frameBytes);
});

void t.test('a frame that stops in the middle ends the link at its deadline, and a fresh one follows', async (t) => {
  const frameBytes = framed(Buffer.from('0123456789'));
  for (let cut = 1; cut < frameBytes.length; cut++) {
    const device = new FakeDevice();
    const links = await open(t, device, { frameTimeoutMs: 10 });
    const link = await links.next();
    const heard = collect(link);
    device.send(Buffer.concat([framed(Buffer.from('whole')), frameBytes.subarray(0, cut)]));
    const error = await within('the deadline', endOf(link));
    t.match(error, { code: 'ERR_VC_TIMEOUT', layer: 'console', limit: 10, expected: cut < 4 ? 4 : 14, got: cut });
    t.same(heard.bytes.subarray(0, 9), framed(Buffer.from('whole')));
    const next = await within('the next link', links.next());
    const fresh = collect(next);
    device.send(frameBytes);
    await until('the next link works', () => fresh.bytes.length === frameBytes.length);
    t.same(fresh.bytes, frameBytes, `cut at ${cut}`);
    t.equal(device.openPorts, 1);
    await links.console?.close();
    t.equal(device.openPorts, 0);
  }
});

void t.test('whole frames are never timed, and a trickle has one deadline in all', async (t) => {
  const device = new FakeDevice();
  const links = await open(t, device, { frameTimeoutMs: 60 });
  const link = await links.next();
  link.resume();
  for (let i = 0; i < 8; i++) {
    device.send(framed(Buffer.from([i])));
    await sleep(20);
  }
  t.notOk(link.destroyed);
  const ended = endOf(link);
  const trickle = setInterval(() => device.send(Buffer.from([200])), 10);
  t.teardown(() => clearInterval(trickle));
  t.match(await within('the deadline', ended), { code: 'ERR_VC_TIMEOUT' });
});

void t.test('frameTimeoutMs 0 waits for ever', async (t) => {
  const device = new FakeDevice();
  const link = await (await open(t, device, { frameTimeoutMs: 0 })).next();
  const heard = collect(link);
  device.send(Buffer.from([9]));
  await until('the byte arrives', () => heard.bytes.length === 1);
  await sleep(30);
  t.notOk(link.destroyed);
});

void t.test('what a stack refuses resets the link', async (t) => {
  const device = new FakeDevice();
  const links = await open(t, device);
  const channel = stack(frame('icecap4')).over(await links.next());
  const failed = once(channel, 'error');
  channel.resume();
  device.send(Buffer.from('ffffffff', 'hex'));
  t.match((await within('the refusal', failed))[0], { code: 'ERR_VC_LIMIT', layer: 'frame' });
  const next = await within('the next link', links.next());
  t.notOk(next.destroyed);
});

void t.test('end() drains what was written, then closes; the next link follows', async (t) => {
  const device = new FakeDevice();
  const links = await open(t, device);
  const link = await links.next();
  link.resume();
  const ended = once(link, 'end');
  link.end(framed(Buffer.from('last')));
  await within('the end', ended);
  t.equal(await within('the close', endOf(link)), undefined);
  t.same(device.written, framed(Buffer.from('last')));
  t.same(device.calls.slice(-4), ['write', 'drain', 'flush', 'close']);
  await within('the next link', links.next());
});

for (const operation of ['write', 'drain', 'flush', 'close'] as const) {
  void t.test(`a ${operation} that hangs is cut off, and the next link works`, async (t) => {
    const device = new FakeDevice();
    const links = await open(t, device, { writeTimeoutMs: 10, drainTimeoutMs: 10, closeTimeoutMs: 10 });
    const link = await links.next();
    link.resume();
    device.hanging.add(operation);
    const ended = endOf(link);
    link.end(Buffer.from('x'));
    const error = await within('the deadline', ended);
    if (operation === 'write' || operation === 'drain') {
      t.match(error, { code: 'ERR_VC_TIMEOUT', layer: 'console', limit: 10 });
    } else {
      t.equal(error, undefined, 'the link had done its work');
    }
    device.hanging.clear();
    const next = await within('the next link', links.next());
    next.write('y');
    await until('it writes', () => device.written.toString().endsWith('y'));
    t.pass();
  });

  void t.test(`a ${operation} that fails does no more harm than that`, async (t) => {
    const device = new FakeDevice();
    const links = await open(t, device);
    const link = await links.next();
    link.resume();
    device.failing.set(operation, new Error('EIO: i/o error'));
    const ended = endOf(link);
    link.end(Buffer.from('x'));
    const error = await within('the end', ended);
    if (operation === 'write' || operation === 'drain') t.match(error, { code: 'ERR_VC_TRANSPORT', layer: 'console' });
    else t.equal(error, undefined);
    device.failing.clear();
    await within('the next link', links.next());
  });
}

void t.test('a device that fails while it is read ends the link', async (t) => {
  const device = new FakeDevice();
  const links = await open(t, device);
  const link = await links.next();
  link.resume();
  await until('it reads', () => link.readableFlowing === true);
  await new Promise((go) => setImmediate(go));
  const ended = endOf(link);
  device.breakRead(new Error('bad file descriptor'));
  t.match(await within('the end', ended), { code: 'ERR_VC_TRANSPORT', layer: 'console', cause: { message: 'bad file descriptor' } });
  await within('the next link', links.next());
});

void t.test('a device that is gone without a word is noticed', async (t) => {
  const device = new FakeDevice();
  device.hanging.add('read');
  const links = await open(t, device, { checkIntervalMs: 5 });
  const link = await links.next();
  link.resume();
  await until('it was looked after', () => device.calls.filter((call) => call === 'getBaudRate').length > 2);
  t.notOk(link.destroyed);
  const ended = endOf(link);
  device.failing.set('getBaudRate', new Error('Input/output error'));
  t.match(await within('the end', ended), { code: 'ERR_VC_TRANSPORT' });
});

void t.test('a device that cannot be opened again is tried until it can', async (t) => {
  const device = new FakeDevice();
  const links = await open(t, device);
  const link = await links.next();
  device.failing.set('open', new Error('No such file or directory'));
  link.destroy();
  await until('it was tried', () => links.troubles.length >= 3);
  t.match(links.troubles[0], { code: 'ERR_VC_TRANSPORT' });
  device.failing.clear();
  await within('the next link', links.next());
});

void t.test('whoever hears of the trouble may fail', async (t) => {
  const device = new FakeDevice();
  let heard = 0;
  const links = await open(t, device, {
    onTrouble: () => {
      heard++;
      throw new Error('the log is full');
    },
  });
  const link = await links.next();
  device.failing.set('open', new Error('No such file or directory'));
  link.destroy(new Error('mine'));
  await until('it was tried', () => heard >= 3);
  device.failing.clear();
  await within('the next link', links.next());
});

void t.test('a path with the word lock in it is not locked for that', async (t) => {
  const device = new FakeDevice();
  const path = '/dev/block/none';
  for (const [said, heard] of [
    [`Error: No such file or directory, cannot open ${path}`, /: there is no such device$/],
    [`Error: Resource temporarily unavailable, cannot lock ${path}`, /: it is locked, another process has it open$/],
  ] as const) {
    device.failing.set('open', new Error(said));
    await t.rejects(Links.open(device, {}, path), { code: 'ERR_VC_TRANSPORT', message: heard });
  }
});

void t.test('close ends the link and opens no further one', async (t) => {
  const device = new FakeDevice();
  const links = await open(t, device);
  const link = await links.next();
  await within('the close', links.console?.close() as Promise<void>);
  t.ok(link.closed);
  t.equal(device.openPorts, 0);
  t.equal(device.opens, 1);
  await links.console?.close();
});

void t.test('close while the device is away, and by signal', async (t) => {
  const device = new FakeDevice();
  const end = new AbortController();
  const links = await open(t, device, { signal: end.signal, reopenFirstMs: 100_000, reopenLastMs: 100_000 });
  const link = await links.next();
  link.destroy();
  await endOf(link);
  end.abort();
  await within('the close', links.console?.close() as Promise<void>);
  t.equal(device.opens, 1);
  await t.rejects(Links.open(device, { signal: end.signal }), { code: 'ERR_VC_ABORTED' });
  const during = new AbortController();
  const opening = Links.open(device, { signal: during.signal });
  during.abort();
  await t.rejects(opening, { code: 'ERR_VC_ABORTED' });
  await until('the device is closed again', () => device.opens === 2 && device.openPorts === 0);
});

void t.test('opening has a deadline, and what opens too late is closed', async (t) => {
  const device = new FakeDevice();
  device.hanging.add('open');
  await t.rejects(Links.open(device, { openTimeoutMs: 10 }), { code: 'ERR_VC_TIMEOUT', limit: 10 });
  let late: () => void = () => {};
  const slow = new FakeDevice();
  const gate = new Promise<void>((resolve) => {
    late = resolve;
  });
  const binding = { open: () => gate.then(() => slow.open()) };
  await t.rejects(Links.open(binding, { openTimeoutMs: 10 }), { code: 'ERR_VC_TIMEOUT' });
  late();
  await until('it is closed', () => slow.opens === 1 && slow.openPorts === 0);
});

void t.test('a caller that throws at a link ends that link only', async (t) => {
  const device = new FakeDevice();
  const troubles: Error[] = [];
  let calls = 0;
  const console = await VirtioConsole.open(
    { kind: 'serial', path: '/dev/fake' },
    () => {
      if (++calls === 1) throw new Error('mine');
    },
    { binding: device, reopenFirstMs: 1, reopenLastMs: 1, onTrouble: (error) => troubles.push(error) },
  );
  t.teardown(() => console.close());
  await until('the second link', () => calls === 2);
  t.match(troubles, [{ code: 'ERR_VC_TRANSPORT', cause: { message: 'mine' } }]);
});

void t.test('options outside their range are refused', async (t) => {
  for (const options of [
    { frameTimeoutMs: -1 },
    { maxWriteBytes: 0 },
    { openTimeoutMs: 0 },
    { baudRate: 0.5 },
    { reopenFirstMs: 9, reopenLastMs: 8 },
  ]) {
    await t.rejects(Links.open(new FakeDevice(), options), { code: new InvalidOptionError('').code });
  }
});

void t.test('over the bindings of serialport: the mock', async (t) => {
  MockBinding.reset();
  MockBinding.createPort('/dev/mock', { echo: true, record: true });
  const bytes = framed(Buffer.from('hello'));
  let heard = { bytes: Buffer.alloc(0) as Buffer };
  const listener = (await openPipe('serial:///dev/mock', {
    console: { binding: MockBinding },
    onPipe: (link) => {
      heard = collect(link);
      link.write(bytes);
    },
  })) as Listener;
  await until('the echo', () => heard.bytes.length === bytes.length);
  t.same(heard.bytes, bytes);
  t.same(listener.address, { kind: 'serial', path: '/dev/mock' });
  await t.rejects(Links.open(MockBinding, {}, '/dev/mock'), {
    message: 'cannot open serial:///dev/mock: it is locked, another process has it open',
  });
  await within('the close', listener.close());
  await t.rejects(Links.open(MockBinding, {}, '/dev/no-mock'), { message: 'cannot open serial:///dev/no-mock: there is no such device' });
});
