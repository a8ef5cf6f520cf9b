import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { issue, makeAuthority } from '../../attestation/authority.js';
import { makeKey, pemOf } from '../../attestation/certificate.js';
import { makeIdentity } from '../../attestation/identity.js';
import { InvalidArgumentError, TransportError } from '../../core/errors.js';
import { policyHash } from '../../enclave/policy/index.js';
import { TransferProgress } from '../progress.js';
import type { ClientMessage, ClientTask, Leg } from './client-process.js';
import { parseSize } from './generated.js';
import { Processes } from './processes.js';
import { bytesMatch, type DemoReport, exitCodeOf, formatReport, ladderOf } from './report.js';

interface DemoFlags {
  size?: string;
  json?: boolean;
}

/** `veracruz-streams demo`, which is `npm run demo`. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('Run the three roles as three processes on loopback, send a file through the whole stack, and read it back.')
    .argument('[file]', 'the file to send; default: the node binary that runs this')
    .option('--size <n>', 'send a generated file of this size instead, e.g. 100M or 2G')
    .option('--json', 'print the report as one line of JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  veracruz-streams demo\n  veracruz-streams demo ./data.bin\n  veracruz-streams demo --size 2G --json',
    )
    .action(async (file: string | undefined, flags: DemoFlags) => {
      const report = await demo(sourceOf(file, flags.size), flags.json === true);
      process.stdout.write(`${flags.json === true ? JSON.stringify(report) : formatReport(report)}\n`);
      process.exitCode = exitCodeOf(report);
    });
}

interface Source {
  readonly label: string;
  readonly path: string | undefined;
  readonly size: number;
}

function sourceOf(file: string | undefined, size: string | undefined): Source {
  if (size !== undefined) {
    if (file !== undefined) throw new InvalidArgumentError('give a file or --size, not both');
    const bytes = parseSize(size);
    if (bytes === undefined) throw new InvalidArgumentError(`--size takes bytes like 100M or 2G, got ${size}`);
    return { label: `generated ${size}`, path: undefined, size: bytes };
  }
  const path = file ?? process.execPath;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) throw new InvalidArgumentError(`no such file: ${path}`);
  return { label: path, path, size: found.size };
}

/** Runs the demo; whatever happens, no process and no temporary file is left. */
async function demo(source: Source, quiet: boolean): Promise<DemoReport> {
  const folder = mkdtempSync(join(tmpdir(), 'veracruz-streams-demo-'));
  const processes = new Processes();
  const interrupted = new Promise<never>((_, reject) => {
    const interrupt = () => reject(new Interrupted());
    process.once('SIGINT', interrupt);
    process.once('SIGTERM', interrupt);
  });
  try {
    return await Promise.race([interrupted, transfer(source, folder, processes, quiet)]);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.exitCode = 130;
    process.stderr.write('\ninterrupted\n');
    await processes.end();
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  } finally {
    await processes.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Interrupted extends Error {}

async function transfer(source: Source, folder: string, processes: Processes, quiet: boolean): Promise<DemoReport> {
  const say = (text: string) => {
    if (!quiet) process.stderr.write(`${text}\n`);
  };
  const { files, task } = prepare(folder, source);
  const runtime = await processes.role('runtime', [
    ...['runtime', '--listen', 'tcp://127.0.0.1:0', '--store', join(folder, 'store'), '--log-level', 'warn'],
    ...['--certificate', files.certificate, '--key', files.key, '--identity', files.identity, '--policy', files.policy],
  ]);
  say(`runtime manager at ${runtime}`);
  const url = await processes.role('server', ['server', '--listen', 'tcp://127.0.0.1:0', '--runtime', runtime, '--log-level', 'warn']);
  say(`server          at ${url}`);
  const client = processes.client();
  const died = processes.whenOneDies();
  const bars = { write: undefined as TransferProgress | undefined, read: undefined as TransferProgress | undefined };
  const result = new Promise<{ upload: Leg; download: Leg }>((resolve, reject) => {
    client.on('message', (message: ClientMessage) => {
      if (message.kind === 'failed') reject(new TransportError(`${message.message} (${message.code ?? 'no code'})`, { layer: 'client' }));
      else if (message.kind === 'result') resolve(message);
      else {
        const leg = message.operation === 'read' ? 'read' : 'write';
        if (leg === 'read') bars.write?.end();
        bars[leg] ??= new TransferProgress(leg === 'read' ? 'down' : 'up  ', source.size, { quiet });
        bars[leg].update(message.bytes);
      }
    });
  });
  client.send({ ...task, url } satisfies ClientTask);
  try {
    const { upload, download } = await Promise.race([result, died]);
    const rate = (leg: Leg) => ({ seconds: leg.seconds, mbPerSecond: source.size / 1e6 / leg.seconds });
    return {
      file: source.label,
      bytes: source.size,
      sha256: upload.sha256,
      match: bytesMatch(upload, download),
      upload: rate(upload),
      download: rate(download),
      ladder: ladderOf(source.size, upload, download),
      posts: download.wire.posts,
      peakMemory: processes.peakMemory(),
      cpuSeconds: processes.cpuSeconds(),
    };
  } finally {
    bars.write?.end();
    bars.read?.end();
  }
}

/** Makes the keys, certificates and policy of this run, in a folder that nobody else can read and that is removed. */
function prepare(
  folder: string,
  source: Source,
): { files: Record<'certificate' | 'key' | 'identity' | 'policy', string>; task: Omit<ClientTask, 'url'> } {
  const authority = makeAuthority({ commonName: 'veracruz-streams demo authority' });
  const serverKey = makeKey('ec');
  const server = issue(authority, { subject: 'ComputeEnclave', publicKey: createPublicKey(serverKey) });
  const identity = makeIdentity({ commonName: 'demo client' });
  const policy = JSON.stringify(
    { identities: [{ certificate: identity.certificate.trim(), id: 0, file_rights: [] }], proxy_service_cert: authority.certificate },
    null,
    2,
  );
  const put = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return {
    files: {
      certificate: put('manager.pem', pemOf(server) + authority.certificate),
      key: put('manager.key', serverKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
      identity: put('client.pem', identity.certificate),
      policy: put('policy.json', policy),
    },
    task: {
      identity: { certificate: identity.certificate, key: identity.key },
      authority: authority.certificate,
      expectedPolicyHash: policyHash(policy),
      name: '/input/demo',
      size: source.size,
      path: source.path,
    },
  };
}
