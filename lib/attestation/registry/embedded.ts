import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PGliteInterface, Transaction } from '@electric-sql/pglite';
import { makeFolder } from '../../core/make-folder.js';
import { importOptional } from '../../core/optional-package.js';
import { type Database, databaseError, type Parameter, type Query } from './database.js';
import { FolderLock } from './folder-lock.js';

/** Name of the folder while a new database is being created. */
const DRAFT = 'data.draft';

/**
 * PostgreSQL in this process (PGlite, in WebAssembly), with one connection. The folder contains:
 *
 *     data/       the database, mode 0700
 *     lock.<n>    the process that has it open (see `FolderLock`)
 *
 * Acknowledged changes survive a killed process. PGlite makes no fsync, so a machine that loses power may lose the last
 * changes. Use a PostgreSQL server where that matters.
 *
 * @throws RegistryError; MissingPackageError without the package `@electric-sql/pglite`
 */
export async function openEmbedded(folder: string | undefined): Promise<Database> {
  // No folder is made in vain. One that is there may be open in a process that has the package, which is told first.
  if (folder !== undefined && !existsSync(folder)) await loadPglite();
  const lock = folder === undefined ? undefined : await lockFolder(folder);
  try {
    const pglite = await openPglite(folder);
    return {
      where: folder === undefined ? 'memory' : resolve(folder),
      query: queryOf(pglite),
      transaction: async (run) => {
        try {
          return await pglite.transaction((transaction) => run(queryOf(transaction)));
        } catch (error) {
          throw databaseError(error, 'refused a transaction');
        }
      },
      close: async () => {
        try {
          await pglite.close();
        } finally {
          lock?.release();
        }
      },
    };
  } catch (error) {
    lock?.release();
    throw databaseError(error, `in ${folder ?? 'memory'} cannot be opened`);
  }
}

async function lockFolder(folder: string): Promise<FolderLock> {
  try {
    await makeFolder(folder);
  } catch (error) {
    throw databaseError(error, `cannot have its folder ${folder}`);
  }
  return FolderLock.take(folder);
}

/** Loaded only when it is needed, and installed only by who needs it, since it has 25 MB. @throws MissingPackageError */
export function loadPglite(): Promise<typeof import('@electric-sql/pglite')> {
  return importOptional('@electric-sql/pglite', 'a registry in a folder or in memory', 'registry');
}

async function openPglite(folder: string | undefined): Promise<PGliteInterface> {
  const { PGlite } = await loadPglite();
  if (folder === undefined) return PGlite.create();
  const data = join(folder, 'data');
  if (!existsSync(data)) {
    // Created under another name, so that a process that is killed meanwhile leaves no incomplete database.
    const draft = join(folder, DRAFT);
    rmSync(draft, { recursive: true, force: true });
    await makeDatabase(draft);
    chmodSync(draft, 0o700);
    renameSync(draft, data);
  }
  return PGlite.create(data);
}

/** Creates a database in a thread. It takes seconds, and 800 MB that are released when the thread ends. */
async function makeDatabase(folder: string): Promise<void> {
  const worker = new Worker(new URL('./make-database.js', import.meta.url), { workerData: folder, execArgv: [] });
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the thread ended with ${code}`))));
  });
}

function queryOf(on: Pick<Transaction, 'query'>): Query {
  return async <Row extends object>(sql: string, parameters: readonly Parameter[] = []) => {
    try {
      return (await on.query<Row>(sql, [...parameters])).rows;
    } catch (error) {
      throw databaseError(error, 'refused a statement');
    }
  };
}
