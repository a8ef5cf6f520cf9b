/** Which process something on disk belongs to, so that what the dead left there can be told from what is in use. */
import { readFileSync } from 'node:fs';

/** When a process began, which tells it from a later one with the same number. Empty where the system does not tell (not on Linux). */
export interface ProcessIdentity {
  /** Clock ticks from the boot of the machine. */
  readonly start: string;
  /** The id of that boot. */
  readonly boot: string;
}

const UNKNOWN: ProcessIdentity = Object.freeze({ start: '', boot: '' });

/** The identity of a living process, undefined when there is none. A zombie is none: nobody may ever come to reap it. */
export function identityOfProcess(pid: number): ProcessIdentity | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === undefined) return exists(pid) ? UNKNOWN : undefined;
  // The second field, the name, may hold anything and ends with the last parenthesis: 3, 20 and 22 are those below.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, threads, start] = [fields[0], fields[17], fields[19]];
  // While there is more than one, the first has ended and another may still be writing.
  if (state === 'X' || (state === 'Z' && Number(threads) <= 1)) return undefined;
  const boot = textOf('/proc/sys/kernel/random/boot_id');
  return start === undefined || boot === undefined ? UNKNOWN : { start, boot: boot.trim() };
}

/** Whether that very process lives. Where an identity is unknown, any process with the number counts as it. */
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
