/** A signal that fires before or during the start of a role. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DeviceRegistry } from '../../lib/attestation/registry/index.js';
import { AttestationServer } from '../../lib/roles/attestation-server/server.js';
import { RuntimeManager } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { databaseFolder } from '../support/databases.js';
import { within } from '../support/foreign.js';
import { authority, freshFolder, managerIdentity, POLICY } from '../support/roles.js';

const ABORTED = { code: 'ERR_VC_ABORTED' };

/** A role that is aborted before its start, during it, and when it runs. */
async function aborts(t: Test, start: (signal: AbortSignal) => Promise<{ readonly closed: Promise<unknown> }>): Promise<void> {
  await t.rejects(within('the start', start(AbortSignal.abort())), ABORTED);
  const during = new AbortController();
  const started = start(during.signal);
  during.abort();
  await t.rejects(within('the start', started), ABORTED);
  const later = new AbortController();
  const role = await start(later.signal);
  later.abort();
  await within('the end', role.closed);
}

void t.test('a Runtime Manager', (t) =>
  aborts(t, (signal) =>
    RuntimeManager.start({
      ...managerIdentity(),
      listen: 'tcp://127.0.0.1:0',
      policy: POLICY,
      store: join(freshFolder(t), 'store'),
      signal,
    }),
  ),
);

void t.test('an attestation server', async (t) => {
  const registry = await DeviceRegistry.open({ folder: await databaseFolder() });
  t.teardown(() => registry.close());
  await aborts(t, (signal) => AttestationServer.start({ listen: 'tcp://127.0.0.1:0', authority, registry, signal }));
});
