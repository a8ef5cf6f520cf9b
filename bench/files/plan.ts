/** Which transfers a run makes. */
import type { Extent } from '../harness/extent.js';
import { FIXTURE_NAMES, type FixtureName } from './fixtures.js';

/** Transfers that are compared with each other: the same bytes, in the same number of sessions, from and to the same. */
export interface Group {
  readonly bytes: number;
  readonly sessions: number;
  readonly medium: 'memory' | 'disk';
  readonly fixtures: readonly FixtureName[];
}

export interface FilesPlan {
  readonly groups: readonly Group[];
  readonly rounds: number;
  /** Only transfers whose name (`full upload`) it matches. */
  readonly only: RegExp;
}

const MB_100 = 100_000_000;
const GIB = 2 ** 30;
/** What 8 GiB are worth the time for. */
const HUGE: readonly FixtureName[] = ['full', 'unix', 'direct', 'node:tls'];

const memory = (bytes: number, sessions = 1, fixtures: readonly FixtureName[] = FIXTURE_NAMES): Group => ({
  bytes,
  sessions,
  medium: 'memory',
  fixtures,
});
const disk = (bytes: number, fixtures: readonly FixtureName[] = FIXTURE_NAMES): Group => ({ bytes, sessions: 1, medium: 'disk', fixtures });

const GROUPS: Readonly<Record<Extent, readonly Group[]>> = {
  short: [memory(MB_100), memory(MB_100, 16, ['full', 'direct', 'node:tls']), disk(MB_100, ['full', 'node:tls'])],
  normal: [memory(MB_100), memory(MB_100, 4), memory(MB_100, 16), disk(MB_100)],
  full: [
    ...[2 ** 20, 16 * 2 ** 20, MB_100, GIB].map((bytes) => memory(bytes)),
    memory(8 * GIB, 1, HUGE),
    memory(GIB, 4),
    memory(GIB, 16),
    disk(GIB),
    disk(8 * GIB, ['full', 'node:tls']),
  ],
};

/**
 * The groups of a run.
 *
 * @param bytes sizes that take the place of the extent's own
 * @param sessions numbers of sessions that take the place of its own; one session is what goes from disk to disk
 */
export function groupsOf(extent: Extent, bytes?: readonly number[], sessions?: readonly number[]): readonly Group[] {
  if (bytes === undefined && sessions === undefined) return GROUPS[extent];
  const counts = sessions ?? unique(GROUPS[extent].map((group) => group.sessions));
  const sizes = bytes ?? [MB_100];
  const onDisk = counts.includes(1) ? sizes.map((size) => disk(size)) : [];
  return [...sizes.flatMap((size) => counts.map((count) => memory(size, count))), ...onDisk];
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
