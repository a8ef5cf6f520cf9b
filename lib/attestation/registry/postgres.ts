import type { Pool, PoolClient } from 'pg';
import { InvalidOptionError } from '../../core/errors.js';
import { importOptional } from '../../core/optional-package.js';
import { type Database, databaseError, type Parameter, type Query } from './database.js';

/** Connections to the server at once. */
const MAX_CONNECTIONS = 4;
const URL_FORM = 'postgres://user@host:port/database';

/**
 * A PostgreSQL server, by URL: `postgres://user:password@host:port/database?sslmode=…`, or
 * `postgres://user@%2Fsocket%2Ffolder/database` for a Unix socket. A password may stand in `PGPASSWORD` or `~/.pgpass`
 * instead, where no list of processes shows it.
 *
 * @param timeoutMs to connect, and for each statement
 * @throws InvalidOptionError, RegistryError; MissingPackageError without the package `pg`
 */
export async function openPostgres(url: string, timeoutMs: number): Promise<Database> {
  const { default: pg } = await loadPostgres(url);
  const pool = poolOf(() => {
    return new pg.Pool({
      connectionString: url,
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      application_name: 'veracruz-streams',
      verify: (client, done) => void client.query(settingsOf(timeoutMs)).then(() => done(), done),
    });
  });
  // A connection that is lost while nobody uses it is replaced by the next query.
  pool.on('error', () => {});
  const where = whereOf(url);
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await pool.end();
    throw databaseError(error, `at ${where} cannot be reached`);
  }
  return {
    where,
    query: queryOf(pool),
    transaction: (run) => transaction(pool, run),
    close: () => pool.end(),
  };
}

/** The driver for a server at `url`. @throws InvalidOptionError for a URL of something else; MissingPackageError */
export async function loadPostgres(url: string): Promise<typeof import('pg')> {
  if (!/^postgres(ql)?:\/\//.test(url)) throw new InvalidOptionError(`the URL of a database is ${URL_FORM}`, { expected: URL_FORM });
  return importOptional<typeof import('pg')>('pg', 'a registry in a PostgreSQL server', 'registry');
}

/**
 * What a session must be set to: the driver reads dates in ISO form only, and the role or the database may say another.
 * They are statements, because a pooler before the server (PgBouncer) refuses parameters of a connection that it does not know.
 */
function settingsOf(timeoutMs: number): string {
  const settings = {
    DateStyle: "'ISO, MDY'",
    TimeZone: "'UTC'",
    IntervalStyle: "'postgres'",
    standard_conforming_strings: 'on',
    statement_timeout: timeoutMs,
    idle_in_transaction_session_timeout: timeoutMs,
  };
  return Object.entries(settings)
    .map(([name, value]) => `SET ${name} = ${value}`)
    .join('; ');
}

async function transaction<T>(pool: Pool, run: (query: Query) => Promise<T>): Promise<T> {
  let client: PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    throw databaseError(error, 'cannot be reached');
  }
  let broken = true;
  try {
    await client.query('BEGIN');
    const result = await run(queryOf(client));
    await client.query('COMMIT');
    broken = false;
    return result;
  } catch (error) {
    await client.query('ROLLBACK').then(
      () => {
        broken = false;
      },
      () => {},
    );
    throw databaseError(error, 'refused a transaction');
  } finally {
    client.release(broken);
  }
}

function queryOf(on: Pick<PoolClient, 'query'>): Query {
  return async <Row extends object>(sql: string, parameters: readonly Parameter[] = []) => {
    try {
      return (await on.query<Row>(sql, [...parameters])).rows;
    } catch (error) {
      throw databaseError(error, 'refused a statement');
    }
  };
}

/** The driver's own error about a URL quotes it, password and all. */
function poolOf(make: () => Pool): Pool {
  try {
    return make();
  } catch {
    throw new InvalidOptionError(`the URL of the database cannot be read; it is ${URL_FORM}`, { expected: URL_FORM });
  }
}

/** Scheme, host and database: what may be shown. */
function whereOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `postgres://${host}${pathname}`;
  } catch {
    return 'postgres://…';
  }
}
