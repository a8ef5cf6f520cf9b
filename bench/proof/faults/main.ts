/**
 * Faults of lines, disks, limits and clocks, one at a time, on real processes.
 *
 *     npm run faults -- --rounds 20                  20 of each kind at each place
 *     npm run faults -- reset EIO --rounds 3 --seed 7
 *
 * Clients write, append and read all the time. Each call ends with the right result or with an error of the library, within
 * its deadlines; nothing that was acknowledged is lost, altered or there twice; when the fault is over, a new client can
 * write within `--back-within-ms`; no process ends. Ends with 1 when any of that does not hold.
 */
import { Command, Option } from 'commander';
import { countFlag } from '../../harness/size.js';
import { conclude, grouped } from '../report.js';
import { freshSeed, Random } from '../seed.js';
import { Deployment } from './deployment.js';
import { FAULTS, type Fault } from './faults.js';
import { faultRound, type RoundFigures, type RoundOptions } from './rounds.js';

const KINDS = [...new Set(FAULTS.map(({ kind }) => kind))];

interface Flags extends RoundOptions {
  readonly rounds: number;
  readonly seed?: number;
}

const command = new Command('faults')
  .argument('[kind...]', `${KINDS.join(', ')}; default: all`)
  .addOption(new Option('--rounds <n>', 'rounds of each kind at each place').argParser(countFlag).default(2))
  .addOption(new Option('--lasts-ms <n>', 'milliseconds that a fault lasts').argParser(countFlag).default(1500))
  .addOption(new Option('--back-within-ms <n>', 'milliseconds until all must work again').argParser(countFlag).default(20_000))
  .addOption(new Option('--seed <n>', 'what decides the moments; default: another each time').argParser(Number))
  .action(async (asked: string[], flags: Flags) => {
    const unknown = asked.find((kind) => !KINDS.includes(kind));
    if (unknown !== undefined) command.error(`no such kind: ${unknown}; there are ${KINDS.join(', ')}`);
    await run(asked.length === 0 ? FAULTS : FAULTS.filter(({ kind }) => asked.includes(kind)), flags);
  });

async function run(faults: readonly Fault[], { rounds, seed = freshSeed(), ...options }: Flags): Promise<void> {
  const deployment = await Deployment.start(seed);
  const random = new Random(seed, 'faults');
  const all: RoundFigures[] = [];
  const violations: string[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      for (const fault of faults) all.push(await faultRound(deployment, fault, random, options));
    }
  } catch (error) {
    violations.push((error as Error).stack ?? String(error));
  } finally {
    await deployment.end();
  }
  violations.push(...all.flatMap((figures) => figures.violations));
  const head = ['fault', 'rounds', 'calls', 'done', 'back after ms, median', 'worst', 'errors (ERR_VC_…)'];
  conclude(seed, { table: [head, ...faults.map((fault) => rowOf(fault, all))], violations });
}

function rowOf(fault: Fault, all: readonly RoundFigures[]): string[] {
  const own = all.filter((figures) => figures.fault === fault);
  const [skipped] = own.flatMap((figures) => figures.skipped ?? []);
  const back = own.flatMap(({ backMs }) => backMs ?? []).sort((a, b) => a - b);
  const ended = new Map<string, number>();
  for (const [how, count] of own.flatMap((figures) => [...figures.ended])) ended.set(how, (ended.get(how) ?? 0) + count);
  const calls = [...ended.values()].reduce((sum, count) => sum + count, 0);
  const errors = [...ended].filter(([how]) => how !== 'done').sort(([, a], [, b]) => b - a);
  const ms = (value: number | undefined) => (value === undefined ? '' : grouped(Math.round(value)));
  return [
    `${fault.kind} ${fault.where}`,
    skipped === undefined ? String(own.length) : '0',
    grouped(calls),
    grouped(ended.get('done') ?? 0),
    ms(back[Math.floor(back.length / 2)]),
    ms(back.at(-1)),
    skipped ?? errors.map(([code, count]) => `${code.replace('ERR_VC_', '')} ${count}`).join(', '),
  ];
}

await command.parseAsync();
