import type { Codec } from '../../core/codec.js';
import { Announce, type AnnouncedChunk } from '../../core/unit.js';
import { type Region, type Row, type Rows, verdict } from './region.js';

/** One unit of a layer that writes lengths before bytes. */
export interface Unit {
  /** From 1. */
  readonly count: number;
  /** Where its header begins. */
  readonly at: number;
  /** Bytes that the header tells. */
  readonly announced: number;
  /** Bytes of them that are there. */
  readonly got: number;
}

/**
 * Cuts `region` into units, as the real `decoder` of `layer` does, and lets `rowsOf` say what is in each. The fault that the
 * decoder raises, if any, comes after the units before it.
 */
export function* unitRows(
  layer: string,
  decoder: Codec<Buffer, AnnouncedChunk>,
  headerBytes: number,
  region: Region,
  rowsOf: (unit: Unit) => Generator<Row, unknown, undefined>,
): Rows {
  let at = 0;
  let item: unknown;
  const ask = (work: () => unknown) => {
    const error = verdict(layer, () => {
      item = work();
    });
    if (error !== undefined) throw region.fault(error, at, at);
  };
  decoder.push(region.bytes);
  for (let count = 1; ; count++) {
    ask(() => decoder.next());
    if (!(item instanceof Announce)) break;
    const announced = item.length;
    // The whole region is one chunk, so that a payload comes in one piece, as far as it is there.
    if (announced > 0) ask(() => decoder.next());
    const got = announced > 0 && Buffer.isBuffer(item) ? item.length : 0;
    yield* rowsOf({ count, at, announced, got });
    at += headerBytes + got;
  }
  if (at < region.bytes.length) yield region.field(layer, 'header (incomplete)', at, region.bytes.length - at);
  at = region.bytes.length;
  ask(() => decoder.end());
}
