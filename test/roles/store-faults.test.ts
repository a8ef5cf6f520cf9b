/** What a client hears when the disk of the manager fails. */
import { join } from 'node:path';
import t from 'tap';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import { TracedDisk } from '../enclave/traced-disk.js';
import { collect, freshFolder, startRoles } from '../support/roles.js';

void t.test('a status when nothing was done, and no answer when it was', async (t) => {
  const root = freshFolder(t);
  const disk = new TracedDisk(root);
  const store = await DirectoryStore.open(join(root, 'store'), {}, disk);
  t.teardown(() => store.close());
  const events: string[] = [];
  const { connect } = await startRoles(t, { manager: { store, log: (level, event) => events.push(`${level} ${event}`) } });
  const client = await connect();
  const contents = async () => String(await collect(await (await connect()).readFile('/input/a')));
  await client.writeFile('/input/a', Buffer.from('old'));
  for (const [failing, how] of [
    ['rename store/files/+input+a', 'writeFile'],
    ['sync store/pending', 'appendFile'],
    ['datasync store/files/+input+a', 'appendFile'],
  ] as const) {
    disk.failing = failing;
    await t.rejects(client[how]('/input/a', Buffer.from('new')), { code: 'ERR_VC_REQUEST_FAILED', got: 'FAILED_GENERIC' }, failing);
    t.equal(await contents(), 'old');
  }
  disk.failing = 'sync store/files';
  await t.rejects(client.writeFile('/input/a', Buffer.from('new')), { code: 'ERR_VC_OUTCOME_UNKNOWN' });
  t.ok(events.includes('warn session failed'), 'the manager says why');
  disk.failing = undefined;
  t.equal(await contents(), 'new', 'it was done, as far as can be seen');
});
