import { type Command, Option } from 'commander';
import { definedOf } from '../../core/check.js';
import { DIRECTORY_STORE_DEFAULTS, type DirectoryStoreOptions } from '../../enclave/store/index.js';
import type { RuntimeManagerOptions } from '../../roles/runtime-manager/runtime-manager.js';
import { addNumberFlags, numbersOf } from '../number-flags.js';

/** Flags of limits that few need. */
const NUMBERS = {
  maxStoreBytes: 'bytes of all files in the store, those on their way included',
  maxFiles: 'files in the store, new ones on their way included',
  maxFileNameBytes: 'bytes of the name of a file',
} satisfies Partial<Record<keyof DirectoryStoreOptions, string>>;

export interface StoreFlags extends Partial<Record<keyof typeof NUMBERS, number>> {
  store: string;
  storeSync?: Required<DirectoryStoreOptions>['sync'];
}

/** The flags of the folder that files live in. */
export function addStoreOptions(command: Command): Command {
  command
    .requiredOption('--store <folder>', 'the folder that files live in; it belongs to the first policy that is used with it')
    .addOption(
      new Option('--store-sync <what>', 'what survives a crash of the machine: each file that was acknowledged, or none that is new')
        .choices(['file', 'none'])
        .default(undefined, `"${DIRECTORY_STORE_DEFAULTS.sync}"`),
    );
  return addNumberFlags(command, NUMBERS, DIRECTORY_STORE_DEFAULTS);
}

/** What they say. Nothing where nothing is said. */
export function storeOf(flags: StoreFlags): Pick<RuntimeManagerOptions, 'store' | 'storeOptions'> {
  const storeOptions = { ...numbersOf(NUMBERS, flags), ...definedOf({ sync: flags.storeSync }) };
  return { store: flags.store, ...(Object.keys(storeOptions).length > 0 && { storeOptions }) };
}
