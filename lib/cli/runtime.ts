import { Command, Option } from 'commander';
import { definedOf } from '../core/check.js';
import type { WasiEngine } from '../enclave/compute/index.js';
import { TLS_DEFAULTS } from '../layers/tls/index.js';
import type { ArrangementName } from '../roles/arrangements.js';
import type { Log } from '../roles/options.js';
import {
  checkOptions,
  RUNTIME_MANAGER_DEFAULTS,
  RuntimeManager,
  type RuntimeManagerOptions,
} from '../roles/runtime-manager/runtime-manager.js';
import { formatAddress } from '../transports/address.js';
import { ARRANGEMENT, addressOf, DIALECT, FRAME, frameOf, LOG_LEVEL, readKey, readText, wholeNumber } from './flags.js';
import { addLinkTlsOptions, type LinkTlsFlags, linkTlsOf } from './link-flags.js';
import { addNumberFlags, numbersOf } from './number-flags.js';
import { addRecordingOptions, type RecordingFlags, recorded } from './recording-flags.js';
import { runRole, stderrLog } from './role-process.js';
import { type AskedAttester, type AttesterFlags, attesterOf } from './runtime/attester.js';
import { addEngineOptions, announceSandbox, type EngineFlags, engineOf } from './runtime/engine.js';
import { addStoreOptions, type StoreFlags, storeOf } from './runtime/store.js';

/** Flags of limits and deadlines that few need. */
const NUMBERS = {
  frameTimeoutMs: 'milliseconds between two bytes of a frame; 0 for ever',
  handshakeTimeoutMs: 'milliseconds of a TLS handshake, and before it for the first byte of a session',
  maxHandshakeBytes: 'bytes of ciphertext of a client until it is admitted; default: what the largest certificate of the policy needs',
  maxSessions: 'TLS sessions at once',
  maxPendingSessions: 'TLS sessions at once whose client is not admitted yet',
  maxUnprovenSessions: 'such sessions of a link that has done nothing yet, while there are others',
  maxBacklogBytes: 'bytes of one session that may wait in memory',
  maxMessageBytes: 'bytes of a message, file included',
  minAppendBytesPerSecond: 'bytes a second of an append that others wait behind; 0 for no limit',
  maxClockSkewMs: 'milliseconds by which our clock may differ from that of who issues its certificates',
} satisfies Partial<Record<keyof RuntimeManagerOptions, string>>;

interface RuntimeFlags
  extends AttesterFlags,
    EngineFlags,
    LinkTlsFlags,
    RecordingFlags,
    StoreFlags,
    Partial<Record<keyof typeof NUMBERS, number>> {
  listen: string;
  connect?: string;
  hello?: boolean;
  arrangement: ArrangementName;
  dialect?: string;
  frame?: string;
  certificate?: string;
  key?: string;
  policy?: string;
  expectedPolicyHash?: string;
  maxLinks: number;
  maxSessionsPerPrincipal: number;
  maxWaitingBytes: number;
  quotaPerPrincipalBytes?: number;
  linkIdleTimeoutMs?: number;
  sessionIdleTimeoutMs: number;
  logLevel: string;
}

