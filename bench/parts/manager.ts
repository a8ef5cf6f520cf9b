/** The Runtime Manager, a process of its own. */
import {
  type FileStore,
  formatAddress,
  InsecureSoftwareAttester,
  RuntimeManager,
  type RuntimeManagerOptions,
  WasiEngine,
  type WasiEngineOptions,
} from 'veracruz-streams';
import type { TrustOptions } from 'veracruz-streams/roles';
import type { Pki } from '../harness/pki.js';
import { serveCommands } from '../harness/serve-commands.js';
import { sha256Of, storeIn } from './support/stores.js';

export interface ManagerTask {
  readonly pki: Pki;
  /** Where its Server connects. */
  readonly listen: string;
  /** The store's folder; undefined: nothing is kept. */
  readonly folder?: string | undefined;
  /** Runs programs. Default: it refuses them. */
  readonly compute?: WasiEngineOptions | undefined;
  /** File with the key of a software attester: the manager is then led through attestation. Default: `pki` vouches for it. */
  readonly deviceKey?: string | undefined;
  /** What else it is told. */
  readonly options?: Partial<RuntimeManagerOptions> | undefined;
}

let store: FileStore;
let manager: RuntimeManager;

async function trustOf({ pki, deviceKey }: ManagerTask): Promise<TrustOptions> {
  if (deviceKey === undefined) return { ...pki.server, policy: pki.policy };
  return { attester: await InsecureSoftwareAttester.open({ keyFile: deviceKey }) };
}

serveCommands({
  listen: async (task: ManagerTask): Promise<string> => {
    store = await storeIn(task.folder);
    manager = await RuntimeManager.start({
      listen: task.listen,
      ...(await trustOf(task)),
      store,
      ...(task.compute && { compute: new WasiEngine(task.compute) }),
      ...task.options,
    });
    return formatAddress(manager.address);
  },
  sessions: (): number => manager.sessions,
  sha256: (name: string): Promise<string> => sha256Of(store, name),
  remove: (name: string): Promise<void> => store.remove(name),
});
