import { mkdirSync, readdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { normaliseName } from '../../lib/enclave/store/file-name.js';
import { DirectoryStore, type DirectoryStoreOptions, type FileStore } from '../../lib/enclave/store/file-store.js';
import '../support/long.js';
import { seeded } from '../support/splits.js';
import { freshFolder, openBelow, put, written } from './store-support.js';

async function opened(t: Test, options: DirectoryStoreOptions = {}) {
  const root = freshFolder(t);
  const store = await DirectoryStore.open(root, { sync: 'none', ...options });
  t.teardown(() => store.close());
  return { root, store };
}

async function listed(store: FileStore, prefix?: string): Promise<Record<string, number>> {
  const files: Record<string, number> = {};
  for await (const { name, length } of store.list(prefix)) {
    if (name in files) throw new Error(`${name} twice`);
    files[name] = length;
  }
  return files;
}

/** A name whose entry on disk is cut; `n` tells several apart at their ends. */
const longName = (n: number | string) => `/long/${'é'.repeat(100)}/${n}`;

void t.test('names and lengths of what is there', async (t) => {
  const { store } = await opened(t);
  t.same(await listed(store), {});
  const names = [
    '/a',
    '/a/b',
    '/a/c d',
    '/ab',
    '/Été',
    '/été',
    '/e\u0301',
    '/-~+%2b',
    '/%',
    '/\u{1f600}',
    'stdin',
    '/stdin',
    longName(1),
    longName(2),
  ];
  for (const [length, name] of names.entries()) await put(store, name, 'x'.repeat(length));
  t.same(await listed(store), Object.fromEntries(names.map((name, length) => [name, length])));
  await put(store, '/a', 'more', 'append');
  await put(store, longName(1), 'more', 'append');
  t.same(await listed(store, '/a'), { '/a': 4, '/a/b': 1, '/a/c d': 2 });
  t.same(await listed(store, longName(1)), { [longName(1)]: 16 });
});

void t.test('a prefix is a name, or the root', async (t) => {
  const { store } = await opened(t);
  for (const name of ['/a', '/a/b', '/a/b/c', '/ab', 'stdin', '/stdin/x']) await put(store, name, '');
  const below = async (prefix?: string) => Object.keys(await listed(store, prefix)).sort();
  for (const prefix of ['/a', 'a', '//a//', '/a/']) t.same(await below(prefix), ['/a', '/a/b', '/a/b/c'], prefix);
  t.same(await below('/a/b'), ['/a/b', '/a/b/c']);
  for (const prefix of ['/', '//'])
    t.same(await below(prefix), ['/a', '/a/b', '/a/b/c', '/ab', '/stdin/x'], 'streams are not below the root');
  t.same(await below(), ['/a', '/a/b', '/a/b/c', '/ab', '/stdin/x', 'stdin']);
  t.same(await below('stdin'), ['stdin']);
  t.same(await below('/stdin'), ['/stdin/x']);
  t.same(await below('/none'), []);
  for (const prefix of ['', '/../a', '/a\0']) t.throws(() => store.list(prefix), { code: 'ERR_VC_FILE_NAME' }, JSON.stringify(prefix));
});

void t.test('long names outlive a restart, and go with their files', async (t) => {
  for (const sync of ['file', 'none'] as const) {
    const root = freshFolder(t);
    const store = await DirectoryStore.open(root, { sync });
    for (const n of [1, 2]) await put(store, longName(n), 'x');
    await put(store, longName(2), 'xyz');
    await put(store, longName(3), 'xy', 'append');
    await store.close();
    const again = await DirectoryStore.open(root, { sync });
    t.same(await listed(again, '/long'), { [longName(1)]: 1, [longName(2)]: 3, [longName(3)]: 2 });
    for (const n of [1, 2, 3]) await again.remove(longName(n));
    t.same(await listed(again), {});
    t.same(readdirSync(join(root, 'names')), []);
    const sink = again.write(longName(4));
    await written(sink, Buffer.from('x'));
    await sink.discard();
    t.same(readdirSync(join(root, 'names')), [], 'a discarded file never had a name');
    await again.close();
  }
});

void t.test('a long name that is lost is told, not passed over', async (t) => {
  const { root, store } = await opened(t);
  await put(store, longName(1), 'x');
  const [entry] = readdirSync(join(root, 'names')) as [string];
  const damages = [() => unlinkSync(join(root, 'names', entry)), () => writeFileSync(join(root, 'names', entry), longName(2))];
  for (const damage of damages) {
    damage();
    await t.rejects(listed(store), { code: 'ERR_VC_FILE_STORE', got: 'ENODATA' });
  }
  await put(store, longName(1), 'xx');
  t.same(await listed(store), { [longName(1)]: 2 }, 'the next write tells it again');
});

void t.test('what is not of the store is left out', async (t) => {
  const { root, store } = await opened(t);
  await put(store, '/a', 'x');
  writeFileSync(join(root, 'files', 'README'), 'not an entry');
  writeFileSync(join(root, 'files', '+%ff'), 'no UTF-8');
  for (const name of ['foo', '+a++b', '+a+', '+..+etc', '+.', '+a%00', '+stdin+..'])
    writeFileSync(join(root, 'files', name), 'no name in its normal form');
  writeFileSync(join(root, 'files', '+%61'), 'an escape that is none of ours');
  symlinkSync('/etc/passwd', join(root, 'files', '+passwd'));
  mkdirSync(join(root, 'files', '+folder'));
  t.same(await listed(store), { '/a': 1 });
});

void t.test('only what is committed is listed', async (t) => {
  const { store } = await opened(t);
  await put(store, '/old', 'old');
  const sinks = [store.write('/new'), store.write('/old'), store.append('/grown')];
  for (const sink of sinks) await written(sink, Buffer.from('longer'));
  const growing = store.append('/old');
  await written(growing, Buffer.from('more'));
  t.same(await listed(store), { '/old': 3 });
  await growing.commit();
  t.same(await listed(store), { '/old': 7 });
  for (const sink of sinks) await sink.discard();
});

void t.test('what comes and goes while a list is read', async (t) => {
  const { store } = await opened(t);
  const names = Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? `/f/${i}` : longName(i)));
  for (const name of names) await put(store, name, 'x');
  const seen = new Map<string, number>();
  let gone: string[] = [];
  for await (const { name, length } of store.list()) {
    if (seen.size === 0) {
      gone = names.filter((other) => other !== name).slice(0, 300);
      for (const one of gone) await store.remove(one);
      await put(store, '/new', 'x');
      for (const one of names) if (one !== name && !gone.includes(one)) await put(store, one, 'xy');
    }
    seen.set(name, length);
  }
  t.equal(seen.size, 300, 'what stayed, each once');
  t.same([...seen.values()].filter((length) => length === 2).length, 299, 'with the length that it has');
  t.notOk(seen.has('/new'));
  for (const one of gone) if (seen.has(one)) t.fail('a file that is gone');
});

