/** The demo, as `npm run demo` runs it, and what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { measureRuntime } from '../../lib/attestation/evidence/index.js';
import type { Counters, Leg } from '../../lib/cli/demo/client-process.js';
import { generatedFile, parseSize } from '../../lib/cli/demo/generated.js';
import { bytesByLayer, bytesMatch, type DemoReport, exitCodeOf, formatReport } from '../../lib/cli/demo/report.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import '../support/processes.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');

interface Run {
  child: ChildProcess;
  stdout: string;
  stderr: string;
  /** Exit code, or the signal. */
  ended: Promise<number | string | null>;
  /** Where its temporary files are, and nobody else's. */
  temporary: string;
}

function start(t: Pick<Test, 'teardown'>, ...args: string[]): Run {
  const temporary = mkdtempSync(join(tmpdir(), 'vc-demo-test-'));
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const run: Run = {
    child,
    stdout: '',
    stderr: '',
    temporary,
    // 'close': when all that was written has been read.
    ended: once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string | null),
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    run.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    run.stderr += text;
  });
  t.teardown(() => {
    child.kill('SIGKILL');
    rmSync(temporary, { recursive: true, force: true });
  });
  return run;
}

const PROCESSES = ['attestation', 'runtime', 'server', 'alice', 'bob'];

/** The children of a process; undefined where the system does not tell. */
function childrenOf(pid: number): number[] | undefined {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return undefined;
  return readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number);
}

const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

function sha256(chunks: Iterable<Buffer>): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

void t.test('--json: one line, and nothing else', async (t) => {
  const run = start(t, '--size', '3M', '--json');
  t.equal(await within('the demo', run.ended), 0);
  t.equal(run.stderr, '');
  t.match(run.stdout, /^\{.*\}\n$/);
  const report = JSON.parse(run.stdout) as DemoReport;
  const bytes = 3 * 2 ** 20;
  t.match(report, { match: true, bytes, sha256: sha256(generatedFile(bytes)), posts: Number });
  t.same(
    report.layers.map(({ layer }) => layer),
    ['file', 'protobuf', 'length-prefix', 'tls', 'records', 'base64', 'session', 'HTTP over TCP'],
  );
  for (const leg of ['upload', 'download'] as const) {
    t.ok(report[leg].mbPerSecond > 0);
    t.equal(report.layers[0]?.[leg], bytes);
    const steps = report.layers.map((row) => row[leg]);
    t.ok(
      steps.every((step, i) => i === 0 || step >= (steps[i - 1] as number)),
      `no layer makes it less: ${steps.join(', ')}`,
    );
    const base64 = report.layers.find(({ layer }) => layer === 'base64');
    t.ok(Math.abs((base64?.[`${leg}Overhead`] ?? 0) - 1 / 3) < 0.01, 'base64 costs a third');
  }
  t.same(Object.keys(report.peakMemory), PROCESSES);
  t.same(Object.keys(report.cpuSeconds), PROCESSES);
  t.match(report.attested, { deviceId: Number, runtimeHash: (await measureRuntime()).toString('hex'), policyHash: /^[0-9a-f]{64}$/ });
  t.match(report.computation, { exitCode: 0, entries: { alice: 1500, bob: 1000, common: 500 }, match: true, milliseconds: Number });
  t.same(readdirSync(run.temporary), []);
});

