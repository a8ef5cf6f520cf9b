import { Command } from 'commander';
import { checkLimit, type Device } from '../../attestation/registry/index.js';
import { clock } from '../../core/clock.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { wholeNumber } from '../flags.js';
import { DATABASE, DATABASE_TIMEOUT, JSON_LINE, STATE } from './flags.js';
import { tell, withRegistry } from './output.js';
import type { StateFlags } from './state.js';

const DAY_MS = 86_400_000;

interface DeviceFlags extends StateFlags {
  limit: number;
  json?: boolean;
}

/** `veracruz-streams attest devices` and `forget` */
export function deviceCommands(): Command[] {
  const devices = new Command('devices')
    .description('List the devices that have attested themselves, the newest first.')
    .option('--limit <n>', 'how many', wholeNumber('--limit'), 1000)
    .action(({ limit, ...flags }: DeviceFlags) => {
      checkLimit(limit);
      return withRegistry(flags, async (registry) => {
        const list = await registry.listDevices(limit);
        await tell(flags, list, list.map(lineOf));
      });
    });
  const forget = new Command('forget')
    .description('Forget the devices that have attested themselves more than so many days ago.')
    .argument('<days>', 'a number, 0 for all')
    .action((days: string, flags: DeviceFlags) => {
      if (!/^\d{1,6}(\.\d{1,6})?$/.test(days)) throw new InvalidArgumentError('days are a number, 0 or more');
      return withRegistry(flags, async (registry) => {
        const forgotten = await registry.forgetDevices(new Date(clock.now() - Number(days) * DAY_MS));
        await tell(flags, { forgotten }, [`forgot ${forgotten} device${forgotten === 1 ? '' : 's'}`]);
      });
    });
  return [devices, forget].map((command) => command.addOption(STATE).addOption(DATABASE).addOption(DATABASE_TIMEOUT).addOption(JSON_LINE));
}

function lineOf({ deviceId, platform, runtimeHash, attestedAt, enclaveName }: Device): string {
  return [String(deviceId).padStart(10), platform.padEnd(6), runtimeHash, attestedAt.toISOString(), enclaveName].join('  ').trimEnd();
}
