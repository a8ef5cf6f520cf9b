/** Flags that the commands of `attest` share. */
import { type Command, Option } from 'commander';
import { REGISTRY_DEFAULTS, type RegistryOptions } from '../../attestation/registry/index.js';
import { definedOf } from '../../core/check.js';
import { wholeNumber } from '../flags.js';
import { addNumberFlags, numbersOf } from '../number-flags.js';

/** Holds the database's URL where no list of processes shows it. */
const DATABASE_VARIABLE = 'VERACRUZ_STREAMS_DATABASE';

export const STATE = new Option('--state <folder>', 'holds ca.pem, ca.key and the registry; made at the first start').default(
  'attestation',
);

export const DATABASE = new Option('--database <url>', 'keep the registry in this PostgreSQL server, not in the state folder').env(
  DATABASE_VARIABLE,
);

/** Limits of the registry, as its options have them. */
export const REGISTRY_NUMBERS = {
  maxDevices: 'attestations that the registry keeps in all; one more is refused until some are forgotten',
  maxPerDevice: 'attestations of one device that are kept; the newest ones stay',
  maxKeys: 'device keys, revoked ones included',
  maxRuntimes: 'runtime hashes, revoked ones included',
} satisfies Partial<Record<keyof RegistryOptions, string>>;

export type RegistryNumber = keyof typeof REGISTRY_NUMBERS;

export const DATABASE_TIMEOUT = new Option(
  '--database-timeout-ms <n>',
  `milliseconds to connect to the server of --database, and for each statement; default: ${REGISTRY_DEFAULTS.timeoutMs}`,
).argParser(wholeNumber('--database-timeout-ms'));

/** What the flags say of the registry's place and limits. */
export interface RegistryFlags extends Partial<Record<RegistryNumber, number>> {
  readonly state: string;
  /** URL of a PostgreSQL server. */
  readonly database?: string;
  readonly databaseTimeoutMs?: number;
}

/** The options of the registry. @param folder that of the embedded one, where no server is named */
export function registryOf(flags: RegistryFlags, folder: string): RegistryOptions {
  const { database, databaseTimeoutMs: timeoutMs } = flags;
  const place = database === undefined ? { folder } : { url: database };
  return { ...place, ...numbersOf(REGISTRY_NUMBERS, flags), ...definedOf({ timeoutMs }) };
}

/** Adds the flag of one of these limits to the command that it counts for. */
export function addRegistryLimit(command: Command, name: RegistryNumber): Command {
  const words = `${REGISTRY_NUMBERS[name]}, where no server has the registry open; default: ${REGISTRY_DEFAULTS[name]}`;
  return addNumberFlags(command, { [name]: words }, {});
}

export const JSON_LINE = new Option('--json', 'print one line of JSON');

export const LABEL = new Option('--label <text>', 'a word about it, for people').default('');

export const RESTORE = new Option('--restore', 'take it in again though it was revoked');
