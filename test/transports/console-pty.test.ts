/** Real terminals: pty pairs of socat. VIRTIO.md: ports are closed before socat ends, and socat never drops. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import t from 'tap';
import { openPipe } from '../../lib/transports/pipe.js';
import { RETRY_ICECAP } from '../../lib/transports/socket.js';
import { until, within } from '../support/foreign.js';
import { collect, endOf, framed, Links } from './console-support.js';
import '../support/processes.js';
import { HANG_MS, patience } from '../support/time.js';

type T = Pick<typeof t, 'teardown'>;

const socatIsThere = spawnSync('socat', ['-V']).status === 0;
const skip = process.platform !== 'linux' || !socatIsThere ? 'socat is not installed (Debian: apt-get install socat)' : false;

function folder(t: T): string {
  const made = mkdtempSync(join(tmpdir(), 'vcp-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A console at `<folder>/tty`; its other side is `far`, an address of socat. Ends after the ports that were opened. */
async function socat(t: T, at: string, far: string): Promise<ChildProcess> {
  // -t: a connection that has ended must not go on reading the pty for half a second.
  const child = spawn('socat', ['-t', '0.01', `pty,raw,echo=0,link=${at}/tty`, far], { stdio: 'ignore' });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill();
    await gone;
  });
  await until('the pty', () => existsSync(join(at, 'tty')));
  return child;
}

function openTty(at: string, options = {}): Promise<Links> {
  return Links.open(undefined, options, join(at, 'tty'));
}

/** A socket that goes with the test, however it ends. */
function released(t: T, socket: Duplex): Duplex {
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  return socket;
}

/** The device itself: the link to it goes with the first connection that socat has served. */
function deviceOf(at: string): string {
  return realpathSync(join(at, 'tty'));
}

const blob = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) % 256));

void t.test('a pty pair: every byte value, in both directions, a mebibyte', { skip }, async (t) => {
  const at = folder(t);
  await socat(t, at, `pty,raw,echo=0,link=${at}/far`);
  await until('the far side', () => existsSync(join(at, 'far')));
  const near = await openTty(at);
  const far = await Links.open(undefined, {}, join(at, 'far'));
  try {
    const bytes = framed(blob(1_048_576));
    const [nearLink, farLink] = [await near.next(), await far.next()];
    const [atNear, atFar] = [collect(nearLink), collect(farLink)];
    // One direction after the other, as the link's question and answer are: socat blocks in a write, and two full ones at once
    // could make it wait for itself.
    nearLink.write(bytes);
    await until('all arrives there', () => atFar.bytes.length >= bytes.length);
    farLink.write(bytes);
    await until('all arrives here', () => atNear.bytes.length >= bytes.length);
    t.ok(atNear.bytes.equals(bytes));
    t.ok(atFar.bytes.equals(bytes));
  } finally {
    await near.console?.close();
    await far.console?.close();
  }
});

