import { DeferredBytes } from './deferred-bytes.js';

/** Counters of one direction of one layer. They are always on, at a cost of four additions a chunk. */
export interface Traffic {
  /** Bytes that came from the neighbour. For the messages above the top layer, only their bodies count. */
  bytesIn: number;
  /** Bytes that went to the neighbour. */
  bytesOut: number;
  /** Chunks of bytes that went to the neighbour. */
  chunks: number;
  /** Faults that this direction of this layer raised: 0 or 1, because a layer that has failed is destroyed. */
  errors: number;
}

/** Number of bytes in an item of a layer. Undefined for a bound, a mark or a message. */
export function bytesOf(item: unknown): number | undefined {
  return Buffer.isBuffer(item) || item instanceof DeferredBytes ? item.length : undefined;
}

export function newTraffic(): Traffic {
  return { bytesIn: 0, bytesOut: 0, chunks: 0, errors: 0 };
}
