import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { readAuthority } from '../attestation/authority.js';
import {
  CONFORMANCE_CASES,
  CONFORMANCE_DEFAULTS,
  checkPeerAddress,
  choose,
  conform,
  type Ended,
  type Listening,
  type Material,
  makeMaterial,
  PREPARATION_DEFAULTS,
  type Preparation,
  type Report,
  readMaterial,
  type StartClient,
  type Target,
  type TargetName,
  type Trying,
  writeMaterial,
} from '../conformance/index.js';
import { jsonOf } from '../conformance/report/json.js';
import { junitOf } from '../conformance/report/junit.js';
import { lineOf, tableOf } from '../conformance/report/table.js';
import { InvalidArgumentError, InvalidOptionError } from '../core/errors.js';
import { cannotWrite } from '../core/file-faults.js';
import { DIALECTS, type Dialect } from '../layers/formats/dialect.js';
import { FRAME_KINDS, type FrameKind } from '../layers/frame/index.js';
import { checkTargets } from './client/transfers.js';
import { Interrupted } from './exit.js';
import { addressOf, readKey, readText, wholeNumber } from './flags.js';
import { print } from './standard-output.js';

interface ConformanceFlags {
  readonly dialect: Dialect;
  readonly frame: FrameKind;
  readonly material?: string;
  readonly policy?: string;
  readonly identity?: string;
  readonly key?: string;
  readonly caCert?: string;
  readonly caKey?: string;
  readonly runtimeHash?: string;
  readonly deviceKey?: string;
  readonly only: readonly string[];
  readonly list?: boolean;
  readonly json?: boolean;
  readonly junit?: string;
  readonly ending?: boolean;
  readonly waitMs: number;
  readonly caseMs: number;
  readonly startMs: number;
  readonly attested?: boolean;
  readonly singleLink?: boolean;
  readonly manager: string;
  readonly attestation?: string;
  readonly run?: string;
  readonly idleMs: number;
}

const { waitMs, caseMs } = CONFORMANCE_DEFAULTS;

/** `veracruz-streams conformance` */
export function conformanceCommand(): Command {
  return new Command('conformance')
    .description('Try another implementation against docs/wire.md: the kit plays the other side of a role.')
    .addCommand(prepareCommand())
    .addCommand(serverCommand())
    .addCommand(managerCommand())
    .addCommand(clientCommand())
    .addCommand(attestationCommand())
    .addHelpText('after', HELP);
}

const HELP = `
Verdicts:
  passed    does what docs/wire.md says
  failed    breaks the wire, answers wrongly, hangs, or is gone
  stricter  refuses what the original takes
  weaker    has a weakness of the original that docs/wire.md lists
  skipped   could not be tried; the line says what it needs

Begin with "conformance prepare <folder>", start the peer with the policy in it, and give the folder by --material.
Exit status: 0 nothing failed, 1 something failed, 2 wrong use, 130 interrupted.`;

function prepareCommand(): Command {
  const { serverUrl, attestationUrl, cipherSuite } = PREPARATION_DEFAULTS;
  return new Command('prepare')
    .description('Make what kit and peer must share: a policy, three principals, an authority, a manager’s certificate, a device key.')
    .argument('<folder>', 'where it goes; files in it are replaced')
    .option('--server-url <host:port>', 'where the policy says the Veracruz Server is', serverUrl)
    .option('--attestation-url <host:port>', 'where the policy says the Proxy Attestation Server is', attestationUrl)
    .option('--cipher-suite <name>', 'the suite of the policy', cipherSuite)
    .option('--runtime-hash <digits>', 'the runtime hash of the policy, 64 hexadecimal digits; default: random')
    .action(async (folder: string, flags: Preparation) => {
      await writeMaterial(folder, makeMaterial(flags));
      await print(`${folder}\n`);
    });
}

/** What all targets have. */
function targetCommand(role: TargetName, description: string, address: string): Command {
  return new Command(role)
    .description(description)
    .argument('[address]', address)
    .addOption(new Option('--dialect <name>', 'what the peer speaks; the wire does not say').choices([...DIALECTS]).default('2207'))
    .option('--material <folder>', 'what "conformance prepare" made; the flags below replace parts of it')
    .option('--policy <file>', 'the policy that the peer has')
    .option('--ca-cert <file>', 'certificate of the authority in the policy, PEM')
    .option('--ca-key <file>', 'its private key, PEM')
    .option('--runtime-hash <digits>', 'the runtime hash that goes with it, 64 hexadecimal digits')
    .option('--only <name>', 'this case, concern (with a dot: link.) or section (D.4); may be given several times', gather, [])
    .option('--list', 'list the cases, and try nothing')
    .option('--json', 'print one JSON document instead of lines and a table')
    .option('--junit <file>', 'also write a report in JUnit’s XML')
    .option('--ending', 'also the cases that end the peer; they come last')
    .option('--wait-ms <n>', 'milliseconds for each wait', wholeNumber('--wait-ms'), waitMs)
    .option('--case-ms <n>', 'milliseconds for each case', wholeNumber('--case-ms'), caseMs);
}

