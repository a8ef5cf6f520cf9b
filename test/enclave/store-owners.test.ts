/** A limit by owner: whose bytes are whose, and what a restart makes of it. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { machineDisk, type StoreDisk } from '../../lib/enclave/store/store-disk.js';
import { freshFolder, written } from './store-support.js';

type How = 'write' | 'append';

/** Puts bytes of an owner into a file. */
async function put(store: DirectoryStore, how: How, owner: string | undefined, name: string, bytes: number): Promise<void> {
  const sink = store[how](name, undefined, owner === undefined ? {} : { owner });
  sink.end(Buffer.alloc(bytes));
  await sink.commit();
}

const open = (root: string, maxOwnerBytes?: number) =>
  DirectoryStore.open(root, { sync: 'none', ...(maxOwnerBytes !== undefined && { maxOwnerBytes }) });
const full = { code: 'ERR_VC_LIMIT', layer: 'file-store', limit: 100 };

void t.test('a write makes a file its writer’s, an append adds to who appends, a removal gives back', async (t) => {
  const store = await open(freshFolder(t), 100);
  t.teardown(() => store.close());
  await put(store, 'write', 'a', '/f', 100);
  await t.rejects(put(store, 'write', 'a', '/g', 1), full);
  t.throws(() => store.write('/g', 1, { owner: 'a' }), full, 'announced');
  t.throws(() => store.append('/f', 1, { owner: 'a' }), full);
  await put(store, 'append', 'b', '/f', 60);
  await t.rejects(put(store, 'append', 'b', '/new', 41), full, 'what he appended counts');
  await put(store, 'append', 'b', '/new', 40);
  await put(store, 'write', undefined, '/nobody', 1000);
  await put(store, 'write', 'c', '/f', 10);
  await put(store, 'write', 'a', '/g', 100);
  await put(store, 'write', 'b', '/h', 60);
  await store.remove('/new');
  await put(store, 'write', 'b', '/i', 40);
  await t.rejects(put(store, 'append', 'b', '/i', 1), full);
  await store.remove('/f');
  await put(store, 'write', 'c', '/c', 100);
});

void t.test('what is being written counts, and what was discarded does not', async (t) => {
  const store = await open(freshFolder(t), 100);
  t.teardown(() => store.close());
  const sink = store.write('/f', undefined, { owner: 'a' });
  await written(sink, Buffer.alloc(80));
  await t.rejects(put(store, 'write', 'a', '/g', 21), full);
  await sink.discard();
  await put(store, 'write', 'a', '/g', 100);
  await t.rejects(put(store, 'write', 'a', '/g', 1), full, 'the old content counts until it is replaced');
  await store.remove('/g');
  await put(store, 'write', 'a', '/g', 1);
});

void t.test('after a restart it is as before; a record that cannot be right is none', async (t) => {
  const root = freshFolder(t);
  const first = await open(root, 100);
  for (const name of ['good', 'torn', 'more', 'none']) await put(first, 'write', name, `/${name}`, 90);
  await put(first, 'append', 'other', '/good', 5);
  await first.close();
  const record = (name: string) => join(root, 'owners', `+${name}`);
  t.equal(readFileSync(record('good'), 'utf8'), 'good 90\nother 5\n');
  writeFileSync(record('torn'), 'torn 9');
  writeFileSync(record('more'), 'more 91\n');
  writeFileSync(record('none'), '');
  writeFileSync(record('strange'), 'good 10\n');

  const again = await open(root, 100);
  await t.rejects(put(again, 'write', 'good', '/g', 11), full);
  await put(again, 'write', 'good', '/g', 10);
  await t.rejects(put(again, 'write', 'other', '/g2', 96), full);
  for (const name of ['torn', 'more', 'none']) await put(again, 'write', name, `/2${name}`, 100);
  t.same(readdirSync(join(root, 'owners')).sort(), ['+2more', '+2none', '+2torn', '+g', '+good']);
  await again.close();

  await (await open(root)).close();
  t.notOk(existsSync(join(root, 'owners')), 'without the limit nothing is kept');
  const last = await open(root, 100);
  t.teardown(() => last.close());
  await put(last, 'write', 'good', '/all', 100);
});

void t.test('a process that is killed between a write and its record leaves nobody charged for what another wrote', async (t) => {
  const [root, found] = [freshFolder(t), join(freshFolder(t), 'found')];
  let killed = false;
  const dying: StoreDisk = {
    ...machineDisk,
    rename: async (from, to) => {
      await machineDisk.rename(from, to);
      if (killed) cpSync(root, found, { recursive: true, filter: (path) => !basename(path).startsWith('lock') });
    },
  };
  const store = await DirectoryStore.open(root, { sync: 'none', maxOwnerBytes: 100 }, dying);
  await put(store, 'write', 'a', '/f', 90);
  killed = true;
  await put(store, 'write', 'b', '/f', 95);
  await store.close();
  const again = await open(found, 100);
  t.teardown(() => again.close());
  t.equal((await again.stat('/f')).length, 95);
  await put(again, 'write', 'a', '/g', 100);
});

void t.test('a write that fails leaves the old file to its owner', async (t) => {
  const root = freshFolder(t);
  let broken = false;
  const disk: StoreDisk = {
    ...machineDisk,
    rename: (from, to) => (broken ? Promise.reject(Object.assign(new Error('broken'), { code: 'EIO' })) : machineDisk.rename(from, to)),
  };
  const store = await DirectoryStore.open(root, { sync: 'none', maxOwnerBytes: 100 }, disk);
  await put(store, 'write', 'a', '/f', 90);
  broken = true;
  await t.rejects(put(store, 'write', 'b', '/f', 95), { code: 'ERR_VC_FILE_STORE', got: 'EIO' });
  await store.close();
  const again = await open(root, 100);
  t.teardown(() => again.close());
  await t.rejects(put(again, 'write', 'a', '/g', 11), full);
});

void t.test('what the caller may not hand over', async (t) => {
  const root = freshFolder(t);
  for (const limit of [-1, 0.5, 2 ** 53]) await t.rejects(open(root, limit), { code: 'ERR_VC_INVALID_OPTION' });
  const store = await open(root, 0);
  t.teardown(() => store.close());
  for (const owner of ['', 'a b', 'a\n', 'x'.repeat(65), '../x']) {
    t.throws(() => store.write('/f', 0, { owner }), { code: 'ERR_VC_INVALID_ARGUMENT' }, JSON.stringify(owner));
  }
});
