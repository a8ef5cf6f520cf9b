import { writeFileSync } from 'node:fs';
import { clock } from '../../../core/clock.js';

/** The kernel takes one such change in 100 ms from all who are not root. */
const AGAIN_MS = 110;
const TRIES = 50;

/**
 * Lets the group of a program yield to whoever else wants the processor, by so much as the command `nice` has it. The scheduler
 * of Linux puts each session of processes in a group of its own (autogroup) and gives each group the same, whatever the priority
 * of its processes is. A program is in a session of its own, so to make its processes less urgent is not enough. Where the
 * system has no such groups, or refuses, nothing happens.
 *
 * @param pid a process of the group
 */
export function giveWay(pid: number | undefined, niceness: number): void {
  if (pid !== undefined && niceness > 0) tellGroup(pid, niceness, TRIES);
}

function tellGroup(pid: number, niceness: number, tries: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || tries === 0) return;
    clock.setTimeout(() => tellGroup(pid, niceness, tries - 1), AGAIN_MS).unref();
  }
}
