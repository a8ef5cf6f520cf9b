/** Flags that the commands of `attest` share. */
import { Option } from 'commander';

/** Holds the database's URL where no list of processes shows it. */
const DATABASE_VARIABLE = 'VERACRUZ_STREAMS_DATABASE';

export const STATE = new Option('--state <folder>', 'holds ca.pem, ca.key and the registry; made at the first start').default(
  'attestation',
);

export const DATABASE = new Option('--database <url>', 'keep the registry in this PostgreSQL server, not in the state folder').env(
  DATABASE_VARIABLE,
);

export const JSON_LINE = new Option('--json', 'print one line of JSON');

export const LABEL = new Option('--label <text>', 'a word about it, for people').default('');

export const RESTORE = new Option('--restore', 'take it in again though it was revoked');
