import { type Annotation, annotate } from './annotate.js';
import type { Reading } from './reading.js';

export interface Choice {
  readonly reading: Reading;
  /** Another reading that is as good. */
  readonly other: Reading | undefined;
}

/**
 * The reading that fits: without a fault and with the fewest oddities; if each has a fault, the one that comes further.
 * Nothing of an attempt is kept.
 */
export function choose(bytes: Buffer, readings: readonly Reading[]): Choice {
  if (readings.length === 1) return { reading: readings[0] as Reading, other: undefined };
  const tried = readings.map((reading) => ({ reading, ...attempt(annotate(bytes, reading)) }));
  const sound = tried.filter(({ fault }) => fault === undefined).sort((a, b) => a.oddities - b.oddities);
  const [best, second] = sound.length > 0 ? sound : tried.sort((a, b) => (b.fault ?? 0) - (a.fault ?? 0));
  const equal = sound.length > 1 && second?.oddities === best?.oddities;
  return { reading: (best as { reading: Reading }).reading, other: equal ? second?.reading : undefined };
}

function attempt(items: Iterable<Annotation>): { fault: number | undefined; oddities: number } {
  let oddities = 0;
  for (const item of items) {
    if (item.kind === 'fault') return { fault: item.offset, oddities };
    if (item.note !== undefined) oddities++;
  }
  return { fault: undefined, oddities };
}
