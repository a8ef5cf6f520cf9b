import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { clock } from '../../core/clock.js';
import { isAtOrBelow } from './file-name.js';
import type { ListedFile } from './store-contract.js';
import { storeError } from './store-error.js';
import type { StoreFolder } from './store-folder.js';
import { nameOf } from './store-names.js';

/** Files that are examined before the event loop gets a turn. They take about a millisecond. */
const FILES_A_TURN = 256;

/**
 * Lists the files of a store at or below `top`: a normal name, the root, or undefined for all. Entries that are not files of
 * the store are left out.
 *
 * @param check called before each step; an error that it throws ends the list
 */
export async function* listFiles(folder: StoreFolder, top: string | undefined, check: () => void): AsyncGenerator<ListedFile> {
  try {
    check();
    const entries = await readdir(join(folder.root, 'files'));
    for (const [index, entry] of entries.entries()) {
      if (index % FILES_A_TURN === FILES_A_TURN - 1) await clock.sleep(1);
      const name = await nameOf(folder, entry);
      if (name === undefined || (top !== undefined && !isAtOrBelow(name, top))) continue;
      check();
      const length = lengthOf(folder, name);
      if (length !== undefined) yield { name, length };
    }
  } catch (thrown) {
    throw storeError('list the files', thrown);
  }
}

function lengthOf(folder: StoreFolder, name: string): number | undefined {
  try {
    return folder.find(name)?.length;
  } catch (thrown) {
    if ((thrown as { got?: unknown }).got === 'ENOTSUP') return undefined;
    throw thrown;
  }
}