const FRAME = new Option('--frame <kind>', 'how messages of the link are framed').choices([...FRAME_KINDS]).default('tcp9');
const IDENTITY = new Option('--identity <file>', 'certificate of a principal who may do everything, PEM');
const KEY = new Option('--key <file>', 'its private key, PEM');

function serverCommand(): Command {
  return targetCommand(
    'server',
    'Try a Veracruz Server: the kit is its clients, its Runtime Manager and its attestation server.',
    SERVER_AT,
  )
    .addOption(FRAME)
    .option('--manager <address>', 'where the kit is its Runtime Manager: tcp-listen://, or tcp:// where it listens', MANAGER_AT)
    .option('--attestation <address>', 'where the kit is its Proxy Attestation Server; needed if it attests its manager')
    .option('--single-link', 'it takes no new link in the place of a lost one: skip what would break it')
    .option('--start-ms <n>', 'milliseconds that the Server has to connect', wholeNumber('--start-ms'), 60_000)
    .addHelpText('after', '\nThe kit listens first: start the Server when it says so.')
    .action((address: string | undefined, flags: ConformanceFlags) =>
      perform('server', flags, () => ({
        role: 'server',
        ...flags,
        address: serverAt(address, flags.dialect),
        attestation: flags.attestation,
        singleLink: flags.singleLink === true,
        material: materialOf(flags),
      })),
    );
}

/** @throws InvalidOptionError */
function serverAt(text: string | undefined, dialect: Dialect): string {
  const address = addressOf(given(text), dialect === 'head' ? 'tcp' : 'http');
  checkPeerAddress(address);
  return address;
}

const SERVER_AT = 'where its clients connect: http://host:port, in head tcp://host:port';
const MANAGER_AT = 'tcp-listen://127.0.0.1:6000';

function managerCommand(): Command {
  return targetCommand('manager', 'Try a Runtime Manager: the kit is its Server and its clients.', 'where it listens: tcp:// or unix://')
    .addOption(FRAME)
    .addOption(IDENTITY)
    .addOption(KEY)
    .option('--attested', 'it has no certificate yet: each link begins with Attestation and Initialize')
    .option('--single-link', 'it takes one link in its life, as an original one: skip what needs more')
    .action((address: string | undefined, flags: ConformanceFlags) =>
      perform('manager', flags, () => ({
        role: 'manager',
        ...flags,
        address: addressOf(given(address)),
        attested: flags.attested === true,
        singleLink: flags.singleLink === true,
        material: materialOf(flags),
      })),
    );
}

function clientCommand(): Command {
  return targetCommand(
    'client',
    'Try a Veracruz Client: the kit is the Server and the Runtime Manager.',
    'where the kit listens: host:port',
  )
    .option('--run <command>', 'starts the client once; run anew for each case, by a shell')
    .option('--idle-ms <n>', 'without --run: milliseconds of silence after which a client is over', wholeNumber('--idle-ms'), 2000)
    .addHelpText('after', CLIENT_HELP)
    .action((address: string | undefined, flags: ConformanceFlags) =>
      perform('client', flags, () => ({
        role: 'client',
        ...flags,
        address: addressOf(given(address)).replace(/^(?:tcp|http):/, 'tcp-listen:'),
        start: flags.run === undefined ? undefined : starting(flags.run),
        material: materialOf(flags),
      })),
    );
}

const CLIENT_HELP = `
The client comes once a case. With --run the kit starts it; without, start it again and again:
  while sleep 1; do veracruz-client policy.json -i alice.pem -k alice.key -d /in=file -o /in=out --no-shutdown; done
It should send a file of more than 256 KiB, and read one.`;

function attestationCommand(): Command {
  return targetCommand('attestation', 'Try a Proxy Attestation Server: the kit is the Server.', 'where it listens: http://host:port')
    .option('--device-key <file>', 'private key of a device that is enrolled, PEM')
    .action((address: string | undefined, flags: ConformanceFlags) =>
      perform('attestation', flags, () => ({
        role: 'attestation',
        address: addressOf(given(address), 'http'),
        dialect: flags.dialect,
        material: materialOf(flags),
      })),
    );
}

