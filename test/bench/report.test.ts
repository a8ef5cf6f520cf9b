import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type Measured, OURS, runOf, writeRun } from '../../bench/harness/result.js';
import { chartsOf } from '../../bench/report/charts.js';
import { reportOf } from '../../bench/report/report.js';
import { svgOf } from '../../bench/report/svg.js';
import { runBench } from './run.js';

const common = { rounds: 5, seconds: 0.5, spread: 0.04, ratioTo: {} };
const MEASURED: Measured[] = [
  ...[2 ** 20, 2 ** 30].flatMap((bytes): Measured[] => [
    {
      ...common,
      suite: 'files',
      name: 'full upload',
      by: OURS,
      bytes,
      sessions: 1,
      medium: 'memory',
      mbPerSecond: 700,
      ratioTo: { 'node:tls': 0.5 },
      peakRssMb: { client: 101.5, server: 99 },
      cpuSeconds: { client: 1.25, server: 1 },
    },
    { ...common, suite: 'files', name: 'node:tls upload', by: 'node:tls', bytes, sessions: 1, medium: 'memory', mbPerSecond: 1400 },
  ]),
  ...[64, 65536].flatMap((messageBytes): Measured[] => [
    {
      ...common,
      suite: 'layers',
      name: 'base64 inbound',
      by: OURS,
      bytes: 1,
      messageBytes,
      mbPerSecond: 2100,
      ratioTo: { 'base64-stream': 3.25 },
    },
    { ...common, suite: 'layers', name: 'base64 inbound', by: 'base64-stream', bytes: 1, messageBytes, mbPerSecond: 646 },
  ]),
  {
    ...common,
    suite: 'requests',
    name: 'full write',
    by: OURS,
    bytes: 6400,
    sessions: 64,
    mbPerSecond: 1,
    requestsPerSecond: 12_345,
    latencyMs: { p50: 1.5, p99: 4.25, p999: 9 },
  },
];
const RUN = runOf(MEASURED, 'files --rounds 5');

void t.test('tables have the figures', (t) => {
  const report = reportOf(RUN, chartsOf(RUN.results));
  t.match(report, '| **full upload** | 700 | 2 % | 0.50 | client 102, server 99 | client 1.25, server 1.00 |');
  t.match(report, '### 1 GiB, memory to memory, one session');
  t.match(report, '| base64 inbound | 64 KiB | 2,100 | 0 | 2 % | 3.25 |');
  t.match(report, '| **full write** | 12,345 | 2 % | 1.50 | 4.25 | 9.00 |');
  t.match(report, RUN.machine.cpu);
  t.match(report, 'made by `npm run bench -- files --rounds 5`');
  for (const { name } of chartsOf(RUN.results)) t.match(report, `(charts/${name}.svg)`);
  t.end();
});

void t.test('a run without results is a report without chapters', (t) => {
  const report = reportOf({ ...RUN, results: [] }, []);
  t.notMatch(report, /^## /m);
  t.end();
});

void t.test('charts are drawn, each with what it shows', async (t) => {
  const charts = chartsOf(RUN.results);
  t.same(
    charts.map(({ name }) => name),
    ['files-1048576-memory-1', 'files-1073741824-memory-1', 'files-upload-by-size', 'layer-base64', 'requests-latency', 'requests-rate'],
  );
  for (const { name, spec } of charts) {
    const svg = await svgOf(spec);
    t.match(svg, /^<svg /, name);
    t.notMatch(svg, /NaN|undefined/, name);
    t.match(svg, name.startsWith('layer') ? 'base64-stream' : name.startsWith('files') ? 'node:tls' : 'full write', name);
  }
});

void t.test('the command writes report and charts, and only its own files', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vc-bench-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const json = join(folder, 'run.json');
  writeRun(json, RUN);
  const made = await runBench('report/main', [json, '--out', folder]);
  t.equal(made.code, 0, made.stderr);
  t.match(readFileSync(join(folder, 'REPORT.md'), 'utf8'), '# Benchmarks');
  const charts = join(folder, 'charts');
  t.equal(readdirSync(charts).length, 6);
  writeFileSync(join(charts, 'old.svg'), '');
  writeFileSync(join(charts, 'note.txt'), '');
  t.equal((await runBench('report/main', [json, json, '--out', folder])).code, 0);
  t.same(
    readdirSync(charts).filter((name) => !/^(files|layer|requests)-/.test(name)),
    ['note.txt'],
    'a chart of an earlier run is gone',
  );
  t.equal((await runBench('report/main', [join(folder, 'missing.json')])).code, 1);
});