void t.test('a list that is left, and a store that is closed', async (t) => {
  const { root, store } = await opened(t);
  for (const name of ['/a', '/b', '/c']) await put(store, name, 'x');
  for await (const _ of store.list()) break;
  t.same(openBelow(root).length, 3, 'nothing but the folders stays open');
  const list = store.list()[Symbol.asyncIterator]();
  await list.next();
  await store.close();
  await t.rejects(list.next(), { code: 'ERR_VC_CLOSED' });
  t.throws(() => store.list(), { code: 'ERR_VC_CLOSED' });
});

void t.test('every name that can be written is listed as itself', async (t) => {
  const { store } = await opened(t);
  const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }).filter((text) => !/[/\0]|^\.\.?$/.test(text));
  const name = fc.array(segment, { minLength: 1, maxLength: 6 }).map((segments) => `/${segments.join('/')}`);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { maxLength: 12 }), async (names) => {
      const usable = names.filter((one) => {
        try {
          return normaliseName(one) === one;
        } catch {
          return false;
        }
      });
      for (const one of usable) await put(store, one, one);
      t.same(await listed(store), Object.fromEntries(usable.map((one) => [one, Buffer.byteLength(one)])));
      for (const one of usable) await store.remove(one);
    }),
    seeded(60),
  );
});
