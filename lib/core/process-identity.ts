/** Tells which process a file or folder belongs to, so that what dead processes left can be told from what is in use. */
import { readFileSync } from 'node:fs';

/** When a process began. It tells the process from a later one with the same number. Empty where /proc is missing. */
export interface ProcessIdentity {
  /** Clock ticks from the boot of the machine. */
  readonly start: string;
  /** The id of the boot that the ticks count from. */
  readonly boot: string;
}

const UNKNOWN: ProcessIdentity = Object.freeze({ start: '', boot: '' });

/** The identity of a living process, undefined when there is none. A zombie does not count: it may never be reaped. */
export function identityOfProcess(pid: number): ProcessIdentity | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === undefined) return exists(pid) ? UNKNOWN : undefined;
  // Field 2, the name, may hold any characters and ends with the last parenthesis. The three below are fields 3, 20 and 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, threads, start] = [fields[0], fields[17], fields[19]];
  // A zombie with more than one thread: its first thread has ended, and another may still be writing.
  if (state === 'X' || (state === 'Z' && Number(threads) <= 1)) return undefined;
  const boot = textOf('/proc/sys/kernel/random/boot_id');
  return start === undefined || boot === undefined ? UNKNOWN : { start, boot: boot.trim() };
}

/** Whether that very process lives. If an identity is unknown, any process with the number counts as that process. */
export function isAlive(pid: number, identity: ProcessIdentity): boolean {
  const now = identityOfProcess(pid);
  if (now === undefined) return false;
  return now.boot === '' || identity.boot === '' || (now.start === identity.start && now.boot === identity.boot);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
