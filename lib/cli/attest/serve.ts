import { Command } from 'commander';
import { listenAdmin, REGISTRY_DEFAULTS } from '../../attestation/registry/index.js';
import { definedOf } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import {
  ATTESTATION_SERVER_DEFAULTS,
  AttestationServer,
  type AttestationServerOptions,
  checkOptions,
} from '../../roles/attestation-server/server.js';
import type { Log } from '../../roles/options.js';
import { addressOf, LOG_LEVEL, oneOf, readText, wholeNumber } from '../flags.js';
import { addNumberFlags, numbersOf } from '../number-flags.js';
import { addRecordingOptions, type RecordingFlags, recorded } from '../recording-flags.js';
import { runRole, stderrLog } from '../role-process.js';
import { DATABASE, DATABASE_TIMEOUT, REGISTRY_NUMBERS, registryOf, STATE } from './flags.js';
import { type AuthorityFlags, adminSocket, authorityOf, registryFolder, type StateFlags } from './state.js';

/** Flags of limits and deadlines that few need. */
const NUMBERS = {
  challengeLifetimeMs: 'milliseconds in which a challenge must be answered',
  maxChallenges: 'open challenges at once',
  maxKeysTried: 'keys of devices that are tried on a token which names none',
  maxBodyBytes: 'bytes that a body may have',
  maxConnections: 'connections at once',
  maxConnectionsPerAddress: 'connections at once of one IP address; 0 for no limit',
  headTimeoutMs: 'milliseconds for the head of a request',
  requestTimeoutMs: 'milliseconds for all of a request',
  idleTimeoutMs: 'milliseconds after which a connection without a request is closed',
  unreadTimeoutMs: 'milliseconds that a client may read nothing of an answer; 0 for no limit',
} satisfies Partial<Record<keyof AttestationServerOptions, string>>;

interface ServeFlags extends AuthorityFlags, RecordingFlags, Partial<Record<keyof typeof NUMBERS, number>> {
  listen?: string;
  days: number;
  certificateLifetimeMs?: number;
  allowAnyRuntime?: boolean;
  nitroRoot?: string;
  maxRequestsPerSecond: number;
  logLevel: string;
}

const { listen, days, maxRequestsPerSecond } = ATTESTATION_SERVER_DEFAULTS;

/** `veracruz-streams attest serve` */
export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Run the server. This is what attest does when it is told nothing else.')
    .argument('[address]', 'the same as --listen, as the original has it; :port is one of 127.0.0.1', placeOf)
    .option('--listen <address>', `where it listens (default: "${listen}")`)
    .addOption(STATE)
    .addOption(DATABASE)
    .addOption(DATABASE_TIMEOUT)
    .option('--ca-cert <file>', 'certificate of the authority, PEM; default: ca.pem of the state folder')
    .option('--ca-key <file>', 'its private key, PEM; default: ca.key of the state folder')
    .option('--days <n>', 'days that a certificate holds', wholeNumber('--days'), days)
    .option(
      '--certificate-lifetime-ms <n>',
      'milliseconds that a certificate holds, instead of --days',
      wholeNumber('--certificate-lifetime-ms'),
    )
    .option('--allow-any-runtime', 'certify every Runtime Manager, listed or not')
    .option('--nitro-root <file>', 'root certificate of Nitro documents, PEM, instead of that of AWS')
    .option(
      '--max-requests-per-second <n>',
      'requests of one address; 0 for no limit',
      wholeNumber('--max-requests-per-second'),
      maxRequestsPerSecond,
    );
  return addRecordingOptions(
    addNumberFlags(addNumberFlags(command, NUMBERS, ATTESTATION_SERVER_DEFAULTS), REGISTRY_NUMBERS, REGISTRY_DEFAULTS),
  )
    .addOption(LOG_LEVEL)
    .action((named: string | undefined, flags: ServeFlags) => recorded(flags, 'attestation', () => prepare(named, flags)));
}

/** Checks all that can be checked before anything is made; gives what runs the server. */
async function prepare(named: string | undefined, { listen: told, ...flags }: ServeFlags): Promise<() => Promise<void>> {
  const address = addressOf(oneOf('--listen', told, named) ?? listen);
  const log = stderrLog(flags.logLevel);
  const found = await authorityOf(flags);
  const options = { listen: address, ...optionsOf(flags), log };
  await checkOptions({ ...options, authority: found.authority });
  const start = async (signal: AbortSignal) => {
    const { authority, made } = await found.settle();
    if (made !== undefined) log('info', 'authority made: clients trust this certificate', { certificate: made });
    return serve({ ...options, authority, signal }, flags, log);
  };
  return () => runRole(start, (server) => server.url, log);
}

/** The argument that says where to listen. What has no colon is a command that is misspelt. */
function placeOf(text: string): string {
  if (text.includes(':')) return text.replace(/^:(?=\d)/, '127.0.0.1:');
  throw new InvalidArgumentError(`neither a command of attest nor host:port: ${JSON.stringify(text)}`, { got: text });
}

/** What the flags say, but for the address and the authority. */
function optionsOf(flags: Omit<ServeFlags, 'listen'>): Omit<AttestationServerOptions, 'authority'> {
  return {
    registry: registryOf(flags, registryFolder(flags)),
    days: flags.days,
    ...definedOf({ certificateLifetimeMs: flags.certificateLifetimeMs }),
    allowAnyRuntime: flags.allowAnyRuntime === true,
    maxRequestsPerSecond: flags.maxRequestsPerSecond,
    ...numbersOf(NUMBERS, flags),
    ...(flags.nitroRoot !== undefined && { nitroRoot: readText(flags.nitroRoot) }),
  };
}

async function serve(options: AttestationServerOptions, flags: StateFlags, log: Log): Promise<AttestationServer> {
  const server = await AttestationServer.start(options);
  log('info', 'registry open', { registry: server.registry.where });
  const socket = flags.database === undefined ? adminSocket(flags) : undefined;
  const stop = socket === undefined ? async () => {} : await listenAdmin(server.registry, socket);
  void server.closed.then(stop);
  return server;
}
