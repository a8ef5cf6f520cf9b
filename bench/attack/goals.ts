/** What must hold under every attack, and whether it did. */
import { quantile } from '../harness/statistics.js';
import type { Seen } from '../parts/honest.js';
import type { Counts } from './attack.js';
import type { Outcome, Phase } from './run.js';
import type { Held, HeldBy } from './watch.js';

export interface Goal {
  readonly goal: string;
  readonly met: boolean;
  /** What was seen. */
  readonly seen: string;
}

/** The p99 of honest clients: at most so many times the quiet one, and never more than so many milliseconds above it. */
const SLOWER = 3;
const SLOWER_MS = 250;
/** Milliseconds that an honest client may be refused. */
const REFUSED_MS = 2000;
/** The same for a program that does nothing: where others run, it waits until one of them has reached its limit, 2 s here. */
const COMPUTE_MS = 5000;
const MIB = 2 ** 20;
/** Bytes of resident memory that a role may have at its peak. Node itself takes some 80 MiB of it, an embedded PostgreSQL 600. */
export const BUDGETS: Readonly<Record<string, number>> = { server: 256 * MIB, manager: 384 * MIB, attestation: 1024 * MIB };
/** What may be more than before when all is said to be as it was. V8 keeps some memory for what comes next. */
const MORE = { rss: 64 * MIB, descriptors: 8, sessions: 4 } as const;
/** Samples that a p99 needs. */
const SAMPLES = 10;

type Kind = 'connect' | 'request';

export function judge(
  measured: Pick<Outcome, 'quiet' | 'attack' | 'after' | 'left' | 'backMs' | 'counts'>,
  never: Readonly<Record<string, string>>,
): Goal[] {
  const { quiet, attack, after, left, backMs, counts } = measured;
  const longest = (want: 'request' | 'compute') => Math.max(attack.seen.longest[want], after.seen.longest[want]);
  return [
    slower('connect', quiet.seen, attack.seen),
    slower('request', quiet.seen, attack.seen),
    unserved('no honest client goes unserved for', REFUSED_MS, longest('request')),
    ...(quiet.seen.compute.length > 0 ? [unserved("no honest client's program waits for", COMPUTE_MS, longest('compute'))] : []),
    ...Object.entries(attack.held).map(([role, { rss }]) => budget(role, Math.max(rss ?? 0, after.held[role]?.rss ?? 0))),
    {
      goal: 'all as before 10 s after the attack',
      met: backMs !== null,
      seen: backMs === null ? excess(quiet.held, left) : `${backMs} ms`,
    },
    ...Object.entries(never).map(([what, meaning]) => forbidden(what, meaning, counts)),
    {
      goal: 'the attack was carried out',
      met: Object.keys(counts).length > 0,
      seen: `${Object.values(counts).reduce((a, b) => a + b, 0)} deeds`,
    },
  ];
}

/** The p99 of what honest clients did in a phase, milliseconds; undefined when that was too little. */
export function p99Of(phase: Pick<Phase, 'seen'>, kind: keyof Pick<Seen, 'connect' | 'request' | 'compute'>): number | undefined {
  const samples = phase.seen[kind];
  return samples.length < SAMPLES ? undefined : quantile(samples, 0.99);
}

function slower(kind: Kind, quiet: Seen, attacked: Seen): Goal {
  const [before, now] = [p99Of({ seen: quiet }, kind), p99Of({ seen: attacked }, kind)];
  const goal = `p99 of each ${kind}: at most ${SLOWER} times the quiet one, and ${SLOWER_MS} ms above it`;
  if (before === undefined || now === undefined) return { goal, met: false, seen: 'too few of them' };
  return { goal, met: now <= SLOWER * before && now <= before + SLOWER_MS, seen: `${before.toFixed(1)} → ${now.toFixed(1)} ms` };
}

function unserved(what: string, limit: number, longest: number): Goal {
  return { goal: `${what} ${limit} ms`, met: longest <= limit, seen: `${longest.toFixed(0)} ms` };
}

function budget(role: string, rss: number): Goal {
  const most = BUDGETS[role] as number;
  return { goal: `memory of the ${role} at most ${most / MIB} MiB`, met: rss <= most, seen: `${Math.round(rss / MIB)} MiB` };
}

function forbidden(what: string, meaning: string, counts: Counts): Goal {
  return { goal: `${what}: never (${meaning})`, met: (counts[what] ?? 0) === 0, seen: String(counts[what] ?? 0) };
}

/** Whether the roles hold no more than before, within what they may. */
export function isBack(before: HeldBy, now: HeldBy): boolean {
  return excess(before, now) === '';
}

/** What they hold more than they may, in words. */
function excess(before: HeldBy, now: HeldBy): string {
  return Object.entries(now)
    .flatMap(([role, held]) =>
      (Object.keys(MORE) as (keyof Held)[]).map((what) => [role, what, before[role]?.[what] ?? 0, held[what] ?? 0] as const),
    )
    .filter(([, what, then, still]) => still > then + MORE[what])
    .map(([role, what, then, still]) => `${role} ${what} ${inUnits(what, then)} → ${inUnits(what, still)}`)
    .join(', ');
}

function inUnits(what: keyof Held, value: number): string {
  return what === 'rss' ? `${Math.round(value / MIB)} MiB` : String(value);
}
