import { type Annotation, annotate } from './annotate.js';
import type { Reading } from './reading.js';

export interface Choice {
  readonly reading: Reading;
  /** Another reading that fits equally well. */
  readonly other: Reading | undefined;
}

/**
 * Chooses the reading that fits best: one without a fault and with the fewest notes. If every reading has a fault, it chooses
 * the one whose fault comes last. The rows of the attempts are not kept in memory.
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