void t.test('a file of one’s own, as people read it', async (t) => {
  const path = join(PROJECT_ROOT, 'package-lock.json');
  const run = start(t, path);
  t.equal(await within('the demo', run.ended), 0);
  const content = readFileSync(path);
  t.match(
    run.stdout,
    /^attested: device \d+, runtime hash [0-9a-f]{64}\npolicy: {3}SHA-256 [0-9a-f]{64}\ncomputed: \/program\/intersection\.wasm, exit code 0 after \d+ ms: 500 in common of 1500 and 1000\n/,
  );
  t.ok(run.stdout.includes(`\n${path}: ${content.length} bytes, SHA-256 ${sha256([content])}\n`));
  t.match(run.stdout, /\nThe result is right\.\nThe bytes match\.\n$/);
  for (const row of ['layer', 'file', 'protobuf', 'length-prefix', 'tls', 'records', 'base64', 'session', 'HTTP over TCP']) {
    t.match(run.stdout, new RegExp(`^${row} `, 'm'));
  }
  t.match(run.stdout, /^peak memory: attestation .*, runtime .*, server .*, alice .*, bob /m);
  // Standard error is no terminal here: lines, without anything that moves the cursor.
  t.notMatch(run.stderr, '\u001b');
  t.notMatch(run.stderr, '\r');
  t.match(
    run.stderr,
    /^attestation {5}at http:\/\/127\.0\.0\.1:\d+\nruntime manager at tcp:\/\/127\.0\.0\.1:\d+\nserver {10}at http:\/\/127\.0\.0\.1:\d+; the manager is attested: device \d+\n/,
  );
  t.same(readdirSync(run.temporary), []);
});

