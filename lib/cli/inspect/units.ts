import type { Codec } from '../../core/codec.js';
import { Announce, type AnnouncedChunk } from '../../core/unit.js';
import { type Region, type Row, type Rows, verdict } from './region.js';

/** One unit (a frame or message) of a layer that writes a length before its bytes. */
export interface Unit {
  /** Number of the unit, from 1. */
  readonly count: number;
  /** Offset of its header. */
  readonly at: number;
  /** Length in the header, in bytes. */
  readonly announced: number;
  /** Bytes of the unit that are present. */
  readonly got: number;
}

/**
 * Splits `region` into units with the real `decoder` of `layer`, and yields the rows that `rowsOf` makes for each. If the
 * decoder fails, the fault comes after the rows of the units before it.
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
    // The whole region was pushed as one chunk, so the decoder gives all present bytes of a payload in one piece.
    if (announced > 0) ask(() => decoder.next());
    const got = announced > 0 && Buffer.isBuffer(item) ? item.length : 0;
    yield* rowsOf({ count, at, announced, got });
    at += headerBytes + got;
  }
  if (at < region.bytes.length) yield region.field(layer, 'header (incomplete)', at, region.bytes.length - at);
  at = region.bytes.length;
  ask(() => decoder.end());
}
