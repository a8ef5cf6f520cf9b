/** What of a program's files is kept when the disk fails in between. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { writeBack } from '../../lib/enclave/compute/write-back.js';
import { createPolicy, readPolicy } from '../../lib/enclave/policy/index.js';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { freshFolder, get, put } from './store-support.js';
import { TracedDisk } from './traced-disk.js';

const policy = readPolicy(
  createPolicy({
    identities: [{ certificate: makeIdentity({ commonName: 'alice' }).certificate, capabilities: `/:${2 ** 30 - 1}` }],
    serverUrl: '127.0.0.1:3011',
    attestationUrl: '127.0.0.1:3010',
    authority: makeAuthority().certificate,
    certificateExpiry: new Date(Date.UTC(2040, 0)),
  }),
);

/** A run that has written `/a` and `/b` and removed `/c`, on a disk where the calls that end so fail. */
async function keep(t: Test, failing: string | undefined): Promise<{ outcome: string; found: string }> {
  const root = freshFolder(t);
  const path = join(root, 'written');
  writeFileSync(path, 'new');
  const disk = new TracedDisk(root);
  const store = await DirectoryStore.open(join(root, 'store'), {}, disk);
  t.teardown(() => store.close());
  for (const name of ['/a', '/b', '/c']) await put(store, name, 'old');
  disk.failing = failing;
  const { signal } = new AbortController();
  const computation = { program: '/p', principal: { kind: 'identity', id: 0 }, policy, store, signal } as const;
  const written = ['/a', '/b'].map((name) => ({ name, path, length: 3 }));
  const outcome = await writeBack({ written, removed: ['/c'] }, computation, signal).then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
  disk.failing = undefined;
  const contents = (name: string) => get(store, name).catch(() => '-');
  return { outcome, found: (await Promise.all(['/a', '/b', '/c'].map(contents))).join() };
}

void t.test('all, or nothing and an error, or some of it and an error that says so', async (t) => {
  t.same(await keep(t, undefined), { outcome: 'done', found: 'new,new,-' });
  t.same(await keep(t, 'rename store/files/+b'), { outcome: 'ERR_VC_OUTCOME_UNKNOWN', found: 'new,old,old' });
  t.same(await keep(t, 'unlink store/files/+c'), { outcome: 'ERR_VC_OUTCOME_UNKNOWN', found: 'new,new,old' });
  t.same(await keep(t, 'sync store/files'), { outcome: 'ERR_VC_OUTCOME_UNKNOWN', found: 'new,new,old' });
  const { outcome, found } = await keep(t, 'store/files/+a');
  t.same([outcome, found], ['ERR_VC_OUTCOME_UNKNOWN', 'old,new,old']);
});
