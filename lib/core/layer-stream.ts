import { Transform, type TransformCallback } from 'node:stream';
import type { Connection } from './connection.js';
import { asVeracruzError, type VeracruzError } from './errors.js';
import { bytesOf, newTraffic, type Traffic } from './traffic.js';

/**
 * Chunks that one direction of a layer buffers before its neighbour must wait. Large transfers have chunks of 16 to 256 KiB, so
 * a stack of six layers buffers a few MiB at most.
 */
const HIGH_WATER_CHUNKS = 4;

/**
 * One direction of a layer: a Node Transform that counts what passes through it. Its errors name the layer and the session.
 * `In` and `Out` exist for the compiler: they say which chunks the stream takes and gives.
 */
export abstract class LayerStream<In, Out> extends Transform {
  /** Name of the layer. */
  readonly layer: string;
  /** Bytes and chunks so far. */
  readonly traffic: Traffic = newTraffic();
  /** The output goes straight to a socket, which joins small writes itself. The stack sets this. */
  aboveSocket = false;
  protected readonly connection: Connection | undefined;
  declare readonly takes: In;
  declare readonly gives: Out;

  constructor(layer: string, connection: Connection | undefined) {
    super({ objectMode: true, highWaterMark: HIGH_WATER_CHUNKS });
    this.layer = layer;
    this.connection = connection;
  }

  /** True when this direction of the layer buffers nothing: all input has gone out. */
  get idle(): boolean {
    return this.readableLength === 0 && this.writableLength === 0;
  }

  /** Gives one item to the neighbour. False means: wait for `_read` before the next one. */
  protected give(item: Out): boolean {
    const bytes = bytesOf(item);
    if (bytes !== undefined) {
      this.traffic.bytesOut += bytes;
      this.traffic.chunks++;
    }
    return this.push(item);
  }

  protected count(chunk: unknown): void {
    this.traffic.bytesIn += bytesOf(chunk) ?? 0;
  }

  /** The error to destroy this stream with: one of this library, with layer and session. */
  protected fault(thrown: unknown): VeracruzError {
    this.traffic.errors++;
    return asVeracruzError(thrown, { layer: this.layer, session: this.connection?.session });
  }

  abstract override _transform(chunk: In, encoding: BufferEncoding, done: TransformCallback): void;
}
