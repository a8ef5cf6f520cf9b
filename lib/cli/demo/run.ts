import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { policyHash } from '../../enclave/policy/index.js';
import { TransferProgress } from '../progress.js';
import type { AttestationMethods } from './attestation-process.js';
import { Calls } from './calls.js';
import type { ClientMethods, Leg, ProgressMessage, Transfer } from './client-process.js';
import { type Computation, computation, countOf, INPUTS, OUTPUT, PROGRAM } from './computation.js';
import type { Processes } from './processes.js';
import { bytesByLayer, bytesMatch, type ComputationReport, type DemoReport } from './report.js';
import { type Stage, setStage, TRANSFER_NAME, writePolicy } from './stage.js';

/** The file that goes up and down. */
export interface Source {
  readonly label: string;
  /** Undefined for a generated file. */
  readonly path: string | undefined;
  readonly size: number;
}

type Client = Calls<ClientMethods>;

/**
 * Runs the demo in five processes: attestation, a computation, and a file transfer. `folder` gets its files, also secret
 * ones.
 */
export async function run(source: Source, folder: string, processes: Processes, quiet: boolean): Promise<DemoReport> {
  const say = (text: string) => {
    // What was under way when the demo was interrupted may still come to its end.
    if (!quiet && !processes.ended) process.stderr.write(`${text}\n`);
  };
  const [stage, job] = await Promise.all([setStage(folder), computation()]);
  const { attestation, runtime } = await startTrust(stage, folder, processes);
  say(`attestation     at ${attestation.url}`);
  say(`runtime manager at ${runtime}`);
  const policy = writePolicy(folder, stage, attestation.url, job.module);
  const url = await processes.role('server', [
    ...['server', '--listen', 'tcp://127.0.0.1:0', '--runtime', runtime, '--policy', policy.path, '--log-level', 'warn'],
  ]);
  const attested = await attestation.calls.call('attested', undefined);
  say(`server          at ${url}; the manager is attested: device ${attested.deviceId}`);

  const alice = new Calls<ClientMethods>('alice', processes.own('alice', './client-process.js'));
  const bobProcess = processes.own('bob', './client-process.js');
  const bob = new Calls<ClientMethods>('bob', bobProcess);
  const connect = (client: Client, identity: Stage['alice']) =>
    client.call('connect', { url, policy: policy.text, identity: keysOf(identity) });
  await Promise.all([connect(alice, stage.alice), connect(bob, stage.bob)]);
  say('alice and bob   have found the runtime hash and the policy that they expect');
  const computed = await compute(alice, bob, job);
  say(`${PROGRAM} ended with ${computed.exitCode} after ${computed.milliseconds} ms`);
  const { before, upload, download } = await transfer(bob, bobProcess, source, quiet);
  const rate = (leg: Leg) => ({ seconds: leg.seconds, mbPerSecond: source.size / 1e6 / leg.seconds });
  return {
    file: source.label,
    bytes: source.size,
    sha256: upload.sha256,
    match: bytesMatch(upload, download),
    upload: rate(upload),
    download: rate(download),
    layers: bytesByLayer(source.size, before, upload, download),
    posts: download.wire.posts - before.wire.posts,
    attested: { ...attested, policyHash: policyHash(policy.text) },
    computation: computed,
    peakMemory: processes.peakMemory(),
    cpuSeconds: processes.cpuSeconds(),
  };
}

/**
 * Starts the attestation server and the manager, which are needed before the policy. In parallel, since both take seconds.
 */
async function startTrust({ authority, deviceKey, deviceKeyFile, runtimeHash }: Stage, folder: string, processes: Processes) {
  const calls = new Calls<AttestationMethods>('attestation', processes.own('attestation', './attestation-process.js'));
  const { certificate, key } = authority;
  const [url, runtime] = await Promise.all([
    calls.call('start', { authority: { certificate, key }, deviceKey, runtimeHash }),
    processes.role('runtime', [
      ...['runtime', '--listen', 'tcp://127.0.0.1:0', '--store', join(folder, 'store'), '--scratch', folder, '--log-level', 'error'],
      ...['--attester', 'software', '--device-key', deviceKeyFile],
    ]),
  ]);
  return { attestation: { url, calls }, runtime };
}

function keysOf({ certificate, key }: Stage['alice']): { certificate: string; key: string } {
  return { certificate, key };
}

/** Alice sends the program and her list, and Bob sends his list. Then Bob runs the program, and both read the result. */
async function compute(alice: Client, bob: Client, { module, lists, expected }: Computation): Promise<ComputationReport> {
  const bring = async () => {
    await alice.call('write', { name: PROGRAM, data: module });
    await alice.call('write', { name: INPUTS.alice, data: lists.alice });
  };
  await Promise.all([bring(), bob.call('write', { name: INPUTS.bob, data: lists.bob })]);
  const { exitCode, milliseconds } = await bob.call('compute', PROGRAM);
  const [result, again] = await Promise.all([alice.call('read', OUTPUT), bob.call('read', OUTPUT)]);
  await alice.call('close', undefined);
  return {
    program: PROGRAM,
    exitCode,
    entries: { alice: countOf(lists.alice), bob: countOf(lists.bob), common: countOf(result) },
    match: exitCode === 0 && expected.equals(result) && expected.equals(again),
    milliseconds: Math.round(milliseconds),
  };
}

/** Sends the file and reads it back, and shows the progress. */
async function transfer(client: Client, child: ChildProcess, { path, size }: Source, quiet: boolean): Promise<Transfer> {
  const bars: { write?: TransferProgress; read?: TransferProgress } = {};
  child.on('message', ({ progress }: Partial<ProgressMessage>) => {
    if (progress === undefined) return;
    const leg = progress.operation === 'read' ? 'read' : 'write';
    if (leg === 'read') bars.write?.end();
    bars[leg] ??= new TransferProgress(leg === 'read' ? 'down' : 'up  ', size, { quiet });
    bars[leg].update(progress.bytes);
  });
  try {
    return await client.call('transfer', { name: TRANSFER_NAME, size, path });
  } finally {
    bars.write?.end();
    bars.read?.end();
  }
}
