import { createHash } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t, { type Test } from 'tap';
import { LengthMismatchError } from '../../lib/core/errors.js';
import { DIRECTORY_STORE_DEFAULTS, DirectoryStore, type DirectoryStoreOptions } from '../../lib/enclave/store/file-store.js';
import { freshFolder, get, noise, openBelow, pending, put, written } from './store-support.js';
import '../support/processes.js';

async function opened(t: Test, options: DirectoryStoreOptions = {}) {
  const root = freshFolder(t);
  const store = await DirectoryStore.open(root, { sync: 'none', ...options });
  t.teardown(() => store.close());
  return { root, store };
}

const MISSING = { code: 'ERR_VC_FILE_STORE', got: 'ENOENT', cause: { code: 'ENOENT' } };
const NOT_A_FILE = { code: 'ERR_VC_FILE_STORE', got: 'ENOTSUP' };

void t.test('what is written is read, in every size', async (t) => {
  for (const sync of ['file', 'none'] as const) {
    const { root, store } = await opened(t, { sync });
    for (const bytes of [0, 1, 65_536, 262_143, 262_144, 262_145, 20 * 1024 * 1024 + 7]) {
      const content = noise(bytes);
      await pipeline(Readable.from(slices(content, 100_003)), store.write('/f', bytes));
      t.ok((await get(store, '/f')).equals(content), `${bytes} bytes, sync ${sync}`);
      t.same(await store.stat('/f'), { length: bytes });
    }
    t.same(store.usage, { bytes: 20 * 1024 * 1024 + 7, files: 1 });
    t.same(pending(root), []);
  }
});

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

void t.test('a missing file', async (t) => {
  const { store } = await opened(t);
  await t.rejects(store.read('/none'), MISSING);
  await t.rejects(store.stat('/none'), MISSING);
  await t.rejects(store.remove('/none'), MISSING);
  await put(store, '/none', 'made', 'append');
  t.equal(String(await get(store, '/none')), 'made', 'an append makes it');
  await store.remove('/none');
  await t.rejects(store.read('/none'), MISSING);
  t.same(store.usage, { bytes: 0, files: 0 });
});

void t.test('only a finished sink is seen', async (t) => {
  const { root, store } = await opened(t);
  for (const how of ['write', 'append'] as const) {
    await put(store, '/f', 'old');
    const expected = { write: 'new', append: 'oldnew' }[how];
    const sink = store[how]('/f');
    await written(sink, Buffer.from('new'));
    t.equal(String(await get(store, '/f')), 'old', `${how}: the old content while it lasts`);
    t.same(await store.stat('/f'), { length: 3 });
    t.equal(pending(root).length, 1);
    await sink.commit();
    t.equal(String(await get(store, '/f')), expected);
    t.equal(sink.bytesWritten, 3);
    await sink.discard();
    t.equal(String(await get(store, '/f')), expected, 'a discard after the commit is too late');
    t.same(store.usage, { bytes: expected.length, files: 1 });
    t.same(pending(root), []);
  }
});

void t.test('an interrupted sink leaves the old file and nothing else', async (t) => {
  const { root, store } = await opened(t);
  await put(store, '/f', 'old');
  for (const how of ['write', 'append'] as const) {
    for (const name of ['/f', '/new']) {
      const source = Readable.from(
        (function* () {
          yield noise(3_000_000);
          throw new Error('the client went away');
        })(),
      );
      const interrupted = store[how](name);
      await t.rejects(pipeline(source, interrupted), { message: 'the client went away' }, `${how} ${name}`);
      await interrupted.discard();
      const sink = store[how](name);
      await written(sink, noise(100));
      await sink.discard();
      const unused = store[how](name);
      await unused.discard();
      await t.rejects(unused.commit(), { code: 'ERR_VC_CLOSED' });
      t.equal(String(await get(store, '/f')), 'old');
      await t.rejects(store.stat('/new'), MISSING);
      t.same(pending(root), []);
      t.same(store.usage, { bytes: 3, files: 1 });
    }
  }
});

