import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { makeCredentials } from './credentials.js';
import type { StoreWrapper } from './fleet.js';
import { type Outcome, World } from './world.js';

/**
 * Milliseconds by which virtual time begins before the machine's. OpenSSL looks at the machine's clock; certificates that
 * are issued in a run hold from its virtual time on, for a day.
 */
const BEFORE_MS = 6 * 3_600_000;
/** Runs after which the heap is taken to have all that it keeps for good. */
const WARM_RUNS = 40;

/** What some runs showed. */
export interface Figures {
  readonly runs: number;
  readonly steps: number;
  readonly virtualMs: number;
  /** Writes and appends that clients asked for. */
  readonly changes: number;
  readonly tally: ReadonlyMap<string, number>;
  readonly violations: readonly { readonly seed: number; readonly violation: string }[];
  /** Bytes by which the heap has grown since it was warm, garbage collected. Undefined for few runs. */
  readonly grownBytes: number | undefined;
}

export interface RunsOptions {
  readonly wrap?: StoreWrapper;
  /** Called after each run. */
  readonly onRun?: (outcome: Outcome) => void;
}

/** Runs the seeds, one after the other. */
export async function runSeeds(seeds: Iterable<number>, { wrap, onRun }: RunsOptions = {}): Promise<Figures> {
  const epoch = Date.now() - BEFORE_MS;
  const credentials = makeCredentials(epoch);
  const violations: { seed: number; violation: string }[] = [];
  const tally = new Map<string, number>();
  const sums = { runs: 0, steps: 0, virtualMs: 0, changes: 0 };
  let warmBytes: number | undefined;
  for (const seed of seeds) {
    const outcome = await new World(seed, { credentials, epoch, ...(wrap && { wrap }) }).run();
    sums.runs++;
    sums.steps += outcome.steps;
    sums.virtualMs += outcome.virtualMs;
    sums.changes += outcome.changes;
    for (const [what, times] of outcome.tally) tally.set(what, (tally.get(what) ?? 0) + times);
    if (outcome.violation !== undefined) violations.push({ seed, violation: outcome.violation });
    if (sums.runs === WARM_RUNS) warmBytes = heapBytes();
    onRun?.(outcome);
  }
  return { ...sums, tally, violations, grownBytes: warmBytes === undefined ? undefined : heapBytes() - warmBytes };
}

/** One run, with its story. */
export function replay(seed: number): Promise<Outcome> {
  const epoch = Date.now() - BEFORE_MS;
  return new World(seed, { credentials: makeCredentials(epoch), epoch, tell: true }).run();
}

/** Bytes that the heap holds when all garbage is gone. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