void t.test('nothing is a file, too', async (t) => {
  const run = start(t, '--size', '0', '--json');
  t.equal(await within('the demo', run.ended), 0);
  t.match(JSON.parse(run.stdout), { match: true, bytes: 0, sha256: sha256([]) });
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  void t.test(`${signal} in the middle leaves no process and no file`, async (t) => {
    // So large that it cannot be over; it is never written down as a whole.
    const run = start(t, '--size', '1T');
    const pid = run.child.pid as number;
    // All are there, and the store has a file that is being written.
    let children: number[] = [];
    await until('the transfer', () => {
      children = childrenOf(pid) ?? [];
      const pending = readdirSync(run.temporary).map((name) => join(run.temporary, name, 'store', 'pending'));
      return run.stderr.includes('server ') && pending.some((folder) => existsSync(folder) && readdirSync(folder).length > 0);
    });
    if (childrenOf(pid) !== undefined) t.equal(children.length, PROCESSES.length);
    run.child.kill(signal);
    t.equal(await within('the end', run.ended), 130);
    t.same(readdirSync(run.temporary), [], 'no file');
    t.same(children.filter(alive), [], 'no process');
    t.match(run.stderr, 'interrupted\n');
    t.equal(run.stdout, '', 'no report');
  });
}

void t.test('SIGINT before all are there leaves nothing either', async (t) => {
  const run = start(t, '--size', '1M');
  const pid = run.child.pid as number;
  let children: number[] = [];
  // The folder is there before any process, the key before the attestation server.
  await until('its beginning', () => {
    children = childrenOf(pid) ?? [];
    return children.length > 0 || (childrenOf(pid) === undefined && readdirSync(run.temporary).length > 0);
  });
  run.child.kill('SIGINT');
  t.equal(await within('the end', run.ended), 130);
  t.match(run.stderr, /\ninterrupted\n$/, 'that is the last that is told');
  t.same(readdirSync(run.temporary), []);
  t.same(children.filter(alive), []);
});

const noProc = childrenOf(process.pid) === undefined && 'needs /proc';
void t.test('a role that dies fails the demo, and all the others go', { skip: noProc }, async (t) => {
  const run = start(t, '--size', '1T');
  const pid = run.child.pid as number;
  let children: number[] = [];
  await until('all of them', () => {
    children = childrenOf(pid) ?? [];
    return children.length === PROCESSES.length;
  });
  process.kill(children[0] as number, 'SIGKILL');
  t.equal(await within('the end', run.ended), 1);
  t.equal(run.stdout, '');
  t.match(run.stderr.trimEnd().split('\n').at(-1), /^veracruz-streams: .*\(ERR_VC_TRANSPORT\)$/);
  t.same(children.filter(alive), []);
  t.same(readdirSync(run.temporary), []);
});

const leg = (sha: string, bytes: number): Leg => ({
  sha256: sha,
  seconds: 2,
  traffic: [
    {
      layer: 'base64',
      outbound: { bytesIn: bytes, bytesOut: bytes * 2, chunks: 1, errors: 0 },
      inbound: { bytesIn: bytes * 2, bytesOut: bytes, chunks: 1, errors: 0 },
    },
  ],
  wire: { bytesOut: bytes * 3, bytesIn: bytes * 3, posts: 1 },
});

void t.test('the table counts each leg by itself, and nothing before them', async (t) => {
  const [before, up, down]: [Counters, Leg, Leg] = [leg('', 50), leg('a', 150), leg('a', 350)];
  t.same(bytesByLayer(200, before, up, down), [
    { layer: 'file', upload: 200, uploadOverhead: 0, download: 200, downloadOverhead: 0 },
    { layer: 'base64', upload: 200, uploadOverhead: 0, download: 400, downloadOverhead: 1 },
    { layer: 'HTTP over TCP', upload: 300, uploadOverhead: 0.5, download: 600, downloadOverhead: 0.5 },
  ]);
  t.ok(
    bytesByLayer(0, leg('', 0), leg('a', 0), leg('a', 0)).every((row) => row.uploadOverhead === 0),
    'nothing by nothing is nothing',
  );
});

void t.test('bytes that do not match, or a wrong result, cannot pass for a success', async (t) => {
  const computation = { program: '/program/x', exitCode: 0, entries: { alice: 2, bob: 2, common: 1 }, match: true, milliseconds: 1 };
  const report: DemoReport = {
    file: 'x',
    bytes: 1,
    sha256: 'a',
    match: bytesMatch(leg('a', 1), leg('b', 1)),
    upload: { seconds: 1, mbPerSecond: 1 },
    download: { seconds: 1, mbPerSecond: 1 },
    layers: bytesByLayer(1, leg('', 0), leg('a', 1), leg('b', 1)),
    posts: 1,
    attested: { deviceId: 1, runtimeHash: 'a', policyHash: 'b' },
    computation,
    peakMemory: { runtime: undefined },
    cpuSeconds: { runtime: undefined },
  };
  t.equal(report.match, false);
  t.equal(exitCodeOf(report), 1);
  t.match(formatReport(report), /\nThe result is right\.\nTHE BYTES DO NOT MATCH\.$/);
  const good = { ...report, match: bytesMatch(leg('a', 1), leg('a', 2)) };
  t.equal(exitCodeOf(good), 0);
  t.match(formatReport(good), /\nThe bytes match\.$/);
  const wrong = { ...good, computation: { ...computation, match: false } };
  t.equal(exitCodeOf(wrong), 1);
  t.match(formatReport(wrong), /\nTHE RESULT IS WRONG\.\nThe bytes match\.$/);
});

void t.test('sizes', async (t) => {
  for (const [text, bytes] of [
    ['0', 0],
    ['123456', 123_456],
    ['1k', 1024],
    ['1.5K', 1536],
    ['3M', 3 * 2 ** 20],
    ['2GiB', 2 ** 31],
    ['1TB', 2 ** 40],
    ['', undefined],
    ['M', undefined],
    ['-1', undefined],
    ['1e9', undefined],
    ['1 M', undefined],
    ['99999999T', undefined],
  ] as const) {
    t.equal(parseSize(text), bytes, text);
  }
});

void t.test('the generated file is the same every time, and has its length', async (t) => {
  for (const length of [0, 1, 262_143, 262_144, 262_145, 1_000_000]) {
    t.equal(Buffer.concat([...generatedFile(length)]).length, length);
  }
  t.equal(sha256(generatedFile(600_000)), sha256(generatedFile(600_000)));
  const whole = Buffer.concat([...generatedFile(600_000)]);
  t.ok(whole.subarray(0, 1000).equals(Buffer.concat([...generatedFile(1000)])), 'a shorter one is its beginning');
});
