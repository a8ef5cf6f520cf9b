/**
 * Makes a report of runs: tables in Markdown, and charts.
 *
 *     npm run bench:report -- <run.json>… [--out bench]        writes REPORT.md and charts/*.svg
 *
 * Of several runs (of the same machine, one suite each) the first says where they were made.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { Run } from '../harness/result.js';
import { chartsOf } from './charts.js';
import { CHARTS, reportOf } from './report.js';
import { svgOf } from './svg.js';

const command = new Command('bench:report')
  .argument('<run...>', 'files that bench --json has written')
  .option('--out <folder>', 'where the report goes', 'bench')
  .action(async (files: string[], { out }: { out: string }) => {
    const runs = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Run);
    const run: Run = { ...(runs[0] as Run), results: runs.flatMap(({ results }) => results) };
    const charts = chartsOf(run.results);
    const folder = join(out, CHARTS);
    mkdirSync(folder, { recursive: true });
    for (const old of readdirSync(folder)) if (old.endsWith('.svg')) rmSync(join(folder, old));
    for (const { name, spec } of charts) writeFileSync(join(folder, `${name}.svg`), `${await svgOf(spec)}\n`);
    writeFileSync(join(out, 'REPORT.md'), reportOf(run, charts));
    process.stdout.write(`${join(out, 'REPORT.md')}, ${charts.length} charts\n`);
  });

await command.parseAsync();
