/** The Runtime Manager of the faults, whose disk fails when told to. */
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DirectoryStore, formatAddress, InsecureSoftwareAttester, RuntimeManager } from 'veracruz-streams';
import { serveCommands } from '../../../harness/serve-commands.js';
import { Random } from '../../seed.js';
import { FaultyDisk } from '../faulty-disk.js';

export interface ManagerTask {
  /** The folder of the store, and of nothing else; its file system may be full. */
  readonly store: string;
  readonly deviceKey: string;
  readonly runtimeHash: string;
  readonly seed: number;
}

let disk: FaultyDisk;
let filler: string;

serveCommands({
  listen: async ({ store: folder, deviceKey, runtimeHash, seed }: ManagerTask): Promise<string> => {
    disk = new FaultyDisk(new Random(seed, 'disk'));
    filler = join(folder, '..', 'filler');
    const store = await DirectoryStore.open(folder, {}, disk);
    const attester = await InsecureSoftwareAttester.open({ keyFile: deviceKey, runtimeHash: Buffer.from(runtimeHash, 'hex') });
    const manager = await RuntimeManager.start({ listen: 'tcp://127.0.0.1:0', attester, store });
    return formatAddress(manager.address);
  },
  fail: (fault: FaultyDisk['fault'] | null) => {
    disk.fault = fault ?? undefined;
  },
  fill: () => fill(filler),
  free: () => unlinkSync(filler),
  alive: () => true,
});

/** Takes all that is left of the file system. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let bytes = 2 ** 20; bytes >= 1; bytes = bytes >> 1) {
      const piece = Buffer.alloc(bytes);
      try {
        for (;;) writeSync(file, piece);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}
