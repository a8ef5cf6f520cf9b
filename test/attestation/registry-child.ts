/**
 * A registry in a process of its own, to be killed. `lock <folder>` takes the lock of a folder and says `held`, or
 * `refused <message>`; `open <place>` opens a registry (its place as JSON) and says `open`; `record <place>` goes on to record
 * devices, a line each with the id, when it is acknowledged.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { FolderLock } from '../../lib/attestation/registry/folder-lock.js';
import { DeviceRegistry, type RegistryPlace } from '../../lib/attestation/registry/index.js';

const HASH = 'ab'.repeat(32);
const say = (line: string) => process.stdout.write(`${line}\n`);
const [what, where = ''] = process.argv.slice(2);
// It lives as long as its parent lets it.
process.stdin.resume().on('end', () => process.exit(0));

try {
  if (what === 'lock') {
    FolderLock.take(where);
    say('held');
  } else {
    const registry = await DeviceRegistry.open(JSON.parse(where) as RegistryPlace);
    say('open');
    while (what === 'record') {
      // Each is a device of its own: of one the newest attestations are kept only.
      const pubkeyHash = randomBytes(32).toString('hex');
      const device = { pubkeyHash, enclaveName: 'x'.repeat(randomInt(128)), runtimeHash: HASH, platform: 'linux' };
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          const { deviceId } = await registry.recordAttestation({ deviceId: randomInt(1, 2 ** 31), ...device });
          say(String(deviceId));
        }),
      );
    }
  }
} catch (error) {
  say(`refused ${(error as Error).message}`);
}
