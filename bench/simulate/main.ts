/**
 * Runs of a fleet in virtual time, each with faults of its own.
 *
 *     npm run simulate -- --seeds 10000        that many runs; ends with 1 on any violation
 *     npm run simulate -- --seed 4711          one run again, with its plan and its story
 */
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { countFlag } from '../harness/size.js';
import { conclude, grouped, type Proof } from '../proof/report.js';
import { freshSeed } from '../proof/seed.js';
import { inThreads } from '../proof/threads.js';
import { type Figures, replay } from './runs.js';
import type { Share, Shown } from './worker.js';

/** Bytes that the heap of a thread may have grown by: a base, and something for each run. */
const GROWTH_BYTES = 16 * 2 ** 20;
const GROWTH_BYTES_A_RUN = 4096;

interface Flags {
  readonly seeds: number;
  readonly from?: number;
  readonly seed?: number;
  readonly jobs: number;
}

const say = (line: string) => process.stdout.write(`${line}\n`);

await new Command('simulate')
  .addOption(new Option('--seeds <n>', 'number of runs').default(200).argParser(countFlag))
  .addOption(new Option('--from <seed>', 'seed of the first run; the others count up from it. Default: drawn').argParser(Number))
  .addOption(new Option('--seed <seed>', 'one run, with its plan and its story').argParser(Number))
  .addOption(new Option('--jobs <n>', 'threads').default(availableParallelism()).argParser(countFlag))
  .action(async (flags: Flags) => {
    if (flags.seed === undefined) conclude(undefined, await many(flags));
    else await one(flags.seed);
  })
  .parseAsync();

async function one(seed: number): Promise<void> {
  const { plan, story, violation, steps } = await replay(seed);
  say(JSON.stringify(plan, undefined, 2));
  for (const line of story) say(line);
  const table = [
    ['seed', 'steps'],
    [String(seed), grouped(steps)],
  ];
  conclude(seed, { table, violations: violation === undefined ? [] : [violation] });
}

async function many({ seeds, from = freshSeed(), jobs }: Flags): Promise<Proof> {
  const began = performance.now();
  const last = from + seeds - 1;
  say(`${grouped(seeds)} runs, seeds ${from} to ${last}`);
  const shares: Share[] = Array.from({ length: Math.min(jobs, seeds) }, (_, i) => ({ first: from + i, last, step: jobs }));
  const figures = await inThreads<Share, Figures, Shown>(new URL('./worker.js', import.meta.url), shares, ({ seed, violation }) =>
    say(`seed ${seed}: ${violation}`),
  );
  return proofOf(figures, (performance.now() - began) / 1000);
}

function proofOf(all: readonly Figures[], seconds: number): Proof {
  const sum = (of: (figures: Figures) => number) => all.reduce((total, figures) => total + of(figures), 0);
  const tally = new Map<string, number>();
  for (const figures of all) for (const [what, times] of figures.tally) tally.set(what, (tally.get(what) ?? 0) + times);
  const rows = [
    ['runs', grouped(sum(({ runs }) => runs))],
    ['seconds', seconds.toFixed(0)],
    ['hours of virtual time', (sum(({ virtualMs }) => virtualMs) / 3_600_000).toFixed(1)],
    ['steps', grouped(sum(({ steps }) => steps))],
    ...[...tally].sort().map(([what, times]) => [what, grouped(times)]),
  ];
  const violations = all.flatMap((figures) => figures.violations.map(({ seed, violation }) => `seed ${seed}: ${violation}`));
  for (const { grownBytes = 0, runs } of all) {
    if (grownBytes > GROWTH_BYTES + runs * GROWTH_BYTES_A_RUN)
      violations.push(`the heap has grown by ${grouped(grownBytes)} bytes in ${runs} runs`);
  }
  return { table: [['what', 'how often'], ...rows], violations };
}
