/**
 * The byte logic of one direction of one layer, without any stream.
 *
 * Its caller calls `push` with a chunk, then `next` until `next` has nothing more to give.
 * `next` has three outcomes and no other:
 *
 *     an item       give it to the neighbour, ask again
 *     undefined     more input is needed
 *     throws        the stream is dead; the error says why (never for "not enough yet")
 *
 * A codec that must wait for something besides its input (a body that is still being read) returns a promise of one of
 * the three outcomes. `next` is called again only after that promise has settled.
 */
export interface Codec<In, Out> {
  /** Takes one chunk. Only called when `next` has returned `undefined`. */
  push(chunk: In): void;
  /** The next item, or `undefined` when more input is needed. */
  next(): Out | undefined | Promise<Out | undefined>;
  /** The input is over. `next` is called afterwards for the rest. Throws `TruncatedError` when bytes are missing. */
  end(): void;
  /**
   * A mark has come: all input before it is complete, and there is no need to wait for more. `next` is called afterwards. A
   * codec with this method consumes marks; marks pass by a codec without it. Only called when `next` has returned `undefined`.
   */
  flush?(): void;
  /** The stream is destroyed. Frees what the codec holds besides memory. */
  destroy?(error: Error | null): void;
}
