/**
 * The byte logic of one direction of one layer, without any stream.
 *
 * A codec is fed and asked, in that order: `push` a chunk, then call `next` until it has nothing more to give.
 * It has three outcomes and no other:
 *
 *     an item       give it to the neighbour, ask again
 *     undefined     more input is needed
 *     throws        the stream is dead; the error says why (never for "not enough yet")
 *
 * A codec that must wait for something besides its input (a body that is still being read) returns a promise of
 * one of the three; it is asked again only when that is settled.
 */
export interface Codec<In, Out> {
  /** Takes one chunk. Only called when `next` has said `undefined`. */
  push(chunk: In): void;
  /** The next item, or `undefined` when more input is needed. */
  next(): Out | undefined | Promise<Out | undefined>;
  /** The input is over: `next` is asked once more for what is left. Throws `TruncatedError` when bytes are owed. */
  end(): void;
  /**
   * A mark has come: what was pushed before it is complete, so nothing need wait for more. `next` is asked afterwards. A
   * codec that has this consumes marks; all others let them pass. Only called when `next` has said `undefined`.
   */
  flush?(): void;
  /** The stream is gone; frees what the codec holds besides memory. */
  destroy?(error: Error | null): void;
}
