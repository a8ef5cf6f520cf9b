import { statSync } from 'node:fs';
import { Command, Option } from 'commander';
import { definedOf } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { DIALECTS, type Dialect } from '../../layers/formats/dialect.js';
import { TLS_DEFAULTS } from '../../layers/tls/index.js';
import { checkOptions } from '../../roles/client/check-options.js';
import { CLIENT_DEFAULTS, type ClientOptions, VeracruzClient } from '../../roles/client/client.js';
import { COMPUTE_TIMEOUT_MS } from '../../roles/client/server-connection.js';
import type { FileSource } from '../../roles/client/source.js';
import { pour } from '../../roles/client/transfer.js';
import { expiryOf } from '../../roles/client/trust.js';
import { HTTP_EXCHANGE_DEFAULTS } from '../../transports/http-client.js';
import { Interrupted, readUnsized } from '../exit.js';
import { addressOf, logLevel, readKey, readText, wholeNumber } from '../flags.js';
import { addNumberFlags, numbersOf } from '../number-flags.js';
import { addRecordingOptions, type RecordingFlags, recorded } from '../recording-flags.js';
import { stderrLog } from '../role-process.js';
import { isSameFile } from '../same-file.js';
import { print, standardOutput } from '../standard-output.js';
import { Shown } from './shown.js';
import { checkSources, checkStreams, checkTargets, parseTransfers, type Transfer } from './transfers.js';

/** Flags of limits and deadlines that few need. */
const NUMBERS = {
  answerTimeoutMs: 'milliseconds without a sign of life of an answer, and of bytes that are to leave; 0 waits for ever',
  computeTimeoutMs: 'milliseconds that a program or a pipeline may run; 0 waits for ever',
  handshakeTimeoutMs: 'milliseconds of the TLS handshake',
  maxMessageBytes: 'bytes that an answer may have, file included',
  maxPieceBytes: 'bytes of a file in one message; a longer file goes out in pieces',
} satisfies Partial<Record<keyof ClientOptions, string>>;
const NUMBER_DEFAULTS = {
  ...CLIENT_DEFAULTS,
  answerTimeoutMs: HTTP_EXCHANGE_DEFAULTS.answerTimeoutMs,
  computeTimeoutMs: COMPUTE_TIMEOUT_MS,
  handshakeTimeoutMs: TLS_DEFAULTS.handshakeTimeoutMs,
};

interface ClientFlags extends RecordingFlags, Partial<Record<keyof typeof NUMBERS, number>> {
  identity: string;
  key: string;
  program: string[];
  programs?: string[];
  data: string[];
  datas?: string[];
  append: string[];
  compute: string[];
  computes?: string[];
  output: string[];
  outputs?: string[];
  result?: string[];
  results?: string[];
  outputMode: number;
  shutdown?: boolean;
  quiet?: boolean;
  json?: boolean;
  logLevel: string;
  url?: string;
  direct?: string;
  dialect: Dialect;
  maxInFlight?: number;
  readTimeoutMs: number;
  pipeline: string[];
  skipPolicyHash?: boolean;
  skipRuntimeHash?: boolean;
}

/** One thing that was done, as `--json` prints it. */
interface Done {
  readonly operation: string;
  readonly name?: string;
  readonly bytes?: number;
  readonly exitCode?: number;
}

/** The mode of a file, in octal. Throws `InvalidArgumentError`. */
function fileMode(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw new InvalidArgumentError(`--output-mode is three octal digits like 640, not ${JSON.stringify(text)}`, { got: text });
}

const collect = (value: string, before: string[] = []) => [...before, value];

