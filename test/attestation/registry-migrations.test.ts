/** The schema: from nothing, from every older version, by several at once; and what must not be touched. */
import t from 'tap';
import { openEmbedded } from '../../lib/attestation/registry/embedded.js';
import { DeviceRegistry, type RegistryPlace } from '../../lib/attestation/registry/index.js';
import { migrate, SCHEMA_VERSION } from '../../lib/attestation/registry/migrations.js';
import { openPostgres } from '../../lib/attestation/registry/postgres.js';
import { noPostgres } from '../support/postgres.js';
import { closing, device, ENGINES, HASH, raw, SERVER } from './registry-engines.js';

const REGISTRY = { code: 'ERR_VC_REGISTRY' };
const open = ({ folder, url }: RegistryPlace) => (url === undefined ? openEmbedded(folder) : openPostgres(url, 10_000));

/** Tables and columns, with their types and defaults. */
const SHAPE = `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
  WHERE table_schema = 'public' ORDER BY table_name, column_name`;

for (const { name, skip, place } of ENGINES) {
  void t.test(`${name} database`, { skip }, async (t) => {
    const empty = await place();
    await (await DeviceRegistry.open(empty)).close();
    const shape = await raw(empty, SHAPE);
    t.ok(shape.length > 20);
    t.same(
      (await raw<{ version: number }>(empty, 'SELECT version FROM veracruz_migrations ORDER BY version')).map(({ version }) => version),
      Array.from({ length: SCHEMA_VERSION }, (_, i) => i + 1),
      'each step once, in order',
    );

    await t.test('from version 1, with what is in it', async (t) => {
      const old = await place();
      const database = await open(old);
      await migrate(database, 1);
      await database.query(
        `INSERT INTO devices (device_id, pubkey_hash, enclave_name, runtime_hash, platform) VALUES (7, $1, 'old', $1, 'linux')`,
        [HASH],
      );
      await database.query(`INSERT INTO runtime_hashes (platform, hash, label) VALUES ('linux', $1, 'old')`, [HASH]);
      await t.rejects(database.query('SELECT firmware_version FROM devices'), REGISTRY, 'it is an old one');
      await database.close();
      const registry = closing(t, await DeviceRegistry.open(old));
      t.match(await registry.findDevice(7), { deviceId: 7, pubkeyHash: HASH, enclaveName: 'old', firmwareVersion: '' });
      t.equal(await registry.isAllowed(HASH), true);
      await registry.recordAttestation(device({ firmwareVersion: '0.3.0' }));
      await registry.close();
      t.same(await raw(old, SHAPE), shape, 'the schema is that of a new one');
    });

    await t.test('a database of a newer version is left alone', async (t) => {
      await raw(empty, `INSERT INTO veracruz_migrations (version, name) VALUES (${SCHEMA_VERSION + 1}, 'of the future')`);
      await t.rejects(DeviceRegistry.open(empty), { ...REGISTRY, expected: SCHEMA_VERSION, got: SCHEMA_VERSION + 1 });
      t.same(await raw(empty, SHAPE), shape);
      await raw(empty, `DELETE FROM veracruz_migrations WHERE version > ${SCHEMA_VERSION}`);
      await (await DeviceRegistry.open(empty)).close();
    });

    await t.test('a step that fails: nothing of any is left', async (t) => {
      const foreign = await place();
      const database = await open(foreign);
      await database.query('CREATE TABLE runtime_hashes (mine integer)');
      await t.rejects(migrate(database), REGISTRY);
      t.same(await database.query(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`), [
        { table_name: 'runtime_hashes' },
      ]);
      await database.close();
    });

    await t.test('a transaction that fails leaves nothing', async (t) => {
      const database = await open(empty);
      t.teardown(() => database.close());
      const insert = `INSERT INTO runtime_hashes (platform, hash, label) VALUES ('linux', $1, '')`;
      const failing = database.transaction(async (query) => {
        await query(insert, ['0a'.repeat(32)]);
        await query(insert, ['none']);
      });
      await t.rejects(failing, { ...REGISTRY, got: '23514' }, 'with its SQLSTATE');
      t.same(await database.query('SELECT * FROM runtime_hashes'), []);
      await database.transaction((query) => query(insert, ['0a'.repeat(32)]));
      t.equal((await database.query('SELECT * FROM runtime_hashes')).length, 1);
    });
  });
}

void t.test('several processes that open one empty database at once', { skip: noPostgres }, async (t) => {
  const here = await SERVER.place();
  const opened = await Promise.all(Array.from({ length: 5 }, () => DeviceRegistry.open(here)));
  for (const registry of opened) closing(t, registry);
  await Promise.all(opened.map((registry) => registry.recordAttestation(device())));
  t.equal((await opened[0]?.listDevices())?.length, 5);
});