void t.test('destroyed between its last byte and its commit', async (t) => {
  const { root, store } = await opened(t);
  await put(store, '/f', 'old');
  for (const how of ['write', 'append'] as const) {
    const sink = store[how]('/f', undefined, { beforeCommit: () => void sink.destroy() });
    await t.rejects(pipeline(Readable.from([Buffer.from('new')]), sink), { code: 'ERR_VC_CLOSED' }, 'no finish, no false success');
    await sink.discard();
    t.equal(String(await get(store, '/f')), 'old');
    t.same(pending(root), []);
  }
});

void t.test('a source that gives more or less than announced', async (t) => {
  const { root, store } = await opened(t);
  await put(store, '/f', 'old');
  for (const how of ['write', 'append'] as const) {
    for (const [length, given] of [
      [5, 4],
      [5, 6],
      [0, 1],
      [1, 0],
    ] as const) {
      const sent = pipeline(Readable.from([Buffer.alloc(given)]), store[how]('/f', length));
      await t.rejects(sent, { code: 'ERR_VC_LENGTH_MISMATCH', layer: 'file-store', expected: length, got: given });
    }
    t.equal(String(await get(store, '/f')), 'old');
    t.same(pending(root), []);
    t.same(store.usage, { bytes: 3, files: 1 });
  }
});

void t.test('the hash on the way, and the last word before the commit', async (t) => {
  const { store } = await opened(t);
  const content = noise(300_000);
  const sha256 = createHash('sha256').update(content).digest();
  const sink = store.write('/f', content.length, { hash: true });
  await pipeline(Readable.from(slices(content, 7777)), sink);
  t.same(sink.digest, sha256);

  const refusing = store.write('/f', undefined, {
    hash: true,
    beforeCommit: ({ length, digest }) => {
      t.equal(length, 1);
      t.same(digest, createHash('sha256').update('x').digest());
      throw new LengthMismatchError('not this one');
    },
  });
  refusing.end('x');
  await t.rejects(refusing.commit(), { message: 'not this one' });
  t.equal(refusing.digest, undefined);
  t.ok((await get(store, '/f')).equals(content), 'the old content stays');
  const plain = store.write('/g');
  plain.end();
  await plain.commit();
  t.equal(plain.digest, undefined, 'no hash unless asked for');
});

void t.test('concurrent writers: the last to commit wins, whole', async (t) => {
  const { root, store } = await opened(t);
  const sinks = ['a', 'b', 'c'].map((letter) => ({ letter, sink: store.write('/f') }));
  for (let round = 0; round < 5; round++) {
    for (const { letter, sink } of sinks) await written(sink, Buffer.alloc(1000, letter));
  }
  for (const { letter, sink } of [sinks[1], sinks[0], sinks[2]] as typeof sinks) {
    await sink.commit();
    t.equal(String(await get(store, '/f')), letter.repeat(5000));
  }
  await Promise.all(Array.from({ length: 20 }, (_, i) => put(store, '/f', Buffer.alloc(1000 + i, i))));
  const last = await get(store, '/f');
  t.equal(last.length, 1000 + (last[0] as number), 'one of those that committed together');
  t.same(store.usage, { bytes: last.length, files: 1 });
  t.same(pending(root), []);
});

void t.test('appends to one file take turns, appends to others do not wait', async (t) => {
  const { root, store } = await opened(t);
  const first = store.append('/f');
  await written(first, Buffer.from('1'));
  const second = store.append('/f');
  let secondWrote = false;
  const wrote = written(second, Buffer.from('2')).then(() => {
    secondWrote = true;
  });
  const abandoned = store.append('/f');
  abandoned.write('never');
  const third = store.append('/f');
  third.end('3');
  await put(store, '/other', 'x', 'append');
  t.equal(secondWrote, false, 'the second waits');
  await abandoned.discard();
  await first.commit();
  await wrote;
  t.equal(String(await get(store, '/f')), '1');
  await second.discard();
  await third.commit();
  t.equal(String(await get(store, '/f')), '13', 'the turn goes on past those that gave up');
  await Promise.all(Array.from({ length: 20 }, () => put(store, '/f', 'xyz', 'append')));
  t.equal(String(await get(store, '/f')), `13${'xyz'.repeat(20)}`);
  t.same(pending(root), []);
});

