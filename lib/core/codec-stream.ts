import type { TransformCallback } from 'node:stream';
import type { Codec } from './codec.js';
import type { Connection } from './connection.js';
import { LayerStream } from './layer-stream.js';

/**
 * The stream shell of a codec. It keeps the brake that Transform lacks: when the neighbour's buffer is full it stops
 * asking the codec, and goes on at the next `_read`, so that one chunk that holds a thousand messages does not become
 * a thousand messages at once.
 */
export class CodecStream<In, Out> extends LayerStream<In, Out> {
  readonly #codec: Codec<In, Out>;
  /** Set while the codec has more to give and the neighbour has no room. */
  #resume: (() => void) | undefined;

  constructor(layer: string, codec: Codec<In, Out>, connection?: Connection) {
    super(layer, connection);
    this.#codec = codec;
  }

  override _transform(chunk: In, _encoding: BufferEncoding, done: TransformCallback): void {
    this.count(chunk);
    try {
      this.#codec.push(chunk);
    } catch (thrown) {
      done(this.fault(thrown));
      return;
    }
    this.#drain(done);
  }

  override _flush(done: TransformCallback): void {
    try {
      this.#codec.end();
    } catch (thrown) {
      done(this.fault(thrown));
      return;
    }
    this.#drain(done);
  }

  override _read(size: number): void {
    const resume = this.#resume;
    const before = this.readableLength;
    this.#resume = undefined;
    resume?.();
    // A codec that had nothing more leaves Transform's own pause in force, and no other `_read` would come to end it.
    if (this.#resume === undefined && this.readableLength === before) super._read(size);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#resume = undefined;
    this.#codec.destroy?.(error);
    super._destroy(error, done);
  }

  /** Gives items until the codec wants input (calls `done`) or the neighbour wants a pause. */
  #drain(done: TransformCallback): void {
    try {
      for (;;) {
        const item = this.#codec.next();
        if (item === undefined) {
          done();
          return;
        }
        if (item instanceof Promise) {
          this.#await(item, done);
          return;
        }
        if (!this.give(item)) {
          this.#resume = () => this.#drain(done);
          return;
        }
      }
    } catch (thrown) {
      done(this.fault(thrown));
    }
  }

  #await(pending: Promise<Out | undefined>, done: TransformCallback): void {
    pending.then(
      (item) => {
        if (this.destroyed) return;
        if (item === undefined) done();
        else if (this.give(item)) this.#drain(done);
        else this.#resume = () => this.#drain(done);
      },
      (thrown: unknown) => {
        if (!this.destroyed) done(this.fault(thrown));
      },
    );
  }
}
