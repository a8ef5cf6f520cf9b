/** The two databases that a registry can be in, with the same tests for both. */
import { generateKeyPairSync, type KeyObject, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import t, { type Test } from 'tap';
import type { NewDevice, RegistryPlace } from '../../lib/attestation/registry/index.js';
import { putDatabase } from '../support/databases.js';
import { noPostgres, type Postgres, startPostgres } from '../support/postgres.js';
import '../support/processes.js';

type T = Pick<Test, 'teardown'>;

export interface Engine {
  readonly name: string;
  /** Why it cannot be tested here. */
  readonly skip: string | false;
  /** A new and empty place. */
  readonly place: () => Promise<RegistryPlace>;
}

const folder = mkdtempSync(join(tmpdir(), 'vc-registry-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;

/** A folder that is not there yet. */
export const freshFolder = () => join(folder, String(folders++));

async function emptyDatabase(): Promise<string> {
  const path = freshFolder();
  await putDatabase(path);
  return path;
}

let server: Promise<Postgres> | undefined;
/** One server for all tests of a file. */
export function postgres(): Promise<Postgres> {
  server ??= startPostgres(t);
  return server;
}

export const EMBEDDED: Engine = { name: 'embedded', skip: false, place: async () => ({ folder: await emptyDatabase() }) };
export const SERVER: Engine = { name: 'server', skip: noPostgres, place: async () => ({ url: await (await postgres()).database() }) };
export const ENGINES: readonly Engine[] = [EMBEDDED, SERVER];

/** Runs SQL as somebody else's program would, with nothing of ours between. No registry may have the folder open. */
export async function raw<Row extends object>({ folder, url }: RegistryPlace, ...statements: readonly string[]): Promise<Row[]> {
  if (url !== undefined) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    let rows: Row[] = [];
    for (const statement of statements) rows = (await client.query<Row>(statement)).rows;
    await client.end();
    return rows;
  }
  const database = await PGlite.create(join(folder as string, 'data'));
  let rows: Row[] = [];
  for (const statement of statements) rows = (await database.query<Row>(statement)).rows;
  await database.close();
  return rows;
}

export const publicKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
export const pemOfKey = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();
export const HASH = 'ab'.repeat(32);

export function device(changes: Partial<NewDevice> = {}): NewDevice {
  return { deviceId: randomInt(1, 2 ** 31), pubkeyHash: HASH, enclaveName: '', runtimeHash: HASH, platform: 'linux', ...changes };
}

/** Closes with the test what must be closed. */
export function closing<Closed extends { close(): Promise<unknown> }>(t: T, open: Closed): Closed {
  t.teardown(() => open.close());
  return open;
}
