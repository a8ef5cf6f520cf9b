/** One attack from its beginning to its end: a quiet phase, the attack, and what is left of it. */
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Part } from '../harness/part.js';
import type { AttackerTask } from '../parts/attacker.js';
import type { HonestTask, Seen } from '../parts/honest.js';
import type { Counts } from './attack.js';
import { ATTACKS, type AttackName } from './attacks.js';
import { type Goal, isBack, judge } from './goals.js';
import { startRoles, type Weakened } from './target.js';
import { type HeldBy, Watch } from './watch.js';

export interface RunOptions {
  readonly name: AttackName;
  readonly seconds: number;
  readonly processes: number;
  readonly seed: number;
  /** Priority of the attacking processes, as the command `nice` has it. */
  readonly nice: number;
  readonly weakened?: Weakened;
}

/** What was seen in one phase. */
export interface Phase {
  readonly seen: Seen;
  /** What each role held at most. */
  readonly held: HeldBy;
}

export interface Outcome extends Omit<RunOptions, 'weakened'> {
  /** Processes that wanted a processor in the minute before, as the system counts them: what else the machine had to do. */
  readonly load: number;
  readonly quiet: Phase;
  readonly attack: Phase;
  readonly after: Phase;
  /** What each role holds `REST_MS` after the attack, or as soon as all is as before. */
  readonly left: HeldBy;
  /** Milliseconds from the end of the attack until all was as before; null: it was not. */
  readonly backMs: number | null;
  readonly counts: Counts;
  readonly goals: readonly Goal[];
}

const HONEST_CLIENTS = 4;
/** Milliseconds in which code is compiled, before anything is measured. */
const WARM_UP_MS = 2000;
/** Milliseconds that the roles have to get rid of what an attack has left. */
const REST_MS = 10_000;
const LOOK_MS = 500;

export async function runAttack(options: RunOptions): Promise<Outcome> {
  const { weakened, ...given } = options;
  const { name, seconds, processes, seed, nice } = given;
  const attack = ATTACKS[name];
  const [load = 0] = loadavg();
  const roles = await startRoles(attack.stage ?? {}, weakened);
  const honest = new Part('honest clients', 'honest');
  const attackers = Array.from({ length: processes }, (_, i) => new Part(`attacker ${i}`, 'attacker'));
  const watch = new Watch(roles.roles);
  const phase = async (): Promise<Phase> => ({ seen: await honest.ask<Seen>('take'), held: watch.take() });
  try {
    const { target, programs: files } = roles;
    const program = attack.stage?.compute && '/program/nothing';
    await honest.ask('begin', { target, clients: HONEST_CLIENTS, files, program } satisfies HonestTask);
    await Promise.all([sleep(WARM_UP_MS), ...attackers.map((part) => part.ask('prepare', name))]);
    await phase();
    await sleep(seconds * 1000);
    const quiet = await phase();
    const task = { name, seed, nice, target, milliseconds: seconds * 1000 };
    const counted = await Promise.all(
      attackers.map((part, number) => part.ask<Counts>('attack', { ...task, number } satisfies AttackerTask)),
    );
    await Promise.all(attackers.map((part) => part.end()));
    const during = await phase();
    const measured = { quiet, attack: during, ...(await rest(watch, quiet.held)), after: await phase(), counts: sum(counted) };
    return { ...given, load, ...measured, goals: judge(measured, attack.never ?? {}) };
  } finally {
    watch.end();
    await Promise.all([honest, ...attackers].map((part) => part.end()));
    await roles.end();
  }
}

/** Waits until the roles hold what they held before, or `REST_MS`. */
async function rest(watch: Watch, before: HeldBy): Promise<Pick<Outcome, 'left' | 'backMs'>> {
  const began = performance.now();
  for (;;) {
    await sleep(LOOK_MS);
    const left = await watch.now();
    const passedMs = Math.round(performance.now() - began);
    if (isBack(before, left)) return { left, backMs: passedMs <= REST_MS ? passedMs : null };
    if (passedMs > REST_MS) return { left, backMs: null };
  }
}

function sum(counted: readonly Counts[]): Counts {
  const all: Record<string, number> = {};
  for (const counts of counted) for (const [what, count] of Object.entries(counts)) all[what] = (all[what] ?? 0) + count;
  return all;
}
