import type { Budget } from './budget.js';
import type { Descriptor, Descriptors } from './descriptors.js';
import type { GuestMemory } from './guest-memory.js';
import { ERRNO, FSTFLAG, type Preview1 } from './preview1.js';
import type { RightsTable } from './rights-table.js';

/** What the calls of a program work on. */
export interface Host {
  /** `node:wasi`, which carries out what is allowed. */
  readonly real: Preview1;
  readonly memory: GuestMemory;
  readonly rights: RightsTable;
  readonly descriptors: Descriptors;
  readonly budget: Budget;
  /** The folder that is the program's root. */
  readonly world: string;
  /** Whether the program may know the time. */
  readonly clock: boolean;
}

/** Where a filestat has its three times, and where it ends. */
const TIMES = [40, 64] as const;
export const FILESTAT_BYTES = TIMES[1];

/** The rights on something that is open. */
export function rightsOn({ rights }: Host, open: Descriptor): number {
  return open.kind === 'directory' ? rights.of(open.name) : open.rights;
}

/** `ERRNO.SUCCESS` when the descriptor is open and has all of `needed`. */
export function check(host: Host, fd: number, needed: number): number {
  const open = host.descriptors.get(fd >>> 0);
  if (open === undefined) return ERRNO.BADF;
  return (rightsOn(host, open) & needed) === needed ? ERRNO.SUCCESS : ERRNO.ACCES;
}

/** Takes the times out of the filestat at `pointer`, for a file's time is a clock too. */
export function veilTimes({ clock, memory }: Host, pointer: number, errno: number): number {
  if (!clock && errno === ERRNO.SUCCESS) memory.bytes(pointer, FILESTAT_BYTES)?.fill(0, ...TIMES);
  return errno;
}

/**
 * Whether the flags that say which times to set are known ones that do not contradict each other (a time given, and the
 * time now). `node:wasi` refuses the others too, but its path call keeps the descriptor locked then: the next call on it
 * would wait for ever, and the end of the process would be an abort.
 */
export function settableTimes(flags: number): boolean {
  const { ATIM, ATIM_NOW, MTIM, MTIM_NOW } = FSTFLAG;
  if ((flags & ~(ATIM | ATIM_NOW | MTIM | MTIM_NOW)) !== 0) return false;
  return [ATIM | ATIM_NOW, MTIM | MTIM_NOW].every((both) => (flags & both) !== both);
}
