/** A signal that fires before or during the start of a role; and the other ways in which a role ends. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DeviceRegistry } from '../../lib/attestation/registry/index.js';
import { AttestationServer } from '../../lib/roles/attestation-server/server.js';
import { RuntimeManager } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { databaseFolder } from '../support/databases.js';
import { until, within } from '../support/foreign.js';
import { authority, freshFolder, managerIdentity, POLICY, startRoles } from '../support/roles.js';

const ABORTED = { code: 'ERR_VC_ABORTED' };

/** What of a role is looked at here. */
interface Ending {
  readonly closed: Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A role that is aborted before its start, during it, and when it runs; and one that ends with its block. */
async function aborts(t: Test, start: (signal: AbortSignal) => Promise<Ending>): Promise<void> {
  await t.rejects(within('the start', start(AbortSignal.abort())), ABORTED);
  const during = new AbortController();
  const started = start(during.signal);
  during.abort();
  await t.rejects(within('the start', started), ABORTED);
  const later = new AbortController();
  const role = await start(later.signal);
  later.abort();
  await within('the end', role.closed);
  const disposed = await start(new AbortController().signal);
  await within('the end of its block', disposed[Symbol.asyncDispose]());
  await within('the end', disposed.closed);
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

void t.test('a client and a Server end with the block that they are in', async (t) => {
  const { connect, server } = await startRoles(t);
  const client = await connect();
  t.equal(server.sessions, 1);
  await within('the client', client[Symbol.asyncDispose]());
  await until('the Server has no session', () => server.sessions === 0);
  await within('the Server', server[Symbol.asyncDispose]());
  await within('the end', server.closed);
});
