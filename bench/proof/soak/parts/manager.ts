/** The Runtime Manager of the soak. Its store is in a folder and makes no fsync, which is no matter of what is left over. */
import { DirectoryStore, formatAddress, RuntimeManager } from 'veracruz-streams';
import type { Pki } from '../../../harness/pki.js';
import { serveCommands } from '../../../harness/serve-commands.js';
import { leftovers } from '../leftovers.js';

let manager: RuntimeManager;
let store: DirectoryStore;

serveCommands({
  listen: async ({ pki, folder }: { pki: Pki; folder: string }): Promise<string> => {
    store = await DirectoryStore.open(folder, { sync: 'none' });
    manager = await RuntimeManager.start({ listen: 'tcp://127.0.0.1:0', ...pki.server, policy: pki.policy, store });
    return formatAddress(manager.address);
  },
  leftovers: () => leftovers({ sessions: manager.sessions, programs: manager.running, files: store.usage.files }),
});
