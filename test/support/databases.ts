/** An embedded database costs ten seconds of processor time to make: one is made for all test files, and copied. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import t from 'tap';
import { PROJECT_ROOT } from './golden.js';
import './processes.js';

/** Beside the compiled tests, and gone with them. */
const MADE = join(PROJECT_ROOT, 'dist', 'test', 'empty-database');

let made: Promise<void> | undefined;
async function make(): Promise<void> {
  if (existsSync(MADE)) return;
  const draft = `${MADE}.${process.pid}`;
  await (await PGlite.create(draft)).close();
  try {
    renameSync(draft, MADE);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another test file was faster.
    if (!existsSync(MADE)) throw error;
  }
}

/** Puts an empty database, without any schema, where a registry in `folder` looks for it. */
export async function putDatabase(folder: string): Promise<void> {
  made ??= make();
  await made;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await cp(MADE, join(folder, 'data'), { recursive: true });
}

/** A new folder with an empty database in it; gone when the test file is through. */
export async function databaseFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vc-database-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  await putDatabase(folder);
  return folder;
}
