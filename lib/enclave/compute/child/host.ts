import { join } from 'node:path';
import type { Budget } from './budget.js';
import type { Descriptor, Descriptors } from './descriptors.js';
import type { GuestMemory } from './guest-memory.js';
import { ERRNO } from './preview1.js';
import type { RightsTable } from './rights-table.js';

/** What the calls of a program work on. */
export interface Host {
  readonly memory: GuestMemory;
  readonly rights: RightsTable;
  readonly descriptors: Descriptors;
  readonly budget: Budget;
  /** The arguments of the program, its name first. */
  readonly args: readonly string[];
  /** Its environment, `NAME=value` each. */
  readonly environment: readonly string[];
  /** The folder that is the program's root. */
  readonly world: string;
  /** Bytes of the longest name below the root. What is longer could not be found again outside of this process. */
  readonly maxNameBytes: number;
  /** Whether the program may know the time. */
  readonly clock: boolean;
}

/** Where something of the program's world is on disk. */
export function placeOf({ world }: Host, name: string): string {
  return join(world, name);
}

/** The rights on something that is open. */
export function rightsOn({ rights }: Host, open: Descriptor): number {
  return open.kind === 'directory' ? rights.of(open.name) : open.rights;
}

/**
 * What is open under a number, when the program has all of `needed` on it; else the number of an error. On a directory
 * some rights mean nothing, and others may have been given up.
 */
export function opened(host: Host, fd: number, needed: number): Descriptor | number {
  const open = host.descriptors.get(fd);
  if (open === undefined) return ERRNO.BADF;
  if (open.kind !== 'directory' && (open.givenUp & needed) !== 0) return ERRNO.NOTCAPABLE;
  if ((rightsOn(host, open) & needed) !== needed) return ERRNO.ACCES;
  return open.kind === 'directory' && (open.base & needed) !== needed ? ERRNO.NOTCAPABLE : open;
}
