import type { TransformCallback } from 'node:stream';
import type { Codec } from './codec.js';
import { CodecPump } from './codec-pump.js';
import type { Connection } from './connection.js';
import { LayerStream } from './layer-stream.js';

/**
 * The stream shell of a codec. Its pump is the brake that Transform lacks: when the neighbour's buffer is full the codec
 * is asked no more, until the next `_read`, so that one chunk that holds a thousand messages does not become a thousand
 * messages at once.
 */
export class CodecStream<In, Out> extends LayerStream<In, Out> {
  readonly #pump: CodecPump<In, Out>;
  /** Of the chunk in hand, or of the end. */
  #done: TransformCallback = () => {};

  constructor(layer: string, codec: Codec<In, Out>, connection?: Connection) {
    super(layer, connection);
    const sink = { take: (item: Out) => this.give(item), end: () => this.#done() };
    this.#pump = new CodecPump(codec, sink, (thrown) => this.#done(this.fault(thrown)));
  }

  override _transform(chunk: In, _encoding: BufferEncoding, done: TransformCallback): void {
    this.count(chunk);
    this.#done = done;
    this.#pump.push(chunk, done);
  }

  override _flush(done: TransformCallback): void {
    this.#done = done;
    this.#pump.end();
  }

  override _read(size: number): void {
    const before = this.readableLength;
    this.#pump.resume();
    // A codec that had nothing more leaves Transform's own pause in force, and no other `_read` would come to end it.
    if (!this.#pump.paused && this.readableLength === before) super._read(size);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#pump.destroy(error);
    super._destroy(error, done);
  }
}
