import { Command } from 'commander';
import { type AllowedRuntime, checkHash, checkPlatform, checkText } from '../../attestation/registry/index.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { print } from '../standard-output.js';
import { addRegistryLimit, DATABASE, DATABASE_TIMEOUT, JSON_LINE, LABEL, RESTORE, STATE } from './flags.js';
import { tell, withRegistry } from './output.js';
import type { StateFlags } from './state.js';

/** Hex digits of a runtime hash, and of the PCR0 that one is the beginning of (wire spec §E). */
const HASH_DIGITS = 64;
const PCR_DIGITS = 96;

interface RuntimeFlags extends StateFlags {
  label: string;
  restore?: boolean;
  platform?: string;
  json?: boolean;
}

/** `veracruz-streams attest allow`, `runtimes` and `revoke` */
export function runtimeCommands(): Command[] {
  const allow = new Command('allow')
    .description('Let Runtime Managers of this hash have certificates.')
    .argument('<platform>', 'linux, nitro or icecap')
    .argument('<hash>', 'the runtime hash of the policy, 64 hex digits; or PCR0 of Nitro, 96')
    .addOption(LABEL)
    .addOption(RESTORE)
    .action((name: string, hash: string, { label, restore, ...flags }: RuntimeFlags) => {
      const [platform, digits] = [checkPlatform(name), hashOf(hash)];
      checkText('a label', label);
      return withRegistry(
        flags,
        async (registry) => {
          if (/^0+$/.test(hash)) await print('warning: all zeros, which any enclave in debug mode has\n', 'stderr');
          const runtime = await registry.allowRuntime(platform, digits, { label, restore });
          await tell(flags, runtime, [`allowed ${runtime.platform} ${runtime.hash}`]);
        },
        true,
      );
    });
  const runtimes = new Command('runtimes').description('List the runtime hashes.').action((flags: RuntimeFlags) =>
    withRegistry(flags, async (registry) => {
      const list = await registry.listRuntimes();
      await tell(flags, list, list.map(lineOf));
    }),
  );
  const revoke = new Command('revoke')
    .description('Certify Runtime Managers of this hash no more. Certificates that are out hold to their end.')
    .argument('<hash>', 'as `attest runtimes` shows it')
    .option('--platform <name>', 'on this platform only')
    .action((hash: string, { platform: name, ...flags }: RuntimeFlags) => {
      const [platform, digits] = [name === undefined ? undefined : checkPlatform(name), hashOf(hash)];
      return withRegistry(flags, async (registry) => {
        if (!(await registry.revokeRuntime(digits, platform))) throw new InvalidArgumentError('no such hash is allowed');
        await tell(flags, { revoked: digits }, [`revoked ${digits}`]);
      });
    });
  addRegistryLimit(allow, 'maxRuntimes');
  return [allow, runtimes, revoke].map((command) =>
    command.addOption(STATE).addOption(DATABASE).addOption(DATABASE_TIMEOUT).addOption(JSON_LINE),
  );
}

/** @throws InvalidArgumentError */
function hashOf(digits: string): string {
  return checkHash('a runtime hash', digits.length === PCR_DIGITS ? digits.slice(0, HASH_DIGITS) : digits);
}

function lineOf({ platform, hash, label, allowedAt, revokedAt }: AllowedRuntime): string {
  const since = revokedAt === null ? `since ${allowedAt.toISOString()}` : `REVOKED ${revokedAt.toISOString()}`;
  return [platform.padEnd(6), hash, since, label].join('  ').trimEnd();
}
