import { Command, Option } from 'commander';
import { definedOf } from '../core/check.js';
import type { ArrangementName } from '../roles/arrangements.js';
import { checkOptions, SERVER_DEFAULTS, type ServerOptions, VeracruzServer } from '../roles/server/server.js';
import { SESSION_BINDINGS, type SessionBinding } from '../roles/server/session-ids.js';
import type { ManagerOptions } from '../roles/server/upstream.js';
import { ARRANGEMENT, addressOf, DIALECT, FRAME, LOG_LEVEL, linkOf, oneOf, readText, wholeNumber } from './flags.js';
import { addLinkTlsOptions, type LinkTlsFlags, linkTlsOf } from './link-flags.js';
import { addNumberFlags, numbersOf } from './number-flags.js';
import { addRecordingOptions, type RecordingFlags, recorded } from './recording-flags.js';
import { runRole, stderrLog } from './role-process.js';

/** Flags of limits and deadlines that few need. */
const NUMBERS = {
  attestationTimeoutMs: 'milliseconds for each step of an attestation',
  maxClockSkewMs: 'milliseconds by which our clock may differ from that of the attestation server',
  maxSilenceMs: 'milliseconds that a Runtime Manager may be silent with a request unanswered; 0 for ever',
  maxSessions: 'sessions at once',
  maxUnadmittedSessions: 'sessions at once whose handshake is not over; default: a quarter of --max-sessions',
  maxUnadmittedSessionsPerAddress:
    'such sessions of one IP address; 0 as many as there may be; default: half of --max-sessions-per-address',
  maxUnadmittedSessionsPerSecond: 'sessions a second that end without having been admitted; 0 for no limit',
  helloTimeoutMs: 'milliseconds from the opening of a session to its ClientHello',
  maxHandshakeBytes: 'bytes of ciphertext of a client until its handshake is over; 0 for no limit',
  maxMissesPerSecond: 'requests a second for sessions that are not there; 0 for no limit',
  maxForeignBytes: 'bytes of POSTs that wait because they come from another address than their session',
  unreadTimeoutMs: 'milliseconds that a client may read nothing of an answer; 0 for no limit',
  headTimeoutMs: 'milliseconds for the head of a POST',
  postTimeoutMs: 'milliseconds for all of a POST',
} satisfies Partial<Record<keyof ServerOptions, string>>;

/** Flags of an address of Runtime Managers; all of them get the same. */
const OF_MANAGERS = {
  maxLinks: 'connections at once where Runtime Managers come; default: 64',
} satisfies Partial<Record<keyof ManagerOptions, string>>;

type Numbers = Partial<Record<keyof typeof NUMBERS | keyof typeof OF_MANAGERS, number>>;

interface ServerFlags extends LinkTlsFlags, RecordingFlags, Numbers {
  policy?: string;
  /** False where `--no-attestation` stands. */
  attestation?: string | false;
  listen?: string;
  direct?: string;
  runtime: string[];
  arrangement: ArrangementName;
  dialect?: string;
  frame?: string;
  hello?: boolean;
  askAhead: boolean;
  maxBodyBytes: number;
  maxSessionsPerAddress: number;
  maxConnections: number;
  maxConnectionsPerAddress?: number;
  maxHandshakes: number;
  handshakeTimeoutMs: number;
  bindSessions: SessionBinding;
  idleTimeoutMs: number;
  startTimeoutMs: number;
  renewCertificates: boolean;
  logLevel: string;
}

