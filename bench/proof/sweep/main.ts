/**
 * One thing goes wrong at one place of a session, at every place in turn.
 *
 *     npm run sweep                       each 53rd byte, every unit
 *     npm run sweep -- --every 1          each byte; hours
 */
import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { countFlag } from '../../harness/size.js';
import { conclude, grouped, type Proof } from '../report.js';
import { inThreads } from '../threads.js';
import type { Extent, Swept } from './sweep.js';

interface Flags {
  readonly every: number;
  readonly everyUnit: number;
  readonly offset: number;
  readonly only?: string;
  readonly jobs: number;
}

await new Command('sweep')
  .addOption(new Option('--every <n>', 'bytes from one place to the next').default(53).argParser(countFlag))
  .addOption(new Option('--every-unit <n>', 'units from one place to the next').default(1).argParser(countFlag))
  .addOption(new Option('--offset <n>', 'the first byte').default(0).argParser(Number))
  .addOption(new Option('--only <pattern>', 'only cases whose name it matches, like "2207, manager to Server: flip"'))
  .addOption(new Option('--jobs <n>', 'threads').default(availableParallelism()).argParser(countFlag))
  .action(async ({ jobs, ...extent }: Flags) => {
    const shares: Extent[] = Array.from({ length: jobs }, (_, share) => ({ ...extent, share, shares: jobs }));
    conclude(undefined, proofOf(await inThreads(new URL('./worker.js', import.meta.url), shares, () => {})));
  })
  .parseAsync();

function proofOf(all: readonly Swept[]): Proof {
  const endings = new Map<string, Map<string, number>>();
  for (const { endings: some } of all) {
    for (const [way, ends] of some) {
      const sums = endings.get(way) ?? new Map<string, number>();
      endings.set(way, sums);
      for (const [end, times] of ends) sums.set(end, (sums.get(end) ?? 0) + times);
    }
  }
  const rows = [...endings].map(([way, ends]) => {
    const times = [...ends.values()].reduce((sum, each) => sum + each, 0);
    const codes = [...ends].filter(([end]) => end !== 'right').sort((a, b) => b[1] - a[1]);
    return [
      way,
      grouped(times),
      grouped(ends.get('right') ?? 0),
      codes.map(([code, n]) => `${code.replace('ERR_VC_', '')} ${n}`).join(', '),
    ];
  });
  return { table: [['way', 'cases', 'right', 'errors (ERR_VC_…)'], ...rows], violations: all.flatMap(({ violations }) => violations) };
}
