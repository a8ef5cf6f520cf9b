import type { Usage } from '../harness/part.js';
import { textTable } from '../harness/text-table.js';
import type { Split } from './buckets.js';

export interface RoleProfile {
  readonly role: string;
  readonly split: Split;
  readonly usage: Usage;
}

/** What costs are counted by. */
export interface Unit {
  /** Heads the table, like `ns a byte`. */
  readonly name: string;
  /** What so many microseconds come to. */
  readonly cost: (microseconds: number) => number;
  readonly digits: number;
  /** Rows below this, in all processes together, are summed up in one. */
  readonly small: number;
}

export const nsAByte = (bytes: number): Unit => ({ name: 'ns a byte', cost: (us) => (us * 1000) / bytes, digits: 3, small: 0.005 });
export const usARequest = (requests: number): Unit => ({ name: 'µs a request', cost: (us) => us / requests, digits: 1, small: 0.5 });

/** What the processes did while they were sampled. */
export interface Work {
  readonly unit: Unit;
  readonly seconds: number;
  /** Functions to list of each process. */
  readonly top: number;
}

const US_PER_SECOND = 1e6;

/** The cost by bucket and process, and below it each process' most expensive functions. */
export function tablesOf(roles: readonly RoleProfile[], work: Work): string {
  return [bucketTable(roles, work), ...roles.map((role) => functionTable(role, work))].join('\n\n').concat('\n');
}

function bucketTable(roles: readonly RoleProfile[], { unit, seconds }: Work): string {
  const costOf = (role: RoleProfile, bucket: string) => unit.cost(role.split.buckets.get(bucket) ?? 0);
  const all = [...new Set(roles.flatMap(({ split }) => [...split.buckets.keys()]))].filter((bucket) => bucket !== 'idle');
  const rowOf = (label: string, buckets: readonly string[]) => {
    const cells = roles.map((role) => buckets.reduce((sum, bucket) => sum + costOf(role, bucket), 0));
    return { label, cells, sum: cells.reduce((a, b) => a + b, 0) };
  };
  const rows = all.map((bucket) => rowOf(bucket, [bucket])).sort((a, b) => b.sum - a.sum);
  const small = rows.filter(({ sum }) => sum < unit.small).map(({ label }) => label);
  const shown = [
    ...rows.filter(({ sum }) => sum >= unit.small),
    rowOf(`${small.length} smaller ones`, small),
    rowOf('busy, as sampled', all),
    rowOf('idle', ['idle']),
  ];
  const cpu = (label: string, pick: (usage: Usage) => number | undefined) => {
    const cells = roles.map(({ usage }) => unit.cost((pick(usage) ?? Number.NaN) * US_PER_SECOND));
    return { label, cells, sum: cells.reduce((a, b) => a + b, 0) };
  };
  shown.push(
    cpu('processor, user', ({ cpu: time }) => time?.user),
    cpu('processor, system', ({ cpu: time }) => time?.system),
  );
  const format = (value: number) => (Number.isNaN(value) ? '-' : value.toFixed(unit.digits));
  return textTable([
    [unit.name, ...roles.map(({ role }) => role), 'sum'],
    ...shown.map(({ label, cells, sum }) => [label, ...cells.map(format), format(sum)]),
    ['wall', ...roles.map(() => ''), format(unit.cost(seconds * US_PER_SECOND))],
  ]);
}

function functionTable({ role, split }: RoleProfile, { unit, top }: Work): string {
  const dearest = [...split.functions]
    .filter(([name]) => !name.startsWith('(idle)'))
    .sort(([, a], [, b]) => b - a)
    .slice(0, top);
  return textTable([[`${role}: function`, unit.name], ...dearest.map(([name, us]) => [name.trim(), unit.cost(us).toFixed(unit.digits)])]);
}
