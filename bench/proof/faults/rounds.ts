/** One fault after the other, and what clients see of it. */
import { pause, until } from '../crash/processes.js';
import type { Random } from '../seed.js';
import type { Deployment } from './deployment.js';
import type { Fault } from './faults.js';
import { Lane, type Work } from './lane.js';

const LANES = 2;
/** Milliseconds within which a fault falls. */
const WITHIN_MS = 300;

export interface RoundFigures {
  readonly fault: Fault;
  /** Calls by how they ended. */
  readonly ended: ReadonlyMap<string, number>;
  /** Milliseconds from the end of the fault until a client could write; undefined where the fault could not be tried. */
  readonly backMs: number | undefined;
  /** Why it could not be tried. */
  readonly skipped?: string;
  readonly violations: readonly string[];
}

export interface RoundOptions {
  /** Milliseconds that the fault lasts. */
  readonly lastsMs: number;
  /** Milliseconds after its end within which everything must work again. */
  readonly backWithinMs: number;
}

export async function faultRound(deployment: Deployment, fault: Fault, random: Random, options: RoundOptions): Promise<RoundFigures> {
  const found: string[] = [];
  const work: Work = {
    random,
    disk: fault.disk === true,
    connect: () => deployment.connect(),
    violations: found,
    ended: new Map(),
  };
  const lanes = Array.from({ length: LANES }, (_, i) => new Lane(`/lane-${i}`, work));
  for (const lane of lanes) lane.begin();
  await pause(random.below(WITHIN_MS));
  const end = await fault.begin(deployment, random);
  let backMs: number | undefined;
  if (typeof end !== 'string') {
    await pause(options.lastsMs);
    await end();
    backMs = await back(deployment, options.backWithinMs).catch((error: Error) => void found.push(error.message));
  }
  await Promise.all(lanes.map((lane) => lane.stop()));
  await Promise.all(lanes.map((lane) => lane.judge()));
  await deployment.alive();
  const violations = found.map((what) => `${fault.kind}, ${fault.where}: ${what}`);
  return { fault, ended: work.ended, backMs, violations, ...(typeof end === 'string' ? { skipped: end } : {}) };
}

/** Waits until a new client can write. @returns the milliseconds that it took */
async function back(deployment: Deployment, withinMs: number): Promise<number> {
  const begun = performance.now();
  let last: unknown;
  const works = async () => {
    try {
      const client = await deployment.connect();
      await client.writeFile('/probe', Buffer.from('probe')).finally(() => client.close().catch(() => {}));
      return true;
    } catch (error) {
      last = error;
      return false;
    }
  };
  await until('a client that can write', works, withinMs).catch((error: Error) => {
    throw new Error(`${error.message}: ${String(last)}`);
  });
  return performance.now() - begun;
}
