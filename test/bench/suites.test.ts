/** Tiny runs: that the suites work and what they write. How fast anything is, no test asks. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { makePki } from '../../bench/harness/pki.js';
import type { Result } from '../../bench/harness/result.js';
import { runRequests } from '../../bench/requests/suite.js';
import { checkResults, runBench, runSuite } from './run.js';

const LINUX = process.platform === 'linux';

void t.test('bench files', async (t) => {
  const run = await runSuite(t, ['files', '--bytes', '1M', '--sessions', '1,2', '--rounds', '2', '--only', '^(full|node:tls) ']);
  checkResults(t, run.results);
  const { node, cpu } = run.machine;
  t.ok(
    run.results.every((result) => result.node === node && result.cpu === cpu),
    'where it was made',
  );
  t.same(
    run.results.map(({ name, medium, sessions }) => `${name} ${medium} ${sessions}`),
    ['memory 1', 'memory 2', 'disk 1'].flatMap((group) =>
      ['full upload', 'node:tls upload', 'full download', 'node:tls download'].map((name) => `${name} ${group}`),
    ),
  );
  const full = run.results[0] as Result;
  t.match(full, { suite: 'files', by: 'veracruz-streams', bytes: 2 ** 20, rounds: 2 });
  t.ok((full.ratioTo['node:tls'] ?? 0) > 0);
  t.ok((run.results[4]?.ratioTo['1 session'] ?? 0) > 0);
  t.notMatch(run.flags, 'json', 'where it went is nobody\u2019s business');
  if (LINUX) {
    t.same(Object.keys(full.peakRssMb ?? {}), ['client', 'server', 'manager']);
    t.same(Object.keys(full.cpuSeconds ?? {}), ['client', 'server', 'manager']);
  }
});

void t.test('requests, by the suite itself', async (t) => {
  const plan = { sessions: [1, 3], rounds: 2, milliseconds: 30, warmUpRounds: 0, only: /write$|^full / };
  const lines: string[] = [];
  const results = await runRequests(plan, makePki(), (line) => lines.push(line));
  checkResults(t, results);
  t.equal(results.length, 2 * 7);
  t.equal(lines.length, 2 * 8);
  for (const { requestsPerSecond = 0, latencyMs } of results) {
    t.ok(requestsPerSecond > 0);
    t.ok(latencyMs && latencyMs.p50 > 0 && latencyMs.p50 <= latencyMs.p99 && latencyMs.p99 <= latencyMs.p999);
  }
  const write = results.find(({ name }) => name === 'full write');
  t.same(Object.keys(write?.ratioTo ?? {}), ['https', '@grpc/grpc-js']);
  t.same(await runRequests({ ...plan, only: /nothing/ }, makePki(), () => {}), []);
});

void t.test('wrong use of the command', async (t) => {
  for (const args of [['dances'], ['files', '--bytes', 'many'], ['files', '--rounds', '0'], ['layers', '--only', '(']]) {
    const { code, stderr } = await runBench('main', args);
    t.equal(code, 1, args.join(' '));
    t.match(stderr, /error|no such/i);
  }
});

void t.test('profile', async (t) => {
  const out = mkdtempSync(join(tmpdir(), 'vc-bench-'));
  t.teardown(() => rmSync(out, { recursive: true, force: true }));
  const { code, stdout, stderr } = await runBench('profile/main', ['full-download', '--bytes', '1M', '--out', out]);
  t.equal(code, 0, stderr);
  t.match(stdout, /ns a byte +client +server +manager +sum/);
  t.same(
    readdirSync(out).sort(),
    ['client', 'manager', 'server'].map((role) => `full-download-${role}.cpuprofile`),
  );
  const requests = await runBench('profile/main', ['direct-write', '--milliseconds', '100', '--sessions', '2', '--out', out]);
  t.equal(requests.code, 0, requests.stderr);
  t.match(requests.stdout, /^direct write, 2 sessions: \d+\/s/);
  t.match(requests.stdout, /µs a request +client +manager +sum/);
  const { code: wrong } = await runBench('profile/main', ['full-sideways']);
  t.equal(wrong, 1);
});
