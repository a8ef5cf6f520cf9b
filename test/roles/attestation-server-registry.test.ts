/** What an attestation server keeps, and what it does not: over a restart, beside another server, without its database. */
import t from 'tap';
import { DeviceRegistry, type RegistryPlace } from '../../lib/attestation/registry/index.js';
import { databaseFolder } from '../support/databases.js';
import { within } from '../support/foreign.js';
import { noPostgres, type Postgres, startPostgres } from '../support/postgres.js';
import { Device, http, Pas } from './attestation-server-support.js';

const postgres: Postgres | undefined = noPostgres === false ? await startPostgres(t) : undefined;

const ENGINES: Record<string, { skip: string | false; place: () => Promise<RegistryPlace> }> = {
  embedded: { skip: false, place: async () => ({ folder: await databaseFolder() }) },
  server: { skip: noPostgres, place: async () => ({ url: await (postgres as Postgres).database() }) },
};

for (const [name, { skip, place }] of Object.entries(ENGINES)) {
  void t.test(`a restart loses no device, ${name} database`, { skip }, async (t) => {
    const registry = await place();
    const first = await Pas.start(t, { registry });
    const device = new Device();
    await first.server.registry.enrollKey(device.point);
    await first.server.registry.allowRuntime('linux', device.runtimeHash);
    const attested = await Promise.all(Array.from({ length: 10 }, () => first.attest(device)));
    t.same(
      attested.map(({ answer }) => answer.status),
      Array(10).fill(200),
    );
    const open = await first.start();
    await first.server.close();
    await t.rejects(first.server.registry.ping(), { code: 'ERR_VC_CLOSED' }, 'it had opened the registry, and closes it');

    const second = await Pas.start(t, { registry });
    for (const { deviceId, token } of attested)
      t.equal((await second.verify(deviceId, token, device.point)).status, 200, `device ${deviceId}`);
    t.equal(
      (await second.psa(open.deviceId, device.token(open.challenge), device.csr)).status,
      403,
      'a challenge does not outlive the server',
    );
    t.equal((await second.attest(device)).answer.status, 200, 'keys and runtimes are there too');
    await second.server.close();
  });
}

void t.test('a port that is taken: the registry that was opened for it is closed', async (t) => {
  const holder = await Pas.start(t, { registry: { folder: await databaseFolder() } });
  const path = await databaseFolder();
  await t.rejects(Pas.start(t, { registry: { folder: path }, listen: `tcp://127.0.0.1:${holder.port}` }), { code: 'ERR_VC_TRANSPORT' });
  const free = await DeviceRegistry.open({ folder: path });
  await free.close();
});

void t.test('two servers on one database', { skip: noPostgres }, async (t) => {
  const registry = { url: await (postgres as Postgres).database() };
  const [one, other] = [await Pas.start(t, { registry }), await Pas.start(t, { registry })];
  const device = new Device();
  await one.server.registry.enrollKey(device.point);
  await one.server.registry.allowRuntime('linux', device.runtimeHash);
  const [here, there] = await Promise.all([one.attest(device), other.attest(device)]);
  t.same([here.answer.status, there.answer.status], [200, 200], 'what is allowed at one is allowed at both');
  t.equal((await other.verify(here.deviceId, here.token, device.point)).status, 200, 'whoever attested himself at one is known at both');
  t.equal((await one.verify(there.deviceId, there.token, device.point)).status, 200);
  const { challenge, deviceId } = await one.start();
  t.equal((await other.psa(deviceId, device.token(challenge), device.csr)).status, 403, 'a challenge is answered where it was given');
  t.equal((await one.psa(deviceId, device.token(challenge), device.csr)).status, 200, 'and is not burnt elsewhere');
  await one.server.registry.revokeRuntime(device.runtimeHash);
  t.equal((await other.attest(device)).answer.status, 403);
  const flood = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? one : other).start()));
  t.equal(new Set(flood.map((given) => given.deviceId)).size, 100, 'no device id twice');
  await Promise.all([one.server.close(), other.server.close()]);
});

void t.test('the database is gone: 503 and not 403, then all is well again', { skip: noPostgres }, async (t) => {
  const server = postgres as Postgres;
  const pas = await Pas.start(t, { registry: { url: await server.database() } });
  const device = new Device();
  await pas.server.registry.enrollKey(device.point);
  await pas.server.registry.allowRuntime('linux', device.runtimeHash);
  const { challenge, deviceId } = await pas.start();
  await server.crash();
  const start = await pas.send('/Start', { oneof: 'start_msg', fields: { protocol: 'psa' } });
  const refused = await pas.psa(deviceId, device.token(challenge), device.csr);
  const proxy = await pas.verify(deviceId, device.token(challenge), device.point);
  const health = await http(pas.server.url, { path: '/health', method: 'GET' });
  for (const { status, body } of [start, refused, proxy, health]) {
    t.equal(status, 503);
    t.equal(body.toString(), 'the registry does not answer\n');
  }
  t.match(pas.logs.at(-1), { level: 'error', event: 'request refused', figures: { code: 'ERR_VC_REGISTRY' } });
  t.notMatch(JSON.stringify(pas.logs), server.password);
  await server.start();
  t.equal((await within('a device', pas.attest(device))).answer.status, 200);
  await pas.server.close();
});
