/** What a process holds: memory, descriptors, timers, listeners, and the tables of its role. */
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Leftovers {
  /** Bytes after a collection: what is in V8's heap, and what is outside of it. */
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
  /** What must be the same before and after: each by a name, as a count. */
  readonly counts: Readonly<Record<string, number>>;
}

let collect: (() => void) | undefined;

/** @param tables the sizes of the role's own tables */
export function leftovers(tables: Readonly<Record<string, number>>): Leftovers {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  // What a finaliser lets go of is free after the next one.
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, resident: rss, counts: { ...tables, ...systemCounts(), ...resources() } };
}

function systemCounts(): Record<string, number> {
  let descriptors = 0;
  try {
    descriptors = readdirSync('/proc/self/fd').length;
  } catch {
    // Not on this system.
  }
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return { descriptors, 'listeners of the process': listeners };
}

/** What keeps the event loop going: timers, sockets, servers. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
