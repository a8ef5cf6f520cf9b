/** From rounds of transfers to results. */
import type { Usage } from '../harness/part.js';
import { type Measured, OURS, rounded } from '../harness/result.js';
import { median, spread } from '../harness/statistics.js';
import { FIXTURES, type FixtureName } from './fixtures.js';
import type { Group } from './plan.js';
import type { Direction, Round, Transfer } from './transfer.js';

/** What a ratio to our own run in one session is called. */
const ONE_SESSION = '1 session';

/**
 * One result a fixture and direction.
 *
 * @param rounds of each fixture, in the order of `names`
 * @param earlier results of groups before this one
 */
export function resultsOf(
  group: Group,
  names: readonly FixtureName[],
  rounds: readonly (readonly Round[])[],
  earlier: readonly Measured[],
): Measured[] {
  return (['upload', 'download'] as const).flatMap((direction) => {
    const measured = names.flatMap((name, i) => {
      const transfers = (rounds[i] as readonly Round[]).flatMap((one) => one[direction] ?? []);
      return transfers.length === 0 ? [] : [{ name, transfers, seconds: median(transfers.map(({ seconds }) => seconds)) }];
    });
    const seconds = Object.fromEntries(measured.map((one) => [one.name, one.seconds]));
    return measured.map(({ name, transfers }) => resultOf(group, name, direction, transfers, seconds, earlier));
  });
}

function resultOf(
  { bytes, sessions, medium }: Group,
  fixture: FixtureName,
  direction: Direction,
  transfers: readonly Transfer[],
  seconds: Readonly<Record<string, number>>,
  earlier: readonly Measured[],
): Measured {
  const name = `${fixture} ${direction}`;
  const own = seconds[fixture] as number;
  const ratioTo: Record<string, number> = {};
  if (FIXTURES[fixture].by === OURS) {
    for (const [other, theirs] of Object.entries(seconds)) if (other !== fixture) ratioTo[other] = rounded(theirs / own);
    const alone = earlier.find((one) => one.name === name && one.bytes === bytes && one.medium === medium && one.sessions === 1);
    if (alone !== undefined && sessions > 1) ratioTo[ONE_SESSION] = rounded(alone.seconds / own);
  }
  return {
    suite: 'files',
    name,
    by: FIXTURES[fixture].by,
    bytes,
    sessions,
    medium,
    rounds: transfers.length,
    seconds: rounded(own),
    spread: rounded(spread(transfers.map((transfer) => transfer.seconds))),
    mbPerSecond: rounded(bytes / 1e6 / own),
    ratioTo,
    ...usageOf(transfers.map((transfer) => transfer.usage)),
  };
}

/** The worst peak and the median processor time of each process; nothing where the system does not tell. */
export function usageOf(usages: readonly Readonly<Record<string, Usage>>[]): Pick<Measured, 'peakRssMb' | 'cpuSeconds'> {
  const peakRssMb: Record<string, number> = {};
  const cpuSeconds: Record<string, number> = {};
  for (const role of Object.keys(usages[0] ?? {})) {
    const peaks = usages.flatMap((usage) => usage[role]?.peakRss ?? []);
    const times = usages.flatMap((usage) => usage[role]?.cpu ?? []).map(({ user, system }) => user + system);
    if (peaks.length > 0) peakRssMb[role] = rounded(Math.max(...peaks) / 1e6);
    if (times.length > 0) cpuSeconds[role] = rounded(median(times));
  }
  return { peakRssMb, cpuSeconds };
}

/** A result for a terminal. */
export function lineOf({ name, mbPerSecond, spread: apart, ratioTo, peakRssMb = {}, cpuSeconds = {} }: Measured): string {
  const ratios = Object.entries(ratioTo).map(([other, ratio]) => `${ratio.toFixed(2)} × ${other}`);
  const processes = Object.entries(peakRssMb).map(([role, mb]) => `${role} ${mb.toFixed(0)} MB ${cpuSeconds[role]?.toFixed(2)} s`);
  const rate = `${mbPerSecond.toFixed(0).padStart(6)} MB/s ±${((apart * 100) / 2).toFixed(0)} %`;
  return `  ${name.padEnd(20)}${rate.padEnd(20)}${[processes.join(', '), ratios.join(', ')].filter((part) => part !== '').join('; ')}`;
}
