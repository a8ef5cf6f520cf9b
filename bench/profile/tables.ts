import type { Usage } from '../harness/part.js';
import { textTable } from '../harness/text-table.js';
import type { Split } from './buckets.js';

export interface RoleProfile {
  readonly role: string;
  readonly split: Split;
  readonly usage: Usage;
}

export interface Transfer {
  readonly bytes: number;
  /** How long it took, while it was sampled. */
  readonly seconds: number;
  /** Functions to list of each process. */
  readonly top: number;
}

/** Rows below this many nanoseconds a byte, in all processes together, are summed up in one. */
const SMALL_NS = 0.005;

/** Nanoseconds a byte by bucket and process, and below it each process' most expensive functions. */
export function tablesOf(roles: readonly RoleProfile[], transfer: Transfer): string {
  return [bucketTable(roles, transfer), ...roles.map((role) => functionTable(role, transfer))].join('\n\n').concat('\n');
}

function bucketTable(roles: readonly RoleProfile[], { bytes, seconds }: Transfer): string {
  const nsOf = (role: RoleProfile, bucket: string) => ((role.split.buckets.get(bucket) ?? 0) * 1000) / bytes;
  const all = [...new Set(roles.flatMap(({ split }) => [...split.buckets.keys()]))].filter((bucket) => bucket !== 'idle');
  const rowOf = (label: string, buckets: readonly string[]) => {
    const cells = roles.map((role) => buckets.reduce((sum, bucket) => sum + nsOf(role, bucket), 0));
    return { label, cells, sum: cells.reduce((a, b) => a + b, 0) };
  };
  const rows = all.map((bucket) => rowOf(bucket, [bucket])).sort((a, b) => b.sum - a.sum);
  const small = rows.filter(({ sum }) => sum < SMALL_NS).map(({ label }) => label);
  const shown = [
    ...rows.filter(({ sum }) => sum >= SMALL_NS),
    rowOf(`${small.length} smaller ones`, small),
    rowOf('busy, as sampled', all),
    rowOf('idle', ['idle']),
  ];
  const cpu = (label: string, pick: (usage: Usage) => number | undefined) => {
    const cells = roles.map(({ usage }) => ((pick(usage) ?? Number.NaN) * 1e9) / bytes);
    return { label, cells, sum: cells.reduce((a, b) => a + b, 0) };
  };
  shown.push(
    cpu('processor, user', ({ cpu: time }) => time?.user),
    cpu('processor, system', ({ cpu: time }) => time?.system),
  );
  const format = (value: number) => (Number.isNaN(value) ? '-' : value.toFixed(3));
  return textTable([
    ['ns a byte', ...roles.map(({ role }) => role), 'sum'],
    ...shown.map(({ label, cells, sum }) => [label, ...cells.map(format), format(sum)]),
    ['wall', ...roles.map(() => ''), format((seconds * 1e9) / bytes)],
  ]);
}

function functionTable({ role, split }: RoleProfile, { bytes, top }: Transfer): string {
  const dearest = [...split.functions]
    .filter(([name]) => !name.startsWith('(idle)'))
    .sort(([, a], [, b]) => b - a)
    .slice(0, top);
  return textTable([[`${role}: function`, 'ns a byte'], ...dearest.map(([name, us]) => [name.trim(), ((us * 1000) / bytes).toFixed(3)])]);
}