/** `veracruz-streams runtime` */
export function runtimeCommand(): Command {
  const command = new Command('runtime')
    .description('Run a Runtime Manager: keeps files for the principals of a policy, and runs programs on them.')
    .option(
      '--listen <address>',
      'where the Server connects: tcp://host:port, unix:///path, serial:///dev/hvc0',
      RUNTIME_MANAGER_DEFAULTS.listen,
    )
    .option('--connect <address>', 'where the Server listens, to connect to it instead')
    .option('--hello', 'say hello on a console when it is open')
    .addOption(ARRANGEMENT)
    .addOption(DIALECT)
    .addOption(FRAME)
    .addOption(
      new Option('--attester <kind>', 'take certificate and policy from the Server, after attestation; software is INSECURE').choices([
        'software',
      ]),
    )
    .option('--device-key <file>', 'private key of the software attester, PEM; made there when there is none')
    .option('--measurement <hex>', 'runtime hash that the software attester tells, 64 hex digits; default: of this code')
    .option('--certificate <file>', 'without attestation: its certificate chain, PEM, its own first')
    .option('--key <file>', 'without attestation: the private key of its certificate, PEM')
    .option('--policy <file>', 'without attestation: the policy')
    .option('--expected-policy-hash <hex>', 'with attestation: SHA-256 of the one policy to take; default: that of whoever comes first')
    .option('--max-links <n>', 'links from Servers at once', wholeNumber('--max-links'), RUNTIME_MANAGER_DEFAULTS.maxLinks)
    .option(
      '--link-idle-timeout-ms <n>',
      'milliseconds after which a silent link that has done nothing yet ends; 0 never; default with an attester: 60000, else 0',
      wholeNumber('--link-idle-timeout-ms'),
    )
    .option(
      '--max-sessions-per-principal <n>',
      'sessions of one principal at once',
      wholeNumber('--max-sessions-per-principal'),
      RUNTIME_MANAGER_DEFAULTS.maxSessionsPerPrincipal,
    )
    .option(
      '--max-waiting-bytes <n>',
      'bytes of all principals that may wait in memory; of one a quarter of it',
      wholeNumber('--max-waiting-bytes'),
      RUNTIME_MANAGER_DEFAULTS.maxWaitingBytes,
    )
    .option(
      '--quota-per-principal-bytes <n>',
      'bytes of the store that one principal may fill; default: all of it',
      wholeNumber('--quota-per-principal-bytes'),
    )
    .option(
      '--session-idle-timeout-ms <n>',
      'milliseconds after which a session ends of which no byte moves, unless a program runs for it; 0 never',
      wholeNumber('--session-idle-timeout-ms'),
      RUNTIME_MANAGER_DEFAULTS.sessionIdleTimeoutMs,
    );
  addNumberFlags(command, NUMBERS, { ...RUNTIME_MANAGER_DEFAULTS, handshakeTimeoutMs: TLS_DEFAULTS.handshakeTimeoutMs });
  return addRecordingOptions(addEngineOptions(addLinkTlsOptions(addStoreOptions(command))), { tls: true })
    .addOption(LOG_LEVEL)
    .addHelpText(
      'after',
      `
Whoever reaches the address of --listen can speak to the manager: keep it private, or give both ends --link-certificate,
--link-key and --link-authority.

Either --attester software and --device-key, or --certificate, --key and --policy.

Examples:
  veracruz-streams runtime --store ./files --attester software --device-key device.key
  veracruz-streams runtime --store ./files --certificate rm.pem --key rm.key --policy policy.json
  veracruz-streams runtime --listen serial:///dev/hvc0 --arrangement icecap --store /files …`,
    )
    .action((flags: RuntimeFlags) => recorded(flags, 'runtime', () => prepare(flags)));
}

/** Checks all that can be checked before anything is made; gives what runs the manager. */
async function prepare(flags: RuntimeFlags): Promise<() => Promise<void>> {
  const log = stderrLog(flags.logLevel);
  const link = frameOf(flags);
  const asked = attesterOf(flags, link.dialect, log);
  const compute = engineOf(flags);
  const options = { ...optionsOf(flags), ...link, ...(compute && { compute }), log };
  await checkOptions({ ...options, ...(asked && { attester: asked.stand }) });
  return () => run(options, asked, compute, log);
}

/** What the flags say, but for the attester, the link and the engine. */
function optionsOf(flags: RuntimeFlags): RuntimeManagerOptions {
  const given = (name: 'certificate' | 'key' | 'policy') =>
    flags[name] === undefined ? {} : { [name]: (name === 'key' ? readKey : readText)(flags[name]) };
  return {
    listen: addressOf(flags.listen),
    ...(flags.connect === undefined ? {} : { connect: addressOf(flags.connect) }),
    hello: flags.hello === true,
    ...linkTlsOf(flags),
    ...definedOf({ expectedPolicyHash: flags.expectedPolicyHash, linkIdleTimeoutMs: flags.linkIdleTimeoutMs }),
    maxLinks: flags.maxLinks,
    maxSessionsPerPrincipal: flags.maxSessionsPerPrincipal,
    maxWaitingBytes: flags.maxWaitingBytes,
    ...definedOf({ quotaPerPrincipalBytes: flags.quotaPerPrincipalBytes }),
    sessionIdleTimeoutMs: flags.sessionIdleTimeoutMs,
    ...numbersOf(NUMBERS, flags),
    ...storeOf(flags),
    ...given('certificate'),
    ...given('key'),
    ...given('policy'),
  };
}

async function run(
  options: RuntimeManagerOptions,
  asked: AskedAttester | undefined,
  compute: WasiEngine | undefined,
  log: Log,
): Promise<void> {
  const attester = await asked?.open();
  // It takes a moment, in which the manager starts too.
  const announced = compute === undefined ? Promise.resolve() : announceSandbox(compute, log);
  announced.catch(() => {});
  try {
    const announcing = async (signal: AbortSignal) => {
      const manager = await RuntimeManager.start({ ...options, ...(attester && { attester }), signal });
      await announced.catch(async (thrown: unknown) => {
        await manager.close();
        throw thrown;
      });
      return manager;
    };
    await runRole(announcing, (manager) => formatAddress(manager.address), log);
  } finally {
    await compute?.close();
  }
}
