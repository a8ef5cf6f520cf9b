import { Transform, type TransformCallback } from 'node:stream';
import type { Connection } from './connection.js';
import { DeferredBytes } from './deferred-bytes.js';
import { asVeracruzError, type VeracruzError } from './errors.js';
import { bytesOf, newTraffic, type Traffic } from './traffic.js';
import type { Mark } from './unit.js';

/**
 * Chunks that one direction of a layer buffers before its neighbour must wait. Large transfers have chunks of 16 to 256 KiB, so
 * a stack of six layers buffers a few MiB at most.
 */
const HIGH_WATER_CHUNKS = 4;

/** Is told of each item before the neighbour gets it; `bytes` as `bytesOf`. It must neither change nor keep the item. */
export type Observer = (item: unknown, bytes: number | undefined) => void;

function bufferOf(bytes: DeferredBytes): Buffer {
  const buffer = Buffer.allocUnsafe(bytes.length);
  bytes.copy(buffer, 0);
  return buffer;
}

/** `push` of a stream that gives bytes alone. True for what is left out: more may come at once. */
function pushBytes(this: Transform, item: unknown): boolean {
  const bytes = item instanceof DeferredBytes ? bufferOf(item) : item;
  return bytes === null || Buffer.isBuffer(bytes) ? Transform.prototype.push.call(this, bytes) : true;
}

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
  /** Is told of each item that this stream gives. The stack sets this if someone had subscribed to items when it was opened. */
  observer: Observer | undefined = undefined;
  protected readonly connection: Connection | undefined;
  declare readonly takes: In;
  declare readonly gives: Out;

  constructor(layer: string, connection: Connection | undefined) {
    super({ objectMode: true, highWaterMark: HIGH_WATER_CHUNKS });
    this.layer = layer;
    this.connection = connection;
  }

  /**
   * As of every Readable. What is piped into a stream of bytes, such as a file, is the bytes alone: the bounds of units and the
   * marks, which other layers need, are left out from then on. It must be piped before it is written to.
   *
   * @example
   * await pipeline(upload, base64().inbound(), socket);
   */
  override pipe<Destination extends NodeJS.WritableStream>(destination: Destination, options?: { end?: boolean }): Destination {
    if ((destination as { readonly writableObjectMode?: boolean }).writableObjectMode === false) this.push = pushBytes;
    return super.pipe(destination, options);
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
    if (this.observer !== undefined) this.observer(item, bytes);
    return this.push(item);
  }

  /** Passes a mark on to the neighbour. */
  protected pass(mark: Mark): void {
    if (this.observer !== undefined) this.observer(mark, undefined);
    this.push(mark);
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