/** `veracruz-streams client` */
export function clientCommand(): Command {
  const command = new Command('client')
    .description('Provision programs and data, compute, and fetch results, through a Veracruz Server.')
    .argument('<policy>', 'the policy, JSON: says where the Server is and whom to trust')
    .requiredOption('-i, --identity <file>', 'our certificate, PEM')
    .requiredOption('-k, --key <file>', 'its private key, PEM')
    .option('-p, --program <[name=]path,…>', 'programs to write', collect, [])
    .option('-d, --data <[name=]path,…>', 'data to write; - is standard input', collect, [])
    .option('--append <[name=]path,…>', 'data to append', collect, [])
    .option('-c, --compute <name,…>', 'programs to run, by their names at the manager', collect, [])
    .option('--pipeline <index,…>', 'pipelines of the policy to run, by their indices or names (head dialect)', collect, [])
    .option('-o, --output <[name=]path,…>', 'files to read; - is standard output', collect, [])
    .addOption(
      new Option('--output-mode <octal>', 'mode of the files of -o, as chmod has it')
        .argParser(fileMode)
        .default(CLIENT_DEFAULTS.outputMode, '600'),
    )
    // The original's other spellings.
    .addOption(new Option('--programs <…>').argParser(collect).hideHelp())
    .addOption(new Option('--datas <…>').argParser(collect).hideHelp())
    .addOption(new Option('--computes <…>').argParser(collect).hideHelp())
    .addOption(new Option('--outputs <…>').argParser(collect).hideHelp())
    .addOption(new Option('--result <…>').argParser(collect).hideHelp())
    .addOption(new Option('--results <…>').argParser(collect).hideHelp())
    .option('-s, --shutdown', 'ask the Runtime Manager to end afterwards; without it, that is done when there was an output')
    .option('-n, --no-shutdown', 'do not')
    .option('--url <url>', 'the Server, instead of what the policy says: http://host:port')
    .option('--direct <address>', 'TLS straight over TCP instead of HTTP: tcp://host:port')
    .addOption(new Option('--dialect <name>', 'what the Runtime Manager speaks').choices([...DIALECTS]).default(CLIENT_DEFAULTS.dialect))
    .option(
      '--max-in-flight <n>',
      'POSTs that may be open at once, 1 to 16; 1 for a proxy that takes them one by one; default: 4',
      wholeNumber('--max-in-flight'),
    )
    .option(
      '--read-timeout-ms <n>',
      'milliseconds in which something of an output must be taken, by the pipe or device that it goes to; 0 waits for ever',
      wholeNumber('--read-timeout-ms'),
      CLIENT_DEFAULTS.readTimeoutMs,
    )
    .option('--skip-policy-hash', 'talk to a manager that runs another policy than this one')
    .option('--skip-runtime-hash', 'talk to a manager of any code: nothing then says that it keeps to the policy');
  return addRecordingOptions(addNumberFlags(command, NUMBERS, NUMBER_DEFAULTS), { tls: true })
    .addOption(logLevel('silent'))
    .option('-q, --quiet', 'no status and no progress on standard error')
    .option('--json', 'print what was done as one line of JSON on standard error')
    .addHelpText(
      'after',
      `
Done in this order: programs, data, appends, computes, pipelines, outputs, shutdown. Before any of it the manager's
certificate and its policy are compared with this policy. A program or pipeline that ends with another code than 0 is
the last thing done: no outputs, no shutdown, and this exits with 1.

Examples:
  veracruz-streams client policy.json -i alice.pem -k alice.key -p /program/sum.wasm=./sum.wasm
  veracruz-streams client policy.json -i bob.pem -k bob.key -d /input/a.dat=./a.dat -c /program/sum.wasm -o /output/sum=./sum -n
  tar c . | veracruz-streams client policy.json -i bob.pem -k bob.key -d /input/all.tar=-`,
    )
    .action((policy: string, flags: ClientFlags) => recorded(flags, 'client', () => prepare(policy, flags)));
}

/** Checks all that can be checked before anybody is asked for anything; gives what does it. */
function prepare(policyPath: string, flags: ClientFlags): () => Promise<void> {
  const writes = parseTransfers([...flags.program, ...(flags.programs ?? []), ...flags.data, ...(flags.datas ?? [])], 'stdin');
  const appends = parseTransfers(flags.append, 'stdin');
  const computes = [...flags.compute, ...(flags.computes ?? [])].flatMap((names) => names.split(','));
  const pipelines = flags.pipeline.flatMap((names) => names.split(','));
  const asked = [flags.output, flags.outputs, flags.result, flags.results].flatMap((texts) => texts ?? []);
  const outputs = parseTransfers(asked, 'stdout');
  checkStreams([...writes, ...appends], 'standard input');
  checkStreams(outputs, 'standard output');
  // Before anything is sent: what is done is not taken back when a later one fails.
  checkSources([...writes, ...appends]);
  checkTargets(outputs);
  checkRecordings(outputs, flags);
  // As the original: an output ends the service unless told otherwise. Commander folds -s and -n into one flag.
  const shutdown = flags.shutdown ?? outputs.length > 0;
  if (writes.length + appends.length + computes.length + pipelines.length + outputs.length === 0 && !shutdown) {
    throw new InvalidArgumentError('nothing to do: name a program, data, a computation or an output (--help shows how)');
  }
  if (flags.url !== undefined && flags.direct !== undefined) {
    throw new InvalidArgumentError('--url and --direct both say where the Server is: leave one out');
  }
  const jobs = { writes, appends, computes, pipelines, outputs, shutdown };
  const options = optionsOf(policyPath, flags);
  checkOptions(options);
  return () => interruptible((signal) => perform({ ...options, signal }, flags, jobs, signal));
}

/** Runs `work` until it is over, or SIGINT or SIGTERM ends it. @throws Interrupted */
async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort(new Error(signal)));
  try {
    await work(abort.signal);
  } catch (error) {
    throw abort.signal.aborted ? new Interrupted() : error;
  }
}

/** What the flags say of the connection. */
function optionsOf(policyPath: string, flags: ClientFlags): ClientOptions {
  const url = addressOf(flags.direct) ?? addressOf(flags.url, 'http');
  return {
    policy: readText(policyPath),
    ...(url === undefined ? {} : { url }),
    identity: { certificate: readText(flags.identity), key: readKey(flags.key) },
    skipPolicyHash: flags.skipPolicyHash === true,
    skipRuntimeHash: flags.skipRuntimeHash === true,
    dialect: flags.dialect,
    ...definedOf({ maxInFlight: flags.maxInFlight }),
    readTimeoutMs: flags.readTimeoutMs,
    ...numbersOf(NUMBERS, flags),
  };
}

