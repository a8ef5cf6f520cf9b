import { clock } from '../core/clock.js';
import type { Connection } from '../core/connection.js';
import type { LayerStream } from '../core/layer-stream.js';
import { bytesOf } from '../core/traffic.js';
import { type Direction, type ItemEvent, itemsWanted, publishItem } from './diagnostics.js';

/** The two neighbours of a stack, as events name them. */
export const APPLICATION = 'application';
export const PIPE = 'pipe';

/** Publishes what passes between the layers of one stack. */
export class ItemWatch {
  readonly #connection: Connection;
  /** What passed before the stack was open: a TLS client speaks as soon as its layer is complete. */
  #early: ItemEvent[] | undefined = [];

  /** Undefined when nobody has subscribed: then the stack runs without. */
  static of(connection: Connection): ItemWatch | undefined {
    return itemsWanted() ? new ItemWatch(connection) : undefined;
  }

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Watches a chain of streams from now on: each gives to the next, and the last to `end`. */
  watch(direction: Direction, streams: readonly LayerStream<unknown, unknown>[], end: string): void {
    for (const [i, stream] of streams.entries()) {
      const to = streams[i + 1]?.layer ?? end;
      stream.observer = (item, bytes) => this.#saw(direction, stream.layer, to, item, bytes);
    }
  }

  /** An item comes from one of the two ends of the stack. */
  entered(direction: Direction, from: string, to: string, item: unknown): void {
    this.#saw(direction, from, to, item, bytesOf(item) ?? lengthOf(item));
  }

  /** Publishes what has passed so far, and from now on each item when it passes. Called when the stack was announced. */
  opened(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) publishItem(event);
  }

  #saw(direction: Direction, from: string, to: string, item: unknown, bytes: number | undefined): void {
    const { id, session } = this.#connection;
    const event: ItemEvent = { connection: id, session, direction, from, to, time: clock.monotonic(), bytes, item };
    if (this.#early === undefined) publishItem(event);
    else this.#early.push(event);
  }
}

/** Bytes of what an application may write in place of a Buffer. */
function lengthOf(item: unknown): number | undefined {
  if (typeof item === 'string') return Buffer.byteLength(item);
  return item instanceof Uint8Array ? item.length : undefined;
}