void t.test('a write or removal that overtakes an append', async (t) => {
  const { root, store } = await opened(t);
  for (const existing of [true, false]) {
    for (const end of ['commit', 'discard'] as const) {
      if (existing) await put(store, '/f', 'old');
      const append = store.append('/f');
      await written(append, Buffer.from('tail'));
      await put(store, '/f', 'replaced');
      await append[end]();
      t.equal(String(await get(store, '/f')), 'replaced', 'the append counts as having come first');
      t.same(store.usage, { bytes: 8, files: 1 });
      const second = store.append('/f');
      await written(second, Buffer.from('tail'));
      await store.remove('/f');
      await second[end]();
      await t.rejects(store.stat('/f'), MISSING);
      t.same(store.usage, { bytes: 0, files: 0 });
      t.same(pending(root), []);
    }
  }
});

void t.test('a reader keeps the file as it was when it was opened', async (t) => {
  const { root, store } = await opened(t, { readChunkBytes: 1024 });
  const content = noise(50_000);
  await put(store, '/f', content);
  const change: Array<() => Promise<void>> = [
    () => put(store, '/f', noise(60_000)),
    () => put(store, '/f', noise(60_000), 'append'),
    () => store.remove('/f'),
  ];
  for (const disturb of change) {
    await put(store, '/f', content);
    const { length, stream } = await store.read('/f');
    const chunks: Buffer[] = [];
    for await (const chunk of stream) {
      if (chunks.length === 3) await disturb();
      chunks.push(chunk as Buffer);
    }
    t.equal(length, content.length);
    t.ok(Buffer.concat(chunks).equals(content));
  }
  await put(store, '/f', content);
  const append = store.append('/f');
  await written(append, noise(1000));
  const during = await store.read('/f');
  t.equal(during.length, content.length, 'opened during an append');
  await append.commit();
  t.ok(Buffer.concat(await during.stream.toArray()).equals(content));
  t.same(
    openBelow(root),
    ['files', 'names', 'pending'].map((folder) => join(root, folder)),
    'only the three folders stay open',
  );
});

void t.test('a file that somebody cut is no end', async (t) => {
  const { root, store } = await opened(t, { readChunkBytes: 1024 });
  await put(store, '/f', noise(10_000));
  const { stream } = await store.read('/f');
  truncateSync(join(root, 'files', '+f'), 5000);
  await t.rejects(stream.toArray(), { code: 'ERR_VC_FILE_STORE', expected: 10_000, got: 5000 });
});

void t.test('no file descriptor stays open', async (t) => {
  const { root, store } = await opened(t);
  const before = openBelow(root).length;
  await put(store, '/f', noise(100_000));
  for (let i = 0; i < 20; i++) {
    const { stream } = await store.read('/f');
    stream.destroy();
    await new Promise((resolve) => stream.once('close', resolve));
    await put(store, `/f${i}`, 'x');
    await store.append('/f').discard();
    await store.write('/f').discard();
    await t.rejects(store.read('/none'));
    await t.rejects(put(store, `/f${i}/..`, ''));
  }
  t.equal(openBelow(root).length, before);
  const held = [await store.read('/f'), await store.read('/f')];
  const sinks = [store.write('/f'), store.append('/f'), store.append('/f')];
  for (const { stream } of held) stream.pause();
  await store.close();
  t.same(openBelow(root), [], 'closing the store closes all');
  t.same(pending(root), []);
  for (const { stream } of held) t.match(stream.errored, { code: 'ERR_VC_CLOSED' });
  for (const sink of sinks) await t.rejects(sink.commit(), { code: 'ERR_VC_CLOSED' });
  await store.close();
  t.throws(() => store.write('/f'), { code: 'ERR_VC_CLOSED' });
  t.throws(() => store.append('/f'), { code: 'ERR_VC_CLOSED' });
  for (const refused of [store.read('/f'), store.stat('/f'), store.remove('/f')] as Promise<void>[]) {
    await t.rejects(refused, { code: 'ERR_VC_CLOSED' });
  }
});

