import type { TransformCallback } from 'node:stream';
import { layerChunk } from './as-buffer.js';
import type { Codec } from './codec.js';
import type { Connection } from './connection.js';
import { LayerStream } from './layer-stream.js';
import { isMark } from './unit.js';

/**
 * The Transform around a codec. A codec in a stack is driven by this class and by nothing else.
 *
 *     write(chunk) ─▶ codec.push, codec.next… ─▶ push(item)          the next chunk when the codec wants input
 *     write(mark)  ─▶ codec.flush, codec.next… or push(mark)
 *     end()        ─▶ codec.end,  codec.next… ─▶ push(item)… ─▶ end
 *
 * Where the codec takes Buffers, the stream takes a Uint8Array and a text as well; a text is UTF-8 unless `write` is told another
 * encoding.
 *
 * It adds the back-pressure that a plain Transform lacks: when the neighbour's buffer is full, the codec is not asked again
 * before the next `_read`. So a chunk that holds a thousand messages does not become a thousand messages in memory at once.
 */
export class CodecStream<In, Out> extends LayerStream<In, Out> {
  readonly #codec: Codec<In, Out>;
  /** To be called when the current chunk, or the end of the input, is processed. Undefined while there is neither. */
  #done: TransformCallback | undefined;
  /** The neighbour has no room, and the codec may have more to give. */
  #paused = false;

  constructor(layer: string, codec: Codec<In, Out>, connection?: Connection) {
    super(layer, connection);
    this.#codec = codec;
  }

  override _transform(given: In, encoding: BufferEncoding, done: TransformCallback): void {
    const chunk = layerChunk(given, encoding);
    this.#done = done;
    try {
      if (isMark(chunk)) {
        if (this.#codec.flush === undefined) this.pass(chunk);
        else this.#codec.flush();
      } else {
        this.count(chunk);
        this.#codec.push(chunk);
      }
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    this.#drain();
  }

  override _flush(done: TransformCallback): void {
    this.#done = done;
    try {
      this.#codec.end();
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    this.#drain();
  }

  override _read(size: number): void {
    if (this.#paused) {
      this.#paused = false;
      const before = this.readableLength;
      this.#drain();
      // No further `_read` comes while nothing was pushed. This call must reach Transform, which waits for it.
      if (this.#paused || this.readableLength !== before) return;
    }
    super._read(size);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#done = undefined;
    this.#paused = false;
    this.#codec.destroy?.(error);
    super._destroy(error, done);
  }

  /** Gives items until the codec wants input or the neighbour has no room. */
  #drain(): void {
    try {
      while (!this.destroyed) {
        const item = this.#codec.next();
        if (item === undefined) {
          this.#digested();
          return;
        }
        if (item instanceof Promise) {
          this.#await(item);
          return;
        }
        if (!this.give(item)) {
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
        if (this.destroyed) return;
        if (item === undefined) this.#digested();
        else if (this.give(item)) this.#drain();
        else this.#paused = true;
      },
      (thrown: unknown) => this.#fail(thrown),
    );
  }

  #digested(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }

  #fail(thrown: unknown): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(this.fault(thrown));
  }
}
