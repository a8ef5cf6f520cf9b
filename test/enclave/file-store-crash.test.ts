import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { until } from '../support/foreign.js';
import { freshFolder, get, pending, put } from './store-support.js';
import '../support/processes.js';

const CHILD = fileURLToPath(new URL('./store-child.js', import.meta.url));
const linux = process.platform === 'linux' ? false : 'the state of a process is read from /proc';

function start(root: string, mode: string): ChildProcess {
  return spawn(process.execPath, [CHILD, root, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Kills the child when it has said `lines` lines; gives all that it said until it was dead. */
async function killAfter(child: ChildProcess, lines: number): Promise<string[]> {
  const said: string[] = [];
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  const [, signal] = (await exited) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the child ended by itself after ${said.length} lines`);
  return said;
}

function locks(root: string): string[] {
  return readdirSync(root).filter((name) => name.startsWith('lock'));
}

async function withOld(root: string): Promise<void> {
  const store = await DirectoryStore.open(root);
  await put(store, '/old', 'old content');
  await store.close();
}

for (const mode of ['write', 'append']) {
  void t.test(`killed in the middle of a ${mode}`, async (t) => {
    const root = freshFolder(t);
    await withOld(root);
    await killAfter(start(root, mode), 1);
    t.equal(pending(root).length, 2, 'it was in the middle');
    const store = await DirectoryStore.open(root);
    t.equal(String(await get(store, '/old')), 'old content');
    await t.rejects(store.stat('/new'), { code: 'ERR_VC_FILE_STORE' });
    t.same(store.usage, { bytes: 11, files: 1 });
    t.same(pending(root), []);
    await put(store, '/old', '!', 'append');
    t.equal(String(await get(store, '/old')), 'old content!');
    await store.close();
  });
}

void t.test('killed in an append that a write had overtaken: what the write acknowledged stays', async (t) => {
  const root = freshFolder(t);
  await withOld(root);
  await killAfter(start(root, 'replaced'), 1);
  const store = await DirectoryStore.open(root);
  t.ok((await get(store, '/old')).equals(Buffer.alloc(3_000_000, 'y')));
  t.same(pending(root), []);
  await store.close();
});

for (const mode of ['appends', 'writes']) {
  void t.test(`killed anywhere in many ${mode}: nothing acknowledged is lost, nothing is there by half`, async (t) => {
    for (const lines of [1, 2, 3, 5, 8, 13, 21, 34]) {
      const root = freshFolder(t);
      const acknowledged = (await killAfter(start(root, mode), lines)).length;
      const store = await DirectoryStore.open(root);
      const log = await get(store, '/log');
      const records = log.length / 1000;
      const first = mode === 'appends' ? 0 : (log[0] as number);
      const whole = Array.from({ length: Math.ceil(records) }, (_, i) => Buffer.alloc(1000, (first + i) % 256));
      t.ok(log.equals(Buffer.concat(whole)), `${records} whole records`);
      const last = mode === 'appends' ? records : first + 1;
      // One more may have been committed that the child could not tell of any more.
      t.ok(last === acknowledged || last === acknowledged + 1, `${acknowledged} acknowledged, ${last} there`);
      t.same(pending(root), []);
      await store.close();
    }
  });
}

void t.test('one store at a time', async (t) => {
  const root = freshFolder(t);
  const store = await DirectoryStore.open(root);
  await t.rejects(DirectoryStore.open(root), { code: 'ERR_VC_FILE_STORE', got: process.pid }, 'not twice in one process');
  await store.close();
  const child = start(root, 'write');
  await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line');
  await t.rejects(DirectoryStore.open(root), { code: 'ERR_VC_FILE_STORE', got: child.pid as number }, 'nor in two');
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  const again = await DirectoryStore.open(root);
  t.equal(locks(root).length, 1, 'the lock of the dead is gone');
  await again.close();
});

void t.test('a holder that was killed and that nobody reaps has the folder no more', { skip: linux }, async (t) => {
  const root = freshFolder(t);
  // What the shell becomes did not start the holder, and waits for no child.
  const parent = spawn('sh', ['-c', '"$0" "$@" & exec sleep 600', process.execPath, CHILD, root, 'write'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  t.teardown(() => process.kill(-(parent.pid as number), 'SIGKILL'));
  await once(createInterface({ input: parent.stdout }), 'line');
  const holder = Number(locks(root)[0]?.split('-')[1]);
  await t.rejects(DirectoryStore.open(root), { code: 'ERR_VC_FILE_STORE', got: holder });
  process.kill(holder, 'SIGKILL');
  await until('a zombie', () => / Z \d+ /.test(readFileSync(`/proc/${holder}/stat`, 'latin1')));
  await (await DirectoryStore.open(root)).close();
  t.same(locks(root), []);
});

void t.test('locks of the dead, and many who want the folder at once', async (t) => {
  const root = freshFolder(t);
  const store = await DirectoryStore.open(root);
  const [living = ''] = locks(root);
  await store.close();
  t.same(locks(root), []);
  const stale = [
    living.replace(/^lock-\d+-\d+/, (head) => `${head}1`),
    living.replace(/-[^-]+-[^-]+$/, '-0-0123456789abcdef'),
    living.replace(/^lock-\d+/, 'lock-4194305'),
  ];
  for (const name of stale) writeFileSync(join(root, name), '');
  for (let round = 0; round < 5; round++) {
    const stores = await Promise.allSettled(Array.from({ length: 4 }, () => DirectoryStore.open(root)));
    const opened = stores.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    t.ok(opened.length <= 1, 'never two');
    // Those of the dead stay while everybody sees a living one first, and gives up.
    t.equal(locks(root).filter((name) => !stale.includes(name)).length, opened.length, 'nothing remains of the others');
    for (const one of opened) await one.close();
  }
  await (await DirectoryStore.open(root)).close();
  t.same(locks(root), []);
});

void t.test('what the store did not put into pending stays', async (t) => {
  const root = freshFolder(t);
  await (await DirectoryStore.open(root)).close();
  writeFileSync(join(root, 'pending', 'notes'), '');
  mkdirSync(join(root, 'pending', 'w-folder'));
  writeFileSync(join(root, 'pending', 'w-17'), '');
  await (await DirectoryStore.open(root)).close();
  t.same(pending(root), ['notes', 'w-folder']);
});

void t.test('a disk that fills up in the middle', async (t) => {
  const root = freshFolder(t);
  await withOld(root);
  // A limit on the size of files is the full disk that needs no disk: the write is cut short, then refused.
  const script = `ulimit -f 1000; exec "$0" "$1" "$2" full`;
  const said = execFileSync('bash', ['-c', script, process.execPath, CHILD, root], { encoding: 'utf8' });
  t.equal(said, 'ERR_VC_FILE_STORE EFBIG\n'.repeat(2));
  t.same(pending(root), []);
  const store = await DirectoryStore.open(root);
  t.equal(String(await get(store, '/old')), 'old content');
  await store.close();
});