void t.test('limits: at them and one over', async (t) => {
  const { root, store } = await opened(t, { maxStoreBytes: 100, maxFiles: 2, maxFileNameBytes: 10 });
  const overBytes = { code: 'ERR_VC_LIMIT', layer: 'file-store', got: 101, limit: 100 };
  t.throws(() => store.write('/f', 101), overBytes, 'announced');
  t.throws(() => store.append('/f', 101), overBytes);
  t.same(pending(root), [], 'before anything is kept');
  await put(store, '/f', Buffer.alloc(100));
  t.throws(() => store.append('/f', 1), overBytes);
  await t.rejects(put(store, '/f', 'x', 'append'), overBytes, 'unannounced');
  await store.remove('/f');
  await put(store, '/f', Buffer.alloc(50));
  await t.rejects(put(store, '/f', Buffer.alloc(51)), overBytes, 'the old content counts until it is replaced');
  t.throws(() => store.write('/f', 51), overBytes, 'announced, too');
  const first = store.write('/g', 50);
  const other = store.write('/f', 50);
  await written(first, Buffer.alloc(1));
  await t.rejects(put(store, '/f', Buffer.alloc(50)), overBytes, 'what has come counts');
  await written(other, Buffer.alloc(49));
  first.write(Buffer.alloc(49));
  await t.rejects(first.commit(), { code: 'ERR_VC_LIMIT', got: 149, limit: 100 }, 'who was first to announce has no right to the room');
  await first.discard();
  await other.discard();
  t.same(store.usage, { bytes: 50, files: 1 });

  const overFiles = { code: 'ERR_VC_LIMIT', got: 3, limit: 2 };
  await put(store, '/g', 'g');
  await t.rejects(put(store, '/h', 'h'), overFiles);
  await t.rejects(put(store, '/h', 'h', 'append'), overFiles);
  await put(store, '/g', 'gg');
  await put(store, '/g', 'g', 'append');
  const second = store.write('/g');
  await written(second, Buffer.from('g'));
  await store.remove('/g');
  await put(store, '/h', 'h');
  await t.rejects(second.commit(), overFiles, 'the file it meant to replace went, another came');
  t.same(store.usage, { bytes: 51, files: 2 });
  t.same(pending(root), []);
  t.throws(() => store.write('/123456789a'), { code: 'ERR_VC_FILE_NAME', got: 11, limit: 10 });

  await store.close();
  const again = await DirectoryStore.open(root, { sync: 'none', maxStoreBytes: 51, maxFiles: 2 });
  t.same(again.usage, { bytes: 51, files: 2 }, 'what is there is counted');
  t.throws(() => again.append('/h', 1), { code: 'ERR_VC_LIMIT', got: 52, limit: 51 });
  await again.close();
});

