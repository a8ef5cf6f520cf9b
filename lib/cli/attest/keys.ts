import { Command } from 'commander';
import { checkHash, checkPoint, checkText, type DeviceKey } from '../../attestation/registry/index.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { readText } from '../flags.js';
import { addRegistryLimit, DATABASE, DATABASE_TIMEOUT, JSON_LINE, LABEL, RESTORE, STATE } from './flags.js';
import { tell, withRegistry } from './output.js';
import type { StateFlags } from './state.js';

interface KeyFlags extends StateFlags {
  label: string;
  restore?: boolean;
  json?: boolean;
}

/** `veracruz-streams attest enroll`, `keys` and `revoke-key` */
export function keyCommands(): Command[] {
  const enroll = new Command('enroll')
    .description('Enrol a device key: PSA tokens that it signs are taken.')
    .argument('<file>', 'its public key, P-256, PEM')
    .addOption(LABEL)
    .addOption(RESTORE)
    .action((file: string, { label, restore, ...flags }: KeyFlags) => {
      const pem = readText(file);
      checkPoint(pem);
      checkText('a label', label);
      return withRegistry(
        flags,
        async (registry) => {
          const key = await registry.enrollKey(pem, { label, restore });
          await tell(flags, key, [`enrolled ${key.id}`]);
        },
        true,
      );
    });
  const keys = new Command('keys').description('List the device keys.').action((flags: KeyFlags) =>
    withRegistry(flags, async (registry) => {
      const list = await registry.listKeys();
      await tell(flags, list, list.map(lineOf));
    }),
  );
  const revoke = new Command('revoke-key')
    .description('Take no token of a device key any more, nor of the devices that it has attested.')
    .argument('<id>', 'its id, as `attest keys` shows it')
    .action((id: string, flags: KeyFlags) => {
      const digits = checkHash('a key id', id);
      return withRegistry(flags, async (registry) => {
        if (!(await registry.revokeKey(digits))) throw new InvalidArgumentError('no key of this id is enrolled');
        await tell(flags, { revoked: digits }, [`revoked ${digits}`]);
      });
    });
  addRegistryLimit(enroll, 'maxKeys');
  return [enroll, keys, revoke].map((command) =>
    command.addOption(STATE).addOption(DATABASE).addOption(DATABASE_TIMEOUT).addOption(JSON_LINE),
  );
}

function lineOf({ id, label, enrolledAt, revokedAt }: DeviceKey): string {
  return [id, revokedAt === null ? `since ${enrolledAt.toISOString()}` : `REVOKED ${revokedAt.toISOString()}`, label].join('  ').trimEnd();
}
