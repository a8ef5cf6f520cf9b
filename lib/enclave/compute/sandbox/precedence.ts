import { writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { clock } from '../../../core/clock.js';

const LEAST_URGENT = 19;
/** The kernel takes one such change in 100 ms from all who are not root. */
const AGAIN_MS = 110;
const TRIES = 50;

/**
 * Lets a process that was just started, and all that it starts, yield to whoever else wants the processor: by so much as the
 * command `nice` has it. A process that is in a session of its own is in a group of its own for the scheduler of Linux, too,
 * which gives each group the same, whatever the priority of its processes is; so the group is told as well. Where the system
 * has no such groups, or refuses, nothing happens.
 */
export function giveWay(pid: number | undefined, niceness: number): void {
  if (pid === undefined || niceness === 0) return;
  try {
    setPriority(pid, Math.min(LEAST_URGENT, getPriority() + niceness));
  } catch {
    // It has ended already.
  }
  tellGroup(pid, niceness, TRIES);
}

function tellGroup(pid: number, niceness: number, tries: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || tries === 0) return;
    clock.setTimeout(() => tellGroup(pid, niceness, tries - 1), AGAIN_MS).unref();
  }
}