function gather(name: string, before: readonly string[]): string[] {
  return [...before, ...name.split(',')];
}

function given(address: string | undefined): string {
  if (address === undefined) throw new InvalidOptionError('an address is needed', { expected: 'address' });
  return address;
}

/** What the flags say that is shared. @throws InvalidArgumentError */
function materialOf(flags: ConformanceFlags): Material {
  const { material, policy, identity, key, caCert, caKey, runtimeHash, deviceKey } = flags;
  if ((identity === undefined) !== (key === undefined)) throw new InvalidArgumentError('--identity and --key belong together');
  if ((caCert === undefined) !== (caKey === undefined)) throw new InvalidArgumentError('--ca-cert and --ca-key belong together');
  if (runtimeHash !== undefined && !/^[0-9a-f]{64}$/i.test(runtimeHash)) {
    throw new InvalidArgumentError(`--runtime-hash is 64 hexadecimal digits, got ${runtimeHash.length} characters`);
  }
  return {
    ...(material !== undefined && readMaterial(material)),
    ...(policy !== undefined && { policy: readText(policy) }),
    ...(identity !== undefined && key !== undefined && { alice: { certificate: readText(identity), key: readKey(key) } }),
    ...(caCert !== undefined && caKey !== undefined && { authority: readAuthority(readText(caCert), readKey(caKey)) }),
    ...(runtimeHash !== undefined && { runtimeHash: Buffer.from(runtimeHash, 'hex') }),
    ...(deviceKey !== undefined && { deviceKey: readKey(deviceKey) }),
  };
}

async function perform(role: TargetName, flags: ConformanceFlags, targetOf: () => Target): Promise<void> {
  if (flags.list === true) return list(role, flags);
  const end = new AbortController();
  const stop = () => end.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  // What would be found wrong only behind a long run is looked at before it.
  if (flags.junit !== undefined) checkTargets([{ remote: 'the report', local: flags.junit }]);
  const report = await conform(targetOf(), tryingOf(role, flags, end.signal));
  try {
    if (flags.junit !== undefined) writeReport(flags.junit, junitOf(report));
  } finally {
    await print(flags.json === true ? `${jsonOf(report)}\n` : `\n${tableOf(report)}\n`);
  }
  if (end.signal.aborted) throw new Interrupted();
  process.exitCode = exitCodeOf(report);
}

function writeReport(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

function exitCodeOf({ counts }: Report): number {
  return counts.failed > 0 ? 1 : 0;
}

function tryingOf(role: TargetName, flags: ConformanceFlags, signal: AbortSignal): Trying {
  const { only, ending = false, json } = flags;
  return {
    only,
    ending,
    waitMs: flags.waitMs,
    caseMs: flags.caseMs,
    startMs: flags.startMs,
    signal,
    onResult: json === true ? () => {} : (result) => process.stdout.write(`${lineOf(result)}\n`),
    onListening: (place) => process.stderr.write(`${listeningText(role, place)}\n`),
  };
}

function listeningText(role: TargetName, { port, attestationPort }: Listening): string {
  if (role === 'client') return `listening on port ${port}: the client may come`;
  const attestation = attestationPort === undefined ? '' : `, its attestation server on port ${attestationPort}`;
  return `${port === undefined ? 'connecting' : `the manager of the Server is on port ${port}`}${attestation}: the Server may be started`;
}

async function list(role: TargetName, { dialect, only, ending = true }: ConformanceFlags): Promise<void> {
  const lines = choose(CONFORMANCE_CASES[role], { dialect, only, ending }).map(
    ({ section, level, name, expects }) => `§${section.padEnd(5)} ${level.padEnd(7)} ${name}: ${expects}`,
  );
  await print(`${lines.join('\n')}\n`);
}

/** Characters of what a client says that are kept. */
const SAID_CHARS = 4096;

/** Starts a client by a shell, in a process group of its own, so that all of it can be ended. */
function starting(command: string): StartClient {
  return (signal) =>
    new Promise<Ended>((resolve) => {
      const child = spawn(command, { shell: true, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-SAID_CHARS);
      });
      const kill = () => {
        try {
          if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
        } catch {
          // It is over already.
        }
      };
      if (signal.aborted) kill();
      signal.addEventListener('abort', kill, { once: true });
      child.on('error', (error) => resolve({ ok: false, said: error.message }));
      child.on('close', (code) => {
        signal.removeEventListener('abort', kill);
        resolve({ ok: code === 0, said: said.trim().split('\n').at(-1) ?? '' });
      });
    });
}
