/** One attacking process. It is less urgent to the system than the roles are. */
import { setMaxListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { AttackTask, Counts } from '../attack/attack.js';
import { ATTACKS, type AttackName } from '../attack/attacks.js';
import { serveCommands } from '../harness/serve-commands.js';

export interface AttackerTask extends Pick<AttackTask, 'target' | 'number'> {
  readonly name: AttackName;
  readonly milliseconds: number;
  readonly seed: number;
  /** As the command `nice` has it. */
  readonly nice: number;
}

/** Milliseconds that an attack may go on after it was told to end. */
const PATIENCE_MS = 500;

/** Numbers that look random: splitmix32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return Math.floor((((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32) * below);
  };
}

// What the roles do to it must not end it.
process.on('uncaughtException', () => {});
process.on('unhandledRejection', () => {});

/**
 * Makes the whole process less urgent. On Linux a priority belongs to a thread, and others than this one are there already: those
 * that do the work of `node:crypto`, and V8's. Priorities are compared within a session of processes (autogroup): the roles and
 * the attackers must be in the same, as children of one process are that were not detached.
 */
function giveWay(nice: number): void {
  if (process.platform !== 'linux') setPriority(nice);
  else for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), nice);
}

serveCommands({
  prepare: (name: AttackName): unknown => ATTACKS[name].prepare?.(),
  attack: async ({ name, milliseconds, seed, nice, ...task }: AttackerTask): Promise<Counts> => {
    giveWay(nice);
    const counts: Record<string, number> = {};
    const end = new AbortController();
    setMaxListeners(0, end.signal);
    const over = new Promise<void>((resolve) => {
      setTimeout(() => end.abort(), milliseconds);
      setTimeout(resolve, milliseconds + PATIENCE_MS);
    });
    const count = (what: string) => {
      counts[what] = (counts[what] ?? 0) + 1;
    };
    const run = ATTACKS[name].run({ ...task, random: randomFrom(seed + task.number), signal: end.signal, count });
    await Promise.race([run, over]);
    return counts;
  },
});
