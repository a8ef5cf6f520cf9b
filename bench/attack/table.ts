/** What the command prints of an attack. */
import { quantile } from '../harness/statistics.js';
import { textTable } from '../harness/text-table.js';
import { p99Of } from './goals.js';
import type { Outcome, Phase } from './run.js';

type Row = readonly [label: string, cell: (phase: Phase) => string];

const ms = (value: number | undefined): string => (value === undefined ? '-' : value.toFixed(1));
const mib = (bytes: number | undefined): string => (bytes === undefined ? '-' : String(Math.round(bytes / 2 ** 20)));
const count = (value: number | undefined): string => (value === undefined ? '-' : String(value));

export function tableOf(outcome: Outcome): string {
  const { name, processes, seconds, seed, load, counts, goals } = outcome;
  // What the roles held at most while they got rid of it is of no interest.
  const phases = [outcome.quiet, outcome.attack, { ...outcome.after, held: outcome.left }];
  const rows = rowsOf(outcome).map(([label, cell]) => [label, ...phases.map(cell)]);
  return [
    `${name}: ${processes} processes, ${seconds} s, seed ${seed}; load before it ${load.toFixed(1)}`,
    textTable([['', 'quiet', 'attack', 'after'], ...rows]),
    `did: ${Object.entries(counts)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([what, times]) => `${what} ${times}`)
      .join(', ')}`,
    ...refusals(outcome.attack),
    ...goals.map(({ goal, met, seen }) => `${met ? 'met   ' : 'MISSED'}  ${goal}: ${seen}`),
  ].join('\n');
}

function rowsOf({ quiet, attack }: Outcome): Row[] {
  const kinds = (['connect', 'request', 'compute'] as const).filter((kind) => quiet.seen[kind].length > 0);
  return [
    ...kinds.flatMap((kind): Row[] => [
      [`${kind}s`, ({ seen }) => String(seen[kind].length)],
      [`${kind} p50 ms`, ({ seen }) => ms(seen[kind].length === 0 ? undefined : quantile(seen[kind], 0.5))],
      [`${kind} p99 ms`, (phase) => ms(p99Of(phase, kind))],
    ]),
    ['refused', ({ seen }) => count(Object.values(seen.refused).reduce((a, b) => a + b, 0))],
    ['longest wait ms', ({ seen }) => seen.longest.request.toFixed(0)],
    ...Object.keys(attack.held).flatMap((role): Row[] => [
      [`${role} memory MiB`, ({ held }) => mib(held[role]?.rss)],
      [`${role} descriptors`, ({ held }) => count(held[role]?.descriptors)],
      [`${role} sessions`, ({ held }) => count(held[role]?.sessions)],
    ]),
  ];
}

function refusals({ seen }: Phase): string[] {
  const all = Object.entries(seen.refused);
  return all.length === 0 ? [] : [`honest clients heard: ${all.map(([code, times]) => `${code} ${times} times`).join(', ')}`];
}
