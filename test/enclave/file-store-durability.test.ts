/**
 * What is on disk before an answer goes out, and what an answer says when the disk fails. Each change of a store is cut off
 * after each of its calls, with all that can have reached the disk by then; and each of its calls fails once.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { freshFolder, get, put, written } from './store-support.js';
import { SURVIVALS, type Survival, TracedDisk } from './traced-disk.js';
import '../support/long.js';

const LONG = `/${'x'.repeat(250)}`;
const POLICY = 'a'.repeat(64);
/** Contents by name. */
type Files = Readonly<Record<string, string>>;

interface Change {
  readonly what: string;
  readonly before: Files;
  readonly after: Files;
  readonly act: (store: DirectoryStore) => Promise<void>;
  /** The calls, in their order, without those that open and close something; `#` is a number. */
  readonly calls: readonly string[];
}

const CHANGES: readonly Change[] = [
  {
    what: 'a write of a new file',
    before: {},
    after: { '/a': 'new' },
    act: (store) => put(store, '/a', 'new'),
    calls: ['writev pending/w-#', 'datasync pending/w-#', 'rename files/+a', 'sync files'],
  },
  {
    what: 'a write over a file',
    before: { '/a': 'old contents', '/b': 'beside' },
    after: { '/a': 'new', '/b': 'beside' },
    act: (store) => put(store, '/a', 'new'),
    calls: ['writev pending/w-#', 'datasync pending/w-#', 'rename files/+a', 'sync files'],
  },
  {
    what: 'an append',
    before: { '/a': 'old' },
    after: { '/a': 'old and new' },
    act: async (store) => {
      const sink = store.append('/a');
      await written(sink, Buffer.from(' and'));
      sink.end(' new');
      await sink.commit();
    },
    calls: [
      'link pending/a-#',
      'sync pending',
      ...Array.from({ length: 2 }, () => 'writev files/+a'),
      'datasync files/+a',
      'unlink pending/a-#',
      'sync pending',
    ],
  },
  {
    what: 'an append to a file that is missing',
    before: {},
    after: { '/a': 'new' },
    act: (store) => put(store, '/a', 'new', 'append'),
    calls: ['writev pending/w-#', 'datasync pending/w-#', 'rename files/+a', 'sync files'],
  },
  {
    what: 'a removal',
    before: { '/a': 'old', '/b': 'beside' },
    after: { '/b': 'beside' },
    act: (store) => store.remove('/a'),
    calls: ['unlink files/+a', 'sync files'],
  },
  {
    what: 'a write of a file with a long name',
    before: {},
    after: { [LONG]: 'new' },
    act: (store) => put(store, LONG, 'new'),
    calls: [
      ...['writev pending/w-#', 'datasync pending/w-#'],
      ...['writeFile pending/w-#', 'datasync pending/w-#', 'rename names/+x~', 'sync names'],
      ...['rename files/+x~', 'sync files'],
    ],
  },
  {
    what: 'a removal of a file with a long name',
    before: { [LONG]: 'old' },
    after: {},
    act: (store) => store.remove(LONG),
    calls: ['unlink files/+x~', 'sync files', 'unlink names/+x~'],
  },
];

