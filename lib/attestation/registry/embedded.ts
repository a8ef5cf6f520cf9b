import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PGliteInterface, Transaction } from '@electric-sql/pglite';
import { type Database, databaseError, type Parameter, type Query } from './database.js';
import { FolderLock } from './folder-lock.js';

/** The name of a database that is being made. */
const DRAFT = 'data.draft';

/**
 * PostgreSQL in this process (PGlite, WebAssembly), one connection. In a folder:
 *
 *     data/       the database, mode 0700
 *     lock.<n>    who has it open: one process at a time
 *
 * What was acknowledged outlives the process, however it ends; the engine makes no fsync, so that a machine that loses
 * its power may lose the last of it: use a PostgreSQL server where that matters.
 */
export async function openEmbedded(folder: string | undefined): Promise<Database> {
  const lock = folder === undefined ? undefined : lockFolder(folder);
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

function lockFolder(folder: string): FolderLock {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw databaseError(error, `cannot have its folder ${folder}`);
  }
  return FolderLock.take(folder);
}

async function openPglite(folder: string | undefined): Promise<PGliteInterface> {
  // Loaded when it is needed: it is 15 MB.
  const { PGlite } = await import('@electric-sql/pglite');
  if (folder === undefined) return PGlite.create();
  const data = join(folder, 'data');
  if (!existsSync(data)) {
    // Made under another name: a process that is killed in the middle leaves no half of a database.
    const draft = join(folder, DRAFT);
    rmSync(draft, { recursive: true, force: true });
    await makeDatabase(draft);
    chmodSync(draft, 0o700);
    renameSync(draft, data);
  }
  return PGlite.create(data);
}

/** On a thread of its own: it takes seconds, and 800 MB that are given back when the thread ends. */
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
