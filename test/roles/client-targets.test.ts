/** Answers that are saved where something may be wrong on this side: FIFOs that nobody reads, disks that are full. */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ClientOptions } from '../../lib/roles/client/client.js';
import { within } from '../support/foreign.js';
import { collect, content, freshFolder, startRoles } from '../support/roles.js';
import '../support/processes.js';
import { patience } from '../support/time.js';

/** More than a FIFO holds, less than the client keeps in memory. */
const SMALL = content(200_000);
const LARGE = content(3_000_000);

async function start(t: Test, options: Partial<ClientOptions> = {}) {
  const roles = await startRoles(t);
  const client = await roles.connect(options);
  await client.writeFile('/small', SMALL);
  await client.writeFile('/large', LARGE);
  return { ...roles, client };
}

function mkfifo(t: Test): string {
  const path = join(freshFolder(t), 'fifo');
  spawnSync('mkfifo', [path]);
  return path;
}

const noFifo = spawnSync('mkfifo', ['--version']).status === 0 ? false : 'no mkfifo';

/** Opens the end of a FIFO that is read. Nothing is read of it. */
function reader(t: Test, path: string): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(fd));
  return fd;
}

void t.test('a FIFO that nobody reads: the wait has an end, and the session goes on', { skip: noFifo }, async (t) => {
  const readTimeoutMs = patience(300);
  const { client } = await start(t, { readTimeoutMs });
  const path = mkfifo(t);
  const late = { code: 'ERR_VC_TIMEOUT', layer: 'client', limit: readTimeoutMs };
  await t.rejects(within('no reader', client.readFile('/small', { to: { path } })), { ...late, message: /nobody reads .*fifo/ });
  reader(t, path);
  const stuck = within('a reader that reads nothing', client.readFile('/small', { to: { path } }));
  await t.rejects(stuck, { ...late, message: /^nothing of 200000 bytes was taken by .*fifo for/, expected: SMALL.length });
  t.ok((await collect(await client.readFile('/small'))).equals(SMALL));
});

void t.test('the same of a file that is longer than what is kept in memory', { skip: noFifo }, async (t) => {
  const readTimeoutMs = patience(300);
  const { client, connect } = await start(t, { readTimeoutMs });
  const path = mkfifo(t);
  await t.rejects(within('no reader', client.readFile('/large', { to: { path } })), { code: 'ERR_VC_TIMEOUT' });
  reader(t, path);
  const other = await connect({ readTimeoutMs });
  await t.rejects(within('nothing read', other.readFile('/large', { to: { path } })), { code: 'ERR_VC_TIMEOUT' });
});

void t.test('an abort ends the wait: for a reader, and for one who reads nothing', { skip: noFifo }, async (t) => {
  const { client } = await start(t);
  const path = mkfifo(t);
  const abort = async (name: string) => {
    const controller = new AbortController();
    const saved = client.readFile(name, { to: { path }, signal: controller.signal });
    const over = t.rejects(within(`the abort of ${name}`, saved), { code: 'ERR_VC_ABORTED' }, name);
    await sleep(patience(100));
    controller.abort(new Error('enough'));
    await over;
  };
  await abort('/small');
  reader(t, path);
  await abort('/small');
  t.ok((await collect(await client.readFile('/small'))).equals(SMALL), 'the session goes on');
  await abort('/large');
});

void t.test('a slow reader is waited for, as long as he reads', { skip: noFifo }, async (t) => {
  const readTimeoutMs = patience(400);
  const { client } = await start(t, { readTimeoutMs });
  const path = mkfifo(t);
  const fd = reader(t, path);
  const saved = within('a slow reader', client.readFile('/small', { to: { path } }));
  saved.catch(() => {});
  const chunks: Buffer[] = [];
  const started = performance.now();
  for (let total = 0; total < SMALL.length; ) {
    const chunk = Buffer.alloc(10_000);
    try {
      const count = readSync(fd, chunk);
      total += count;
      chunks.push(chunk.subarray(0, count));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    await sleep(readTimeoutMs / 8);
  }
  t.ok(performance.now() - started > 2 * readTimeoutMs, 'all of it takes longer than the deadline');
  t.same(await saved, { bytes: SMALL.length });
  t.ok(Buffer.concat(chunks).equals(SMALL));
});

void t.test('a reader that leaves is no wrong argument', { skip: noFifo }, async (t) => {
  const { client } = await start(t);
  const path = mkfifo(t);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const saved = client.readFile('/small', { to: { path } });
  const over = t.rejects(within('a reader that leaves', saved), { code: 'ERR_VC_LOCAL_FILE', got: 'EPIPE', layer: 'client' });
  await sleep(patience(100));
  closeSync(fd);
  await over;
  t.ok((await collect(await client.readFile('/small'))).equals(SMALL), 'the session goes on');
});

void t.test('a full disk is no wrong argument', { skip: existsSync('/dev/full') ? false : 'no /dev/full' }, async (t) => {
  const { client } = await start(t);
  for (const name of ['/small', '/large']) {
    const saved = within(name, client.readFile(name, { to: { path: '/dev/full' } }));
    await t.rejects(saved, { code: 'ERR_VC_LOCAL_FILE', got: 'ENOSPC', message: 'cannot write /dev/full: no space left' }, name);
  }
  t.ok((await collect(await client.readFile('/small'))).equals(SMALL), 'the session goes on');
});

void t.test('nor is a disk that fails when a source is read', { skip: existsSync('/proc/self/mem') ? false : 'no /proc' }, async (t) => {
  const { client } = await start(t);
  const failed = within('a write', client.writeFile('/f', { path: '/proc/self/mem' }));
  await t.rejects(failed, { code: 'ERR_VC_LOCAL_FILE', got: 'EIO', layer: 'client' });
});
