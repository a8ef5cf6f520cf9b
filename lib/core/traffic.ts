import { DeferredBytes } from './deferred-bytes.js';

/** Counters of one direction of one layer. Always on: four additions a chunk. */
export interface Traffic {
  /** Bytes that came from the neighbour. Messages above the top layer count their bodies only. */
  bytesIn: number;
  /** Bytes that went to the neighbour. */
  bytesOut: number;
  /** Chunks of bytes that went to the neighbour. */
  chunks: number;
  /** Faults that this direction of this layer raised: 0 or 1, a failed layer is gone. */
  errors: number;
}

/** Bytes of an item of a layer; undefined for a mark or a message. */
export function bytesOf(item: unknown): number | undefined {
  return Buffer.isBuffer(item) || item instanceof DeferredBytes ? item.length : undefined;
}

export function newTraffic(): Traffic {
  return { bytesIn: 0, bytesOut: 0, chunks: 0, errors: 0 };
}
