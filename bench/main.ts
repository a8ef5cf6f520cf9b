/**
 * The benchmark suite.
 *
 *     npm run bench                     a short form of all three suites, under five minutes
 *     npm run bench:layers              a layer at a time, beside its peers
 *     npm run bench:files               large files, by real processes
 *     npm run bench:requests            small requests
 *
 * Machines differ and are shared: only the ratios of one run mean anything.
 */
import { Command, Option } from 'commander';
import { groupsOf } from './files/plan.js';
import { runFiles } from './files/suite.js';
import type { Extent } from './harness/extent.js';
import { makePki } from './harness/pki.js';
import { type Measured, runOf, type SuiteName, writeRun } from './harness/result.js';
import { countFlag, sizeFlag } from './harness/size.js';
import { LAYERS_PLANS, runLayers } from './layers/suite.js';
import { REQUESTS_PLANS, runRequests } from './requests/suite.js';

interface Flags {
  readonly json?: string;
  readonly only?: RegExp;
  readonly rounds?: number;
  readonly bytes?: readonly number[];
  readonly sessions?: readonly number[];
  readonly full?: true;
}

const SUITES: readonly SuiteName[] = ['layers', 'files', 'requests'];

const list =
  <T>(one: (text: string) => T) =>
  (text: string): T[] =>
    text.split(',').map(one);

const command = new Command('bench')
  .argument('[suite...]', `${SUITES.join(', ')}; default: a short form of all`)
  .option('--json <file>', 'write every case into this file')
  .addOption(
    new Option('--only <pattern>', 'only cases whose name it matches, like "full upload" or base64').argParser((text) => new RegExp(text)),
  )
  .addOption(new Option('--rounds <n>', 'rounds; figures are medians').argParser(countFlag))
  .addOption(new Option('--bytes <list>', 'sizes of files (files) or messages (layers), like 100M,8G').argParser(list(sizeFlag)))
  .addOption(new Option('--sessions <list>', 'sessions at once (files, requests), like 1,4,16').argParser(list(countFlag)))
  .option('--full', 'every size, up to 8 GiB: takes hours')
  .action(async (suites: string[], flags: Flags) => {
    const unknown = suites.find((suite) => !(SUITES as readonly string[]).includes(suite));
    if (unknown !== undefined) command.error(`no such suite: ${unknown}; there are ${SUITES.join(', ')}`);
    const extent = flags.full === true ? 'full' : suites.length === 0 ? 'short' : 'normal';
    const results = await run(suites.length === 0 ? SUITES : (suites as SuiteName[]), extent, flags);
    if (flags.json !== undefined) writeRun(flags.json, runOf(results, told()));
  });

async function run(suites: readonly SuiteName[], extent: Extent, flags: Flags): Promise<Measured[]> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const { only = /(?:)/, rounds, bytes, sessions } = flags;
  const pki = makePki();
  const results: Measured[] = [];
  for (const suite of suites) {
    say(`\n${suite}`);
    const own = { only, ...(rounds !== undefined && { rounds }) };
    if (suite === 'layers') {
      results.push(...(await runLayers({ ...LAYERS_PLANS[extent], ...(bytes && { messageBytes: bytes }), ...own }, say)));
    } else if (suite === 'files') {
      results.push(...(await runFiles({ rounds: 5, groups: groupsOf(extent, bytes, sessions), ...own }, pki, say)));
    } else {
      results.push(...(await runRequests({ ...REQUESTS_PLANS[extent], ...(sessions && { sessions }), ...own }, pki, say)));
    }
  }
  return results;
}

/** The command line, without where the results go. */
function told(): string {
  return process.argv
    .slice(2)
    .join(' ')
    .replace(/ ?--json[ =]\S+/, '')
    .trim();
}

await command.parseAsync();