void t.test("QEMU's host side: a Unix socket, retried until it is there", { skip }, async (t) => {
  const at = folder(t);
  const address = `unix://${at}/console0`;
  const early = openPipe(address, { retry: { ...RETRY_ICECAP, intervalMs: 5 } });
  await socat(t, at, `unix-listen:${at}/console0,fork`);
  const host = released(t, (await within('the socket', early)) as Duplex);
  const heard = collect(host);
  const large = framed(blob(300_000));
  const patient = await Links.open(undefined, { frameTimeoutMs: HANG_MS }, deviceOf(at));
  try {
    const link = await patient.next();
    const arrived = collect(link);
    // Here too, one direction after the other.
    host.write(large);
    await until('all arrives there', () => arrived.bytes.length >= large.length);
    link.write(arrived.bytes);
    await until('all comes back', () => heard.bytes.length >= large.length);
    t.ok(heard.bytes.equals(large));
  } finally {
    await patient.console?.close();
  }

  // Frames that fit into the terminal: none of them is under way for as long as the deadline.
  const links = await Links.open(undefined, { frameTimeoutMs: patience(3000) }, deviceOf(at));
  try {
    const link = await links.next();
    link.on('data', (chunk: Buffer) => link.write(chunk));
    const bytes = framed(blob(3000));
    const before = heard.bytes.length;
    host.write(bytes);
    await until('the echo', () => heard.bytes.length >= before + bytes.length);
    t.ok(heard.bytes.subarray(before).equals(bytes));

    // The host dies in mid-frame and comes back.
    const ended = endOf(link);
    host.write(bytes.subarray(0, 2000));
    await until('a part of a frame has arrived', () => heard.bytes.length >= before + bytes.length + 2000);
    host.destroy();
    t.match(await within('the deadline', ended), { code: 'ERR_VC_TIMEOUT', expected: bytes.length, got: 2000 });
    const fresh = await within('the next link', links.next());
    fresh.on('data', (chunk: Buffer) => fresh.write(chunk));
    const again = released(t, (await openPipe(address)) as Duplex);
    const heardAgain = collect(again);
    again.write(bytes);
    await until('the echo', () => heardAgain.bytes.length >= bytes.length);
    t.ok(heardAgain.bytes.equals(bytes), 'nothing of the old link is in the new one');
  } finally {
    await links.console?.close();
  }
});

void t.test('bytes that waited before the console was opened are gone', { skip }, async (t) => {
  const at = folder(t);
  await socat(t, at, `unix-listen:${at}/console0,fork`);
  const host = released(t, (await openPipe(`unix://${at}/console0`, { retry: { ...RETRY_ICECAP, intervalMs: 5 } })) as Duplex);
  const probe = await openTty(at);
  const stale = collect(await probe.next());
  host.write('one');
  await until('the console is open', () => stale.bytes.length === 3);
  await probe.console?.close();
  host.write('stale');
  // A byte of them is taken by hand: then the others wait as well.
  const fd = openSync(join(at, 'tty'), constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  await until('the stale bytes wait', () => {
    try {
      return readSync(fd, Buffer.alloc(1)) === 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
      throw error;
    }
  });
  closeSync(fd);
  const links = await openTty(at);
  try {
    const heard = collect(await links.next());
    host.write(framed(Buffer.from('new')));
    await until('the frame', () => heard.bytes.length >= 7);
    t.same(heard.bytes, framed(Buffer.from('new')));
  } finally {
    await links.console?.close();
  }
});

void t.test('a console that is open is locked, and one whose other side dies is noticed', { skip }, async (t) => {
  const at = folder(t);
  const child = await socat(t, at, `pty,raw,echo=0,link=${at}/far`);
  const links = await openTty(at, { checkIntervalMs: 10 });
  try {
    await t.rejects(openTty(at), { code: 'ERR_VC_TRANSPORT', message: /tty: it is locked, another process has it open$/ });
    const link = await links.next();
    link.resume();
    const ended = endOf(link);
    const gone = once(child, 'exit');
    child.kill();
    await gone;
    t.match(await within('the end', ended), { code: 'ERR_VC_TRANSPORT', layer: 'console' });
    await until('it was tried again', () => links.troubles.length >= 2);
    t.match(links.troubles.at(-1), { code: 'ERR_VC_TRANSPORT', message: /there is no such device$/ });
    await socat(t, at, `pty,raw,echo=0,link=${at}/far`);
    await within('the next link', links.next());
  } finally {
    await links.console?.close();
  }
});

void t.test('what is no terminal is refused in one line', { skip: process.platform === 'win32' }, async (t) => {
  const at = folder(t);
  const plain = join(at, 'plain');
  writeFileSync(plain, 'x');
  const cases: [string, RegExp][] = [
    [join(at, 'none'), /none: there is no such device$/],
    [at, /: it is a directory, no terminal$/],
    [plain, /plain: it is a file, no terminal$/],
    ['/dev/null', /null: it is no terminal$/],
  ];
  for (const [path, message] of cases) {
    const error = await Links.open(undefined, {}, path).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    t.match(error, { code: 'ERR_VC_TRANSPORT', layer: 'console', message }, path);
    t.notMatch(error?.message, /\n/);
  }
});
