import { existsSync } from 'node:fs';
import { readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStoreError } from '../../core/errors.js';
import { entryOf, isCut, nameOfEntry } from './store-entry.js';
import { errno, STORE_LAYER } from './store-error.js';
import type { StoreFolder } from './store-folder.js';

/**
 * The names of files whose entries are cut: a small file each, there before the file is and gone after it. One without a
 * file, which a crash may leave, says nothing wrong.
 */
const placeOf = (folder: StoreFolder, entry: string): string => join(folder.root, 'names', entry);

/** Sees to it that the file's name can be told from what is on disk. */
export async function keepName(folder: StoreFolder, name: string): Promise<void> {
  const entry = entryOf(name);
  if (!isCut(entry) || (await keptName(folder, entry)) !== undefined) return;
  const draft = folder.draftPath('w');
  const file = await folder.createDraft(draft);
  try {
    await file.writeFile(name);
    await folder.syncFile(file);
    await rename(draft, placeOf(folder, entry));
  } catch (thrown) {
    await unlink(draft);
    throw thrown;
  } finally {
    await file.close();
  }
  await folder.syncNames();
}

export async function forgetName(folder: StoreFolder, name: string): Promise<void> {
  const entry = entryOf(name);
  if (!isCut(entry)) return;
  await unlink(placeOf(folder, entry)).catch((thrown: unknown) => {
    if (errno(thrown) !== 'ENOENT') throw thrown;
  });
}

/** The name whose entry this is; undefined for what is no entry of the store. Throws for a cut one whose name is lost. */
export async function nameOf(folder: StoreFolder, entry: string): Promise<string | undefined> {
  if (!isCut(entry)) return nameOfEntry(entry);
  const name = await keptName(folder, entry);
  if (name !== undefined) return name;
  // Gone meanwhile, the file first and then its name; or even there again.
  if (!existsSync(join(folder.root, 'files', entry))) return undefined;
  const again = await keptName(folder, entry);
  if (again !== undefined) return again;
  // Who made it does not matter: a file that may be one of ours must not be passed over in silence.
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
