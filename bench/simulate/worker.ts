/** Some of the runs of `npm run simulate`, in a thread with a clock, a network and a `node:fs` of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { runSeeds } from './runs.js';

/** Of the runs `first` to `last`, every `step`th. */
export interface Share {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** A run that showed something. */
export interface Shown {
  readonly seed: number;
  readonly violation: string;
}

function* seedsOf({ first, last, step }: Share): Generator<number> {
  for (let seed = first; seed <= last; seed += step) yield seed;
}

const result = await runSeeds(seedsOf(workerData as Share), {
  onRun: ({ plan: { seed }, violation }) => {
    if (violation !== undefined) parentPort?.postMessage({ seed, violation } satisfies Shown);
  },
});
parentPort?.postMessage({ result });
