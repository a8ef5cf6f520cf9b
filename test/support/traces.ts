/** The lines of traces, and what they add up to. */
import { readFileSync } from 'node:fs';
import type { LayerTraffic } from '../../lib/pipeline/diagnostics.js';

/** One line, whatever its event. */
export type AnyLine = Record<string, any>;

export function linesOf(path: string): AnyLine[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AnyLine);
}

/** The counters of every layer of a connection, as its items give them. Faults are those of its `error` lines. */
export function sumsOf(lines: readonly AnyLine[], connection: number): LayerTraffic[] {
  const own = lines.filter((line) => line.connection === connection);
  const items = own.filter(({ event, bytes }) => event === 'item' && bytes !== undefined);
  const sum = (some: readonly AnyLine[]) => some.reduce((total, { bytes }) => total + (bytes as number), 0);
  const side = (layer: string, direction: string) => {
    const here = items.filter((line) => line.direction === direction);
    const given = here.filter(({ from }) => from === layer);
    return { bytesIn: sum(here.filter(({ to }) => to === layer)), bytesOut: sum(given), chunks: given.length, errors: 0 };
  };
  const layers: string[] = own.find(({ event }) => event === 'open')?.layers ?? [];
  return layers.map((layer) => ({ layer, outbound: side(layer, 'outbound'), inbound: side(layer, 'inbound') }));
}
