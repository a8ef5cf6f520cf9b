import type { Codec } from './codec.js';

/** Where the items of a pump go. */
export interface Sink<Out> {
  /** Takes one item. False: no more before `resume` of the pump is called. */
  take(item: Out): boolean;
  /** There are no more items. */
  end(): void;
}

/**
 * Drives a codec from a source that hands over chunks to a sink that may ask for a pause, without any stream. One chunk is
 * in hand at a time; it is digested when the codec has given all its items and the sink has taken them.
 *
 *     push(chunk, done) ─▶ codec.push, codec.next… ─▶ sink.take          done: the next chunk, please
 *     end()             ─▶ codec.end,  codec.next… ─▶ sink.take… ─▶ sink.end
 *
 * The first fault goes to `failed`, and nothing happens after it, or after `destroy`.
 */
export class CodecPump<In, Out> {
  readonly #codec: Codec<In, Out>;
  readonly #sink: Sink<Out>;
  readonly #failed: (thrown: unknown) => void;
  /** Called when the chunk in hand is digested; undefined while there is none. */
  #done: (() => void) | undefined;
  /** The sink has no room: the codec may have more to give. */
  #paused = false;
  /** The input was over while a chunk was in hand. */
  #endAwaits = false;
  #over = false;

  constructor(codec: Codec<In, Out>, sink: Sink<Out>, failed: (thrown: unknown) => void) {
    this.#codec = codec;
    this.#sink = sink;
    this.#failed = failed;
  }

  /** True when no chunk is in hand. */
  get idle(): boolean {
    return this.#done === undefined;
  }

  /** True when the sink has asked for a pause. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Takes a chunk. Only called when the one before it is digested. `done` may be called before this returns. */
  push(chunk: In, done: () => void): void {
    if (this.#over) return;
    this.#done = done;
    try {
      this.#codec.push(chunk);
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    this.#drain();
  }

  /** The input is over. Also called with a chunk in hand: a stream may end while it is paused, with its last chunk. */
  end(): void {
    if (this.#over) return;
    if (this.#done !== undefined) {
      this.#endAwaits = true;
      return;
    }
    this.#done = () => this.#sink.end();
    try {
      this.#codec.end();
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    this.#drain();
  }

  /** The sink has room. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#drain();
  }

  destroy(error: Error | null): void {
    this.#over = true;
    this.#done = undefined;
    this.#paused = false;
    this.#codec.destroy?.(error);
  }

  /** Gives items until the codec wants input or the sink wants a pause. */
  #drain(): void {
    try {
      while (!this.#over) {
        const item = this.#codec.next();
        if (item === undefined) {
          this.#digested();
          return;
        }
        if (item instanceof Promise) {
          this.#await(item);
          return;
        }
        if (!this.#sink.take(item)) {
          this.#paused = true;
          return;
        }
      }
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #await(pending: Promise<Out | undefined>): void {
    pending.then(
      (item) => {
        if (this.#over) return;
        if (item === undefined) this.#digested();
        else if (this.#sink.take(item)) this.#drain();
        else this.#paused = true;
      },
      (thrown: unknown) => this.#fail(thrown),
    );
  }

  #digested(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.();
    if (!this.#endAwaits) return;
    this.#endAwaits = false;
    this.end();
  }

  #fail(thrown: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#failed(thrown);
  }
}
