import { RegistryError } from '../../core/errors.js';
import type { Database } from './database.js';

/** One step of the schema. A released step is never changed; a mistake in it is corrected by a later step. */
interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
}

/**
 * The columns `device_id`, `pubkey_hash` and `enclave_name` of `devices` are those of the original (wire spec §F), so that
 * programs which read the original's database can also read this one. `runtime_hashes` replaces the original's table
 * `firmware_versions`.
 */
const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'devices, keys and runtimes',
    statements: [
      `CREATE TABLE devices (
         id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         device_id    integer NOT NULL UNIQUE CHECK (device_id > 0),
         pubkey_hash  text NOT NULL CHECK (pubkey_hash ~ '^([0-9a-f]{64})?$'),
         enclave_name text NOT NULL,
         runtime_hash text NOT NULL CHECK (runtime_hash ~ '^[0-9a-f]{64}$'),
         platform     text NOT NULL,
         attested_at  timestamptz NOT NULL DEFAULT now()
       )`,
      `CREATE TABLE device_keys (
         key_id      text PRIMARY KEY CHECK (key_id ~ '^[0-9a-f]{64}$'),
         point       text NOT NULL CHECK (point ~ '^04[0-9a-f]{128}$'),
         label       text NOT NULL,
         enrolled_at timestamptz NOT NULL DEFAULT now(),
         revoked_at  timestamptz
       )`,
      `CREATE TABLE runtime_hashes (
         platform   text NOT NULL,
         hash       text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
         label      text NOT NULL,
         allowed_at timestamptz NOT NULL DEFAULT now(),
         revoked_at timestamptz,
         PRIMARY KEY (platform, hash)
       )`,
    ],
  },
  {
    version: 2,
    name: 'what the device said of its firmware',
    statements: [
      `ALTER TABLE devices ADD COLUMN firmware_version text NOT NULL DEFAULT ''`,
      `CREATE INDEX devices_attested_at ON devices (attested_at)`,
    ],
  },
];

/** The schema version that this code reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** An arbitrary lock number, only for migrations. With it, two processes migrate one database one after the other. */
const ADVISORY_LOCK = 0x7663_7061;

/**
 * Brings the schema to `version`. All missing steps are applied in one transaction.
 * @throws RegistryError when the database was made by a newer version
 */
export async function migrate(database: Database, version = SCHEMA_VERSION): Promise<void> {
  await database.transaction(async (query) => {
    await query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
    await query(`CREATE TABLE IF NOT EXISTS veracruz_migrations (
      version    integer PRIMARY KEY,
      name       text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
    const [{ at } = { at: 0 }] = await query<{ at: number }>('SELECT coalesce(max(version), 0)::int4 AS at FROM veracruz_migrations');
    if (at > SCHEMA_VERSION) {
      throw new RegistryError(`the registry has schema ${at}, made by a newer version; this one knows ${SCHEMA_VERSION}`, {
        layer: 'registry',
        expected: SCHEMA_VERSION,
        got: at,
      });
    }
    for (const migration of MIGRATIONS) {
      if (migration.version <= at || migration.version > version) continue;
      for (const statement of migration.statements) await query(statement);
      await query('INSERT INTO veracruz_migrations (version, name) VALUES ($1, $2)', [migration.version, migration.name]);
    }
  });
}
