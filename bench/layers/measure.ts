import { add, configure, suite } from 'benny';
import { type Measured, OURS, rounded } from '../harness/result.js';
import { rotated } from '../harness/rounds.js';
import { sizeText } from '../harness/size.js';
import { median, spread } from '../harness/statistics.js';
import type { Contender, Contest } from './contest.js';

export interface MeasureOptions {
  /** Each with another contender first. */
  readonly rounds: number;
  /** Seconds that benny may give one contender in a round. */
  readonly maxSeconds: number;
  /** Milliseconds that a contender runs before anything is measured. */
  readonly warmUpMilliseconds: number;
}

/** Least samples of a contender in a round, and seconds of each. */
const MIN_SAMPLES = 3;
const MIN_SECONDS = 0.02;

/** Runs a contest by benny; gives one result a contender. */
export async function measure(contest: Contest, { rounds, maxSeconds, warmUpMilliseconds }: MeasureOptions): Promise<Measured[]> {
  await warmUp(contest, warmUpMilliseconds);
  const samples = new Map(contest.contenders.map(({ name }) => [name, [] as number[]]));
  const cases = { minSamples: MIN_SAMPLES, minTime: MIN_SECONDS, maxTime: maxSeconds, initCount: 1 };
  for (let round = 0; round < rounds; round++) {
    const title = `${contest.name}, ${sizeText(contest.messageBytes)}${rounds === 1 ? '' : `, round ${round + 1} of ${rounds}`}`;
    const entries = rotated(contest.contenders, round).map(({ name, run }) => add(name, run));
    const { results } = await suite(title, ...entries, configure({ cases }));
    for (const { name, details } of results) samples.get(name)?.push(...details.sampleResults);
  }
  const seconds = new Map([...samples].map(([name, all]) => [name, median(all)]));
  return contest.contenders.map(({ name }) => resultOf(contest, name, rounds, samples.get(name) as number[], seconds));
}

/**
 * Runs each contender for a while: code is compiled on the way, and the first would otherwise be measured while that
 * happens. A contender that gives nothing would win.
 */
async function warmUp({ name, messageBytes, messages, contenders }: Contest, milliseconds: number): Promise<void> {
  for (const contender of contenders) {
    const started = performance.now();
    do {
      const bytes = await contender.run();
      if (bytes < messageBytes * messages) throw new Error(`${name}: ${contender.name} gave ${bytes} bytes of ${messageBytes * messages}`);
    } while (performance.now() - started < milliseconds);
  }
}

function resultOf(
  { name, messageBytes, messages, contenders }: Contest,
  by: string,
  rounds: number,
  samples: readonly number[],
  seconds: ReadonlyMap<string, number>,
): Measured {
  const bytes = messageBytes * messages;
  const own = seconds.get(by) as number;
  return {
    suite: 'layers',
    name,
    by,
    bytes,
    messageBytes,
    rounds,
    seconds: rounded(own),
    spread: rounded(spread(samples)),
    mbPerSecond: rounded(bytes / 1e6 / own),
    messagesPerSecond: rounded(messages / own),
    ratioTo: by === OURS ? ratios(own, contenders, seconds) : {},
  };
}

function ratios(own: number, contenders: readonly Contender[], seconds: ReadonlyMap<string, number>): Record<string, number> {
  const peers = contenders.filter(({ name }) => name !== OURS);
  return Object.fromEntries(peers.map(({ name }) => [name, rounded((seconds.get(name) as number) / own)]));
}
