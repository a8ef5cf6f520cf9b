/** A store belongs to one policy (`FileStore.bind`). */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

function freshRoot(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'vc-binding-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'store');
}

async function open(t: Test, root: string): Promise<DirectoryStore> {
  const store = await DirectoryStore.open(root, { sync: 'none' });
  t.teardown(() => store.close());
  return store;
}

async function write(store: DirectoryStore, name: string): Promise<void> {
  const sink = store.write(name);
  sink.end('x');
  await sink.commit();
}

void t.test('the first policy decides, here and in later processes', async (t) => {
  const root = freshRoot(t);
  for (let life = 0; life < 3; life++) {
    const store = await DirectoryStore.open(root, { sync: life === 0 ? 'file' : 'none' });
    await store.bind(A);
    await store.bind(A);
    await t.rejects(store.bind(B), { code: 'ERR_VC_FILE_STORE', expected: A, got: B });
    await write(store, `/${life}`);
    await store.bind(A);
    await store.close();
    t.equal(readFileSync(join(root, 'policy'), 'latin1'), `${A}\n`);
    t.equal(statSync(join(root, 'policy')).mode & 0o777, 0o600);
    t.same(readdirSync(join(root, 'pending')), []);
  }
});

void t.test('two at once: one of them', async (t) => {
  for (let round = 0; round < 20; round++) {
    const store = await open(t, freshRoot(t));
    const outcomes = await Promise.allSettled([store.bind(A), store.bind(B), store.bind(A), store.bind(B)]);
    t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2);
    t.equal(outcomes[0]?.status, outcomes[2]?.status);
  }
});

void t.test('files of nobody knows which policy come under none', async (t) => {
  const root = freshRoot(t);
  const store = await open(t, root);
  await write(store, '/f');
  await t.rejects(store.bind(A), { code: 'ERR_VC_FILE_STORE', expected: 0, got: 1 });
  await store.remove('/f');
  await store.bind(A);
  await store.close();
  // Without its file the store cannot tell any more whose it was.
  const again = await open(t, root);
  await write(again, '/g');
  unlinkSync(join(root, 'policy'));
  await t.rejects(again.bind(A), { code: 'ERR_VC_FILE_STORE', got: 1 });
});

void t.test('a file that says something else is not believed', async (t) => {
  const spoilt: Record<string, (path: string) => void> = {
    empty: (path) => writeFileSync(path, ''),
    'cut short': (path) => writeFileSync(path, A.slice(1)),
    'without its newline': (path) => writeFileSync(path, A),
    'longer than a hash': (path) => writeFileSync(path, `${A}\n${A}\n`),
    'in capitals': (path) => writeFileSync(path, `${A.toUpperCase()}\n`),
    'a folder': (path) => mkdirSync(path),
    'a link to a good one': (path) => {
      writeFileSync(`${path}.good`, `${A}\n`);
      symlinkSync(`${path}.good`, path);
    },
    'a link to nowhere': (path) => symlinkSync('/no/such/file', path),
  };
  for (const [what, spoil] of Object.entries(spoilt)) {
    const root = freshRoot(t);
    const store = await open(t, root);
    spoil(join(root, 'policy'));
    await t.rejects(store.bind(A), { code: 'ERR_VC_FILE_STORE' }, what);
  }
});

void t.test('a hash that is none, and a store that is closed', async (t) => {
  const store = await open(t, freshRoot(t));
  for (const hash of ['', A.slice(1), `${A}a`, A.toUpperCase(), `${A}\n`]) {
    await t.rejects(store.bind(hash), { code: 'ERR_VC_INVALID_ARGUMENT' });
  }
  await store.close();
  await t.rejects(store.bind(A), { code: 'ERR_VC_CLOSED' });
});
