import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStoreError } from '../../core/errors.js';
import { entryOf, isCut, nameOfEntry } from './store-entry.js';
import { errno, STORE_LAYER } from './store-error.js';
import type { StoreFolder } from './store-folder.js';

/**
 * Where the name of a file with a cut entry is kept: in a small file of its own, created before the file and removed after
 * it. A crash may leave such a name without a file, which does no harm.
 */
const placeOf = (folder: StoreFolder, entry: string): string => join(folder.root, 'names', entry);

/** Keeps the file's name on disk if its entry is cut. */
export async function keepName(folder: StoreFolder, name: string): Promise<void> {
  const entry = entryOf(name);
  if (!isCut(entry)) return;
  if ((await keptName(folder, entry)) === undefined) await writeName(folder, name, entry);
  // Also of one that was there: its own sync may have failed.
  await folder.syncNames();
}

async function writeName(folder: StoreFolder, name: string, entry: string): Promise<void> {
  const draft = folder.draftPath('w');
  const file = await folder.createDraft(draft);
  try {
    await file.writeFile(name);
    await folder.syncFile(file);
    await folder.disk.rename(draft, placeOf(folder, entry));
  } catch (thrown) {
    await folder.disk.unlink(draft);
    throw thrown;
  } finally {
    await file.close();
  }
}

export async function forgetName(folder: StoreFolder, name: string): Promise<void> {
  const entry = entryOf(name);
  if (!isCut(entry)) return;
  await folder.disk.unlink(placeOf(folder, entry)).catch((thrown: unknown) => {
    if (errno(thrown) !== 'ENOENT') throw thrown;
  });
}

/** The file name of an entry; undefined for what is no entry of the store. Throws for a cut entry whose name is lost. */
export async function nameOf(folder: StoreFolder, entry: string): Promise<string | undefined> {
  if (!isCut(entry)) return nameOfEntry(entry);
  const name = await keptName(folder, entry);
  if (name !== undefined) return name;
  // Another call may have removed the file and then its name meanwhile. The file may even have been created again.
  if (!existsSync(join(folder.root, 'files', entry))) return undefined;
  const again = await keptName(folder, entry);
  if (again !== undefined) return again;
  // The file may be one of the store's, so it must not be left out of a list without an error.
  throw new FileStoreError('a file is there whose name is lost', { layer: STORE_LAYER, expected: 'its name', got: 'ENODATA' });
}

async function keptName(folder: StoreFolder, entry: string): Promise<string | undefined> {
  try {
    const name = await readFile(placeOf(folder, entry), 'utf8');
    return entryOf(name) === entry ? name : undefined;
  } catch (thrown) {
    if (errno(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}