/** `veracruz-streams server` */
export function serverCommand(): Command {
  const command = new Command('server')
    .description('Run a Veracruz Server: relays ciphertext between clients and a Runtime Manager.')
    .argument('[policy]', 'the same as --policy, as the original has it')
    .option('--policy <file>', 'attest the Runtime Managers and initialise them with this policy before they are used')
    .option('--attestation <url>', 'the Proxy Attestation Server, http://host:port; default: as the policy says')
    .option('--no-attestation', 'do neither: the Runtime Managers are ready as they are, though there is a policy')
    .option('--listen <address>', `where clients connect; default: as the policy says, without one ${SERVER_DEFAULTS.listen}`)
    .option('--direct <address>', 'where clients connect that speak TLS without HTTP')
    .option('--runtime <address...>', 'the Runtime Managers: tcp://host:port, unix:///path, or tcp-listen:// to let them come', [
      SERVER_DEFAULTS.runtime,
    ])
    .addOption(ARRANGEMENT)
    .addOption(DIALECT)
    .addOption(FRAME)
    .option('--hello', 'wait for the hello of a console')
    .option('--no-ask-ahead', 'ask a Runtime Manager for an answer only when it has said that there is one; costs a round trip')
    .option('--max-body-bytes <n>', 'bytes that a POST may have', wholeNumber('--max-body-bytes'), SERVER_DEFAULTS.maxBodyBytes)
    .option(
      '--max-sessions-per-address <n>',
      'sessions at once of one IP address, as all have behind a proxy; 0 as many as there may be',
      wholeNumber('--max-sessions-per-address'),
      SERVER_DEFAULTS.maxSessionsPerAddress,
    )
    .option('--max-connections <n>', 'connections at once', wholeNumber('--max-connections'), SERVER_DEFAULTS.maxConnections)
    .option(
      '--max-connections-per-address <n>',
      'connections at once of one IP address; 0 as many as there may be; default: twice its sessions, at least 64',
      wholeNumber('--max-connections-per-address'),
    )
    .option(
      '--max-handshakes <n>',
      'TLS handshakes at once with each Runtime Manager, shared by address',
      wholeNumber('--max-handshakes'),
      SERVER_DEFAULTS.maxHandshakes,
    )
    .option(
      '--handshake-timeout-ms <n>',
      'milliseconds of a TLS handshake, however many bytes come',
      wholeNumber('--handshake-timeout-ms'),
      SERVER_DEFAULTS.handshakeTimeoutMs,
    )
    .addOption(
      new Option('--bind-sessions <to>', 'what a session is bound to whose client shows no secret, as an original one')
        .choices(SESSION_BINDINGS)
        .default(SERVER_DEFAULTS.bindSessions),
    )
    .option(
      '--idle-timeout-ms <n>',
      'milliseconds after which an idle session is closed; 0 never',
      wholeNumber('--idle-timeout-ms'),
      SERVER_DEFAULTS.idleTimeoutMs,
    )
    .option(
      '--start-timeout-ms <n>',
      'milliseconds that it waits at the start for what is not there yet, Runtime Manager or attestation server; 0 for ever',
      wholeNumber('--start-timeout-ms'),
      SERVER_DEFAULTS.startTimeoutMs,
    )
    .option(
      '--no-renew-certificates',
      'let the certificates of the Runtime Managers expire: original ones forget their files at a renewal',
    );
  return addRecordingOptions(addLinkTlsOptions(addNumberFlags(addNumberFlags(command, NUMBERS, SERVER_DEFAULTS), OF_MANAGERS, {})))
    .addOption(LOG_LEVEL)
    .addHelpText(
      'after',
      `
Examples:
  veracruz-streams server --policy policy.json --runtime tcp://127.0.0.1:6000
  veracruz-streams server --listen tcp://0.0.0.0:3011 --runtime tcp://127.0.0.1:6000
  veracruz-streams server --runtime unix:///run/console0 --arrangement icecap
  veracruz-streams server --direct tcp://0.0.0.0:3012 --runtime tcp-listen://127.0.0.1:6000 --dialect head`,
    )
    .action((named: string | undefined, flags: ServerFlags) => recorded(flags, 'server', () => prepare(named, flags)));
}

/** Checks all that can be checked before a port is taken; gives what runs the Server. */
function prepare(named: string | undefined, flags: ServerFlags): () => Promise<void> {
  const log = stderrLog(flags.logLevel);
  const policy = oneOf('--policy', flags.policy, named);
  const options: ServerOptions = {
    ...definedOf({
      listen: addressOf(flags.listen),
      direct: addressOf(flags.direct),
      attestation: flags.attestation === false ? false : addressOf(flags.attestation, 'http'),
    }),
    ...(policy === undefined ? {} : { policy: readText(policy) }),
    runtime: flags.runtime.map((address) => ({
      address: addressOf(address),
      ...linkOf(flags),
      hello: flags.hello === true,
      ...numbersOf(OF_MANAGERS, flags),
    })),
    askAhead: flags.askAhead,
    ...linkTlsOf(flags),
    maxBodyBytes: flags.maxBodyBytes,
    maxSessionsPerAddress: flags.maxSessionsPerAddress,
    maxConnections: flags.maxConnections,
    ...definedOf({ maxConnectionsPerAddress: flags.maxConnectionsPerAddress }),
    maxHandshakes: flags.maxHandshakes,
    handshakeTimeoutMs: flags.handshakeTimeoutMs,
    bindSessions: flags.bindSessions,
    idleTimeoutMs: flags.idleTimeoutMs,
    startTimeoutMs: flags.startTimeoutMs,
    ...numbersOf(NUMBERS, flags),
    renewCertificates: flags.renewCertificates,
    log,
  };
  checkOptions(options);
  const start = (signal: AbortSignal) => VeracruzServer.start({ ...options, signal });
  return () => runRole(start, (server) => server.url, log);
}