/** A recording that is another output, too, would be replaced by that. */
function checkRecordings(outputs: readonly Transfer[], { trace, pcap }: ClientFlags): void {
  for (const { local } of outputs) {
    for (const [flag, path] of [
      ['--trace', trace],
      ['--pcap', pcap],
    ] as const) {
      if (path === undefined || local === '-' || !isSameFile(path, local)) continue;
      throw new InvalidArgumentError(`${flag} ${path} and the output ${local} are the same file: each needs one of its own`);
    }
  }
}

/** What the flags ask for. */
interface Jobs {
  readonly writes: readonly Transfer[];
  readonly appends: readonly Transfer[];
  readonly computes: readonly string[];
  readonly pipelines: readonly string[];
  readonly outputs: readonly Transfer[];
  readonly shutdown: boolean;
}

async function perform(options: ClientOptions, flags: ClientFlags, jobs: Jobs, signal: AbortSignal): Promise<void> {
  const { writes, appends, computes, pipelines, outputs, shutdown } = jobs;
  warnOf(flags);
  const expiry = expiryOf(options.identity);
  if (expiry !== undefined) warn(`our certificate ${flags.identity} expires at ${expiry.toISOString()}`);
  const client = await VeracruzClient.connect(options);
  const log = stderrLog(flags.logLevel);
  log('info', 'connected');
  const done: Done[] = [];
  const did = (what: Done) => {
    done.push(what);
    log('info', 'done', { ...what });
  };
  const shown = new Shown({ quiet: flags.quiet === true, json: flags.json === true });
  client.on('progress', (progress) => shown.update(progress));
  try {
    for (const transfer of writes) did({ operation: 'write', ...(await send(client, 'writeFile', transfer, shown)) });
    for (const transfer of appends) did({ operation: 'append', ...(await send(client, 'appendFile', transfer, shown)) });
    let failed = false;
    const ended = (operation: 'compute' | 'pipeline', name: string, exitCode: number) => {
      did({ operation, name, exitCode });
      shown.ended(operation === 'compute' ? name : `pipeline ${name}`, exitCode);
      failed = exitCode !== 0;
    };
    for (const name of computes) {
      if (failed) break;
      shown.say(`computing ${name}`);
      ended('compute', name, await client.compute(name));
    }
    for (const name of pipelines) {
      if (failed) break;
      shown.say(`running pipeline ${name}`);
      ended('pipeline', name, await client.runPipeline(name));
    }
    // Outputs of a program that failed would look like results.
    if (failed) process.exitCode = 1;
    else {
      for (const transfer of outputs) did({ operation: 'read', ...(await fetch(client, transfer, flags, shown, signal)) });
      if (shutdown) {
        await client.shutdown();
        did({ operation: 'shutdown' });
      }
    }
  } finally {
    shown.end();
    await client.close().catch(() => {});
  }
  if (flags.json === true) await print(`${JSON.stringify(done)}\n`, 'stderr');
}

/** A check that is left out is told, whatever else is kept quiet. */
function warnOf({ skipPolicyHash, skipRuntimeHash }: ClientFlags): void {
  if (skipPolicyHash === true) warn('the policy of the Runtime Manager is not checked (--skip-policy-hash): it may be any other');
  if (skipRuntimeHash === true) {
    warn('the code of the Runtime Manager is not checked (--skip-runtime-hash): it may do with your data what it likes');
  }
}

function warn(text: string): void {
  process.stderr.write(`veracruz-streams: WARNING: ${text}\n`);
}

async function send(
  client: VeracruzClient,
  method: 'writeFile' | 'appendFile',
  { remote, local }: Transfer,
  shown: Shown,
): Promise<{ name: string; bytes: number }> {
  let bytes = 0;
  shown.say(`${method === 'writeFile' ? 'writing' : 'appending to'} ${remote}`);
  await client[method](remote, sourceOf(local), {
    onProgress: (progress) => {
      bytes = progress.bytes;
    },
  });
  return { name: remote, bytes };
}

/** A pipe has no size, and comes as standard input does. */
function sourceOf(local: string): FileSource {
  if (local === '-') return process.stdin;
  return statSync(local, { throwIfNoEntry: false })?.isFile() === false ? readUnsized(local) : { path: local };
}

async function fetch(
  client: VeracruzClient,
  { remote, local }: Transfer,
  { outputMode: mode, readTimeoutMs: timeoutMs }: ClientFlags,
  shown: Shown,
  signal: AbortSignal,
): Promise<{ name: string; bytes: number }> {
  shown.say(`reading ${remote}`);
  if (local !== '-') return { name: remote, ...(await client.readFile(remote, { to: { path: local }, mode, signal })) };
  const body = await client.readFile(remote, { signal });
  // The result is known to be written before success is told, and before the service is asked to end.
  await pour(body, standardOutput(), 'standard output', { signal, timeoutMs });
  return { name: remote, bytes: body.length };
}