const shortened = (call: string) =>
  call
    .replace(/-\d+(-\d+)?$/, '-#')
    .replace(/\+x+~.*/, '+x~')
    .replace(/^(\w+) store\//, '$1 ');
const changing = (call: string) => !/^(open|close) /.test(call);

/** All that a store has. */
async function contentsOf(store: DirectoryStore): Promise<Files> {
  const files: Record<string, string> = {};
  for await (const { name } of store.list()) files[name] = String(await get(store, name));
  return files;
}

/** What a store is found with that is opened after a crash. */
async function afterCrash(t: Test, disk: TracedDisk, survival: Survival): Promise<Files> {
  const folder = freshFolder(t);
  disk.afterCrash(folder, survival);
  const store = await DirectoryStore.open(join(folder, 'store'));
  try {
    return await contentsOf(store);
  } finally {
    await store.close();
  }
}

/** A store with files in it, all on disk, and nobody else's. */
async function filled(t: Test, before: Files): Promise<{ disk: TracedDisk; store: DirectoryStore; root: string }> {
  const root = freshFolder(t);
  const path = join(root, 'store');
  const first = await DirectoryStore.open(path);
  for (const [name, contents] of Object.entries(before)) await put(first, name, contents);
  await first.close();
  const disk = new TracedDisk(root);
  return { disk, store: await DirectoryStore.open(path, {}, disk), root: path };
}

const same = (one: Files, other: Files) => JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

for (const { what, before, after, act, calls } of CHANGES) {
  void t.test(`${what}: a crash at any moment leaves all of it or nothing, and once it is acknowledged, all`, async (t) => {
    const { disk, store } = await filled(t, before);
    disk.calls.length = 0;
    disk.onCall = async () => {
      for (const survival of SURVIVALS) {
        const found = await afterCrash(t, disk, survival);
        if (same(found, before) || same(found, after)) continue;
        t.same(found, before, `neither old nor new after ${disk.calls.at(-1)}, ${JSON.stringify(survival)}`);
      }
    };
    await act(store);
    disk.onCall = () => {};
    const made = disk.calls.map(shortened);
    for (const survival of SURVIVALS) t.same(await afterCrash(t, disk, survival), after, JSON.stringify(survival));
    t.same(made.filter(changing), calls, 'the calls before the answer');
    await store.close();
  });

  void t.test(`${what}: what the answer says is what is there, whichever call fails`, async (t) => {
    const seen: string[] = [];
    for (let at = 0; ; at++) {
      const { disk, store, root } = await filled(t, before);
      disk.failAt = at;
      disk.calls.length = 0;
      const outcome = await act(store).then(
        () => 'done',
        (error: { code: string; got: unknown }) => `${error.code} ${String(error.got)}`,
      );
      const failed = disk.failAt < 0;
      disk.failAt = undefined;
      const where = `${outcome} when ${disk.calls[at] ?? 'nothing'} fails`;
      const now = await contentsOf(store);
      if (outcome === 'done') {
        t.same(now, after, where);
        for (const survival of SURVIVALS) t.same(await afterCrash(t, disk, survival), after, where);
      } else if (outcome === 'ERR_VC_OUTCOME_UNKNOWN EIO') {
        t.same(now, after, `${where}: it is done`);
        for (const survival of SURVIVALS) {
          const found = await afterCrash(t, disk, survival);
          t.ok(same(found, before) || same(found, after), `${where}: and a crash leaves all or nothing`);
        }
      } else {
        t.equal(outcome, 'ERR_VC_FILE_STORE EIO', where);
        t.same(now, before, where);
      }
      if (failed) seen.push(`${shortened(disk.calls[at] as string)}: ${outcome}`);
      await put(store, '/later', 'x');
      t.equal(String(await get(store, '/later')), 'x', `${where}: the store goes on`);
      await store.close();
      const again = await DirectoryStore.open(root);
      t.same(await contentsOf(again), { ...now, '/later': 'x' }, `${where}: the same after a restart`);
      await again.close();
      if (!failed) break;
    }
    const unknown = seen.filter((line) => line.includes('UNKNOWN')).map((line) => line.split(':')[0]);
    t.same(unknown, [what === 'an append' ? 'sync pending' : 'sync files'], 'unknown is only what could not be made durable');
  });
}

void t.test('a removal that is tried again after its sync has failed is made to last then', async (t) => {
  const { disk, store } = await filled(t, { '/a': 'old', '/b': 'beside' });
  const remove = async (failAt: number | undefined) => {
    disk.failAt = failAt;
    disk.calls.length = 0;
    return store.remove('/a').then(
      () => 'done',
      (error: { code: string; got: unknown }) => `${error.code} ${String(error.got)}`,
    );
  };
  t.equal(await remove(1), 'ERR_VC_OUTCOME_UNKNOWN EIO');
  t.equal(await remove(0), 'ERR_VC_OUTCOME_UNKNOWN EIO', 'not that it is gone for good');
  t.equal(await remove(undefined), 'ERR_VC_FILE_STORE ENOENT');
  t.same(disk.calls.map(shortened), ['sync files']);
  for (const survival of SURVIVALS) t.same(await afterCrash(t, disk, survival), { '/b': 'beside' });
  await store.close();
});

void t.test('a new store is on disk with all the folders above it, when it takes its policy', async (t) => {
  const root = freshFolder(t);
  const disk = new TracedDisk(root);
  const store = await DirectoryStore.open(join(root, 'a/b/store'), {}, disk);
  await store.bind(POLICY);
  await put(store, '/a', 'new');
  for (const survival of SURVIVALS) {
    const folder = freshFolder(t);
    mkdirSync(join(folder, 'to'));
    disk.afterCrash(join(folder, 'to'), survival);
    const found = await DirectoryStore.open(join(folder, 'to/a/b/store'));
    t.same(await contentsOf(found), { '/a': 'new' }, JSON.stringify(survival));
    await t.rejects(found.bind('b'.repeat(64)), { code: 'ERR_VC_FILE_STORE', expected: POLICY });
    await found.close();
  }
  await store.close();
});

void t.test('a store that could not be bound for good says so, and is bound by the next try', async (t) => {
  for (let at = 0; ; at++) {
    const { disk, store } = await filled(t, {});
    disk.failAt = at;
    const outcome = await store.bind(POLICY).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    const failed = disk.failAt < 0;
    disk.failAt = undefined;
    if (outcome === 'done') {
      for (const survival of SURVIVALS) {
        const folder = freshFolder(t);
        disk.afterCrash(folder, survival);
        const found = await DirectoryStore.open(join(folder, 'store'));
        await t.rejects(found.bind('b'.repeat(64)), { code: 'ERR_VC_FILE_STORE', expected: POLICY }, `bound, ${JSON.stringify(survival)}`);
        await found.close();
      }
    } else {
      t.match(outcome, /^ERR_VC_(FILE_STORE|OUTCOME_UNKNOWN)$/);
      const other = 'b'.repeat(64);
      // What failed is not done; what is unknown is done as far as can be seen.
      if (outcome === 'ERR_VC_OUTCOME_UNKNOWN') await t.rejects(store.bind(other), { code: 'ERR_VC_FILE_STORE', expected: POLICY });
      await store.bind(outcome === 'ERR_VC_OUTCOME_UNKNOWN' ? POLICY : other);
    }
    await store.close();
    if (!failed) break;
  }
});