void t.test('what the caller may not hand over', async (t) => {
  const { store } = await opened(t);
  for (const length of [-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
    t.throws(() => store.write('/f', length), { code: 'ERR_VC_INVALID_ARGUMENT' });
  }
  for (const name of ['', '/', '/../f', '/a/./b', '/a\0b', `/${'n'.repeat(256)}`, '/a\ud800']) {
    t.throws(() => store.write(name), { code: 'ERR_VC_FILE_NAME' });
    t.throws(() => store.append(name), { code: 'ERR_VC_FILE_NAME' });
    await t.rejects(store.read(name), { code: 'ERR_VC_FILE_NAME' });
    await t.rejects(store.stat(name), { code: 'ERR_VC_FILE_NAME' });
    await t.rejects(store.remove(name), { code: 'ERR_VC_FILE_NAME' });
  }
  const bad: object[] = [{ maxStoreBytes: -1 }, { maxFiles: 1.5 }, { maxFileNameBytes: 4097 }, { readChunkBytes: 0 }, { sync: 'always' }];
  for (const options of bad) await t.rejects(DirectoryStore.open('/nowhere', options), { code: 'ERR_VC_INVALID_OPTION' });
  const defaults: object = { maxStoreBytes: undefined, maxFiles: undefined, sync: undefined };
  await (await DirectoryStore.open(freshFolder(t), defaults)).close();
  await t.rejects(DirectoryStore.open(''), { code: 'ERR_VC_INVALID_OPTION' });
  t.ok(Object.isFrozen(DIRECTORY_STORE_DEFAULTS));
});

void t.test('names that meet nowhere', async (t) => {
  const { root, store } = await opened(t);
  const long = Array.from({ length: 16 }, () => 'n'.repeat(255))
    .join('/')
    .slice(0, 4094);
  const names = [
    '/a',
    '/a/b',
    '/A',
    '/a+b',
    '/a%2bb',
    '/a%b',
    '/a~b',
    'stdin',
    '/stdin',
    '/caf\u00e9',
    '/cafe\u0301',
    '/.lock',
    '/\u{1f600}',
    '/\r\n',
    '/ ',
  ];
  names.push(`/${long}x`, `/${long}y`, `/${long.slice(0, 199)}`, `/${long.slice(0, 200)}`);
  for (const [i, name] of names.entries()) await put(store, name, `content ${i}`);
  for (const [i, name] of names.entries()) t.equal(String(await get(store, name)), `content ${i}`);
  const entries = readdirSync(join(root, 'files'));
  t.equal(
    new Set(entries.map((entry) => entry.normalize().toLowerCase())).size,
    names.length,
    'also where case and Unicode forms are folded',
  );
  for (const entry of entries) t.match(entry, /^[+s][+a-z0-9._%~-]{0,199}$/);
  t.equal(String(await get(store, 'a//b/')), 'content 1', 'the store normalises');
});

void t.test('what is no regular file is refused and never followed', async (t) => {
  const { root, store } = await opened(t);
  const outside = join(freshFolder(t), 'secret');
  writeFileSync(outside, 'secret');
  const place = (entry: string) => join(root, 'files', entry);
  symlinkSync(outside, place('+link'));
  symlinkSync('/nonexistent', place('+dangling'));
  mkdirSync(place('+folder'));
  const { execFileSync } = await import('node:child_process');
  execFileSync('mkfifo', [place('+pipe')]);
  for (const name of ['/link', '/dangling', '/folder', '/pipe']) {
    await t.rejects(store.read(name), NOT_A_FILE, `read ${name}`);
    await t.rejects(store.stat(name), NOT_A_FILE, `stat ${name}`);
    await t.rejects(put(store, name, 'x'), NOT_A_FILE, `write ${name}`);
    await t.rejects(put(store, name, 'x', 'append'), NOT_A_FILE, `append ${name}`);
    await t.rejects(store.remove(name), NOT_A_FILE, `remove ${name}`);
  }
  const late = store.write('/late');
  await written(late, Buffer.from('x'));
  symlinkSync(outside, place('+late'));
  await t.rejects(late.commit(), NOT_A_FILE, 'put there while it was written');
  t.ok(lstatSync(place('+late')).isSymbolicLink());

  await put(store, '/hard', 'x');
  linkSync(place('+hard'), join(root, 'snapshot'));
  await t.rejects(put(store, '/hard', 'y', 'append'), { code: 'ERR_VC_FILE_STORE', got: 'EMLINK' }, 'a snapshot must not change');
  await put(store, '/hard', 'y');
  t.equal(readFileSync(join(root, 'snapshot'), 'utf8'), 'x');
  t.equal(readFileSync(outside, 'utf8'), 'secret');
  t.same(pending(root), []);
});

void t.test('the folder', async (t) => {
  const parent = freshFolder(t);
  const root = join(parent, 'deep', 'store');
  const store = await DirectoryStore.open(root);
  for (const folder of [root, join(root, 'files'), join(root, 'pending')]) t.equal(lstatSync(folder).mode & 0o777, 0o700);
  await put(store, '/f', 'x');
  t.equal(lstatSync(join(root, 'files', '+f')).mode & 0o777, 0o600);
  await store.close();
  t.same(readdirSync(root), ['files', 'names', 'pending']);

  const linked = join(parent, 'linked');
  mkdirSync(linked);
  symlinkSync(join(root, 'files'), join(linked, 'files'));
  await t.rejects(DirectoryStore.open(linked), { code: 'ERR_VC_FILE_STORE' }, 'its folders may not be links');
  t.same(readdirSync(linked), ['files'], 'and no lock stays');
  writeFileSync(join(parent, 'plain'), '');
  await t.rejects(DirectoryStore.open(join(parent, 'plain')), {
    code: 'ERR_VC_FILE_STORE',
    message: /^cannot open the store .*\/plain: EEXIST$/,
    got: 'EEXIST',
  });
});
