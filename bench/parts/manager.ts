/** The Runtime Manager, a process of its own. */
import { type FileStore, formatAddress, RuntimeManager } from 'veracruz-streams';
import type { Pki } from '../harness/pki.js';
import { serveCommands } from '../harness/serve-commands.js';
import { sha256Of, storeIn } from './support/stores.js';

export interface ManagerTask {
  readonly pki: Pki;
  /** Where its Server connects. */
  readonly listen: string;
  /** The store's folder; undefined: nothing is kept. */
  readonly folder?: string | undefined;
}

let store: FileStore;

serveCommands({
  listen: async ({ pki, listen, folder }: ManagerTask): Promise<string> => {
    store = await storeIn(folder);
    const manager = await RuntimeManager.start({
      listen,
      ...pki.server,
      policy: pki.policy,
      store,
    });
    return formatAddress(manager.address);
  },
  sha256: (name: string): Promise<string> => sha256Of(store, name),
  remove: (name: string): Promise<void> => store.remove(name),
});
