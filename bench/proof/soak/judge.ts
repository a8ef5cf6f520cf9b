/** Whether what is left over after a long time is what was there before it. */
import type { Leftovers } from './leftovers.js';

/** Bytes by which the memory of a process may be more at the end: caches fill, code is compiled. */
export const MAX_GROWTH_BYTES = 12 * 2 ** 20;
/** Slices at the end, of which the median counts. */
const LAST = 3;

/** What may be fewer in the end: the first look comes when a connection still waits for a next request, the last one later. */
const MAY_BE_FEWER: readonly string[] = ['Timeout', 'Immediate'];

/** Counts that differ, a text each. */
export function changedCounts(role: string, before: Leftovers, after: Leftovers): string[] {
  const names = new Set([...Object.keys(before.counts), ...Object.keys(after.counts)]);
  return [...names]
    .map((name) => [name, before.counts[name] ?? 0, after.counts[name] ?? 0] as const)
    .filter(([name, from, to]) => (MAY_BE_FEWER.includes(name) ? to > from : to !== from))
    .map(([name, from, to]) => `${role}: ${name} were ${from}, and are ${to}`);
}

/** Bytes that a process holds after a collection. */
const held = ({ heap, external }: Leftovers) => heap + external;

/** Bytes by which memory grew from the first slices to the last: medians of three, so that no single one decides. */
export function growthOf(slices: readonly Leftovers[]): number {
  return median(slices.slice(-LAST).map(held)) - median(slices.slice(0, LAST).map(held));
}

/** Bytes a slice by which memory rises, by least squares. */
export function slopeOf(slices: readonly Leftovers[]): number {
  const mid = (slices.length - 1) / 2;
  const rise = slices.reduce((sum, slice, i) => sum + (i - mid) * held(slice), 0);
  const run = slices.reduce((sum, _, i) => sum + (i - mid) ** 2, 0);
  return run === 0 ? 0 : rise / run;
}

/** What is wrong with the memory of a process. */
export function grown(role: string, slices: readonly Leftovers[]): string[] {
  const growth = growthOf(slices);
  return growth > MAX_GROWTH_BYTES ? [`${role}: holds ${Math.round(growth)} bytes more, the limit is ${MAX_GROWTH_BYTES}`] : [];
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
