/** No acknowledged device is lost: the process is killed in the middle of its writing, or the server of the database is. */
import { join } from 'node:path';
import t from 'tap';
import { DeviceRegistry } from '../../lib/attestation/registry/index.js';
import { until } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { noPostgres } from '../support/postgres.js';
import { Child } from '../support/roles.js';
import { closing, device, ENGINES, postgres } from './registry-engines.js';
import '../support/processes.js';

const CHILD = join(PROJECT_ROOT, 'dist', 'test', 'attestation', 'registry-child.js');
/** Acknowledgements before each kill: another point of the log's pages each time. */
const ACKNOWLEDGED = [1, 17, 64, 203];

for (const { name, skip, place } of ENGINES) {
  void t.test(`kill -9 of the process, ${name} database`, { skip }, async (t) => {
    const here = await place();
    const acknowledged: number[] = [];
    for (const count of ACKNOWLEDGED) {
      const child = new Child(t, [CHILD, 'record', JSON.stringify(here)]);
      t.equal(await child.line(), 'open');
      for (let i = 0; i < count; i++) acknowledged.push(Number(await child.line()));
      await child.kill('SIGKILL');
      const registry = closing(t, await DeviceRegistry.open(here));
      const kept = new Set((await registry.listDevices(100_000)).map(({ deviceId }) => deviceId));
      t.same(
        acknowledged.filter((deviceId) => !kept.has(deviceId)),
        [],
        `all of ${acknowledged.length} are there`,
      );
      await registry.recordAttestation(device());
      await registry.close();
    }
  });
}

void t.test('a crash of the database server: an error while it is gone, and no restart of ours after', { skip: noPostgres }, async (t) => {
  const server = await postgres();
  const registry = closing(t, await DeviceRegistry.open({ url: await server.database() }));
  const kept: number[] = [];
  const record = async () => {
    const { deviceId } = await registry.recordAttestation(device());
    kept.push(deviceId);
  };
  await Promise.all(Array.from({ length: 20 }, record));
  const writing = Promise.allSettled(Array.from({ length: 200 }, record));
  await server.crash();
  for (const outcome of await writing) if (outcome.status === 'rejected') t.match(outcome.reason, { code: 'ERR_VC_REGISTRY' });
  await t.rejects(registry.ping(), { code: 'ERR_VC_REGISTRY', message: /refused a statement|cannot be reached/ });
  await t.rejects(record(), { code: 'ERR_VC_REGISTRY' });
  await server.start();
  await until('the registry', () =>
    registry.ping().then(
      () => true,
      () => false,
    ),
  );
  const there = new Set((await registry.listDevices()).map(({ deviceId }) => deviceId));
  t.ok(kept.length >= 20);
  t.same(
    kept.filter((deviceId) => !there.has(deviceId)),
    [],
  );
  await record();
});
