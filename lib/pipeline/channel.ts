import { Socket } from 'node:net';
import { type Duplex, Writable } from 'node:stream';
import { closed } from '../core/closed.js';
import type { Connection } from '../core/connection.js';
import { AbortedError, asVeracruzError, ClosedError, TransportError, VeracruzError } from '../core/errors.js';
import type { Layer } from '../core/layer.js';
import type { LayerStream } from '../core/layer-stream.js';
import { messageOf } from '../core/message-of.js';
import { END_OF_MESSAGE, isMark, type MarkedPipe } from '../core/unit.js';
import { announceClose, announceError, announceOpen, type LayerTraffic, watchTraffic } from './diagnostics.js';
import { APPLICATION, ItemWatch, PIPE } from './item-watch.js';
import { TypedDuplex } from './typed-duplex.js';

/** Options of `over()`. */
export interface ChannelOptions {
  /** The label that errors and diagnostics carry until a layer learns the session's id. */
  session?: string;
  /** Whom the connection is counted for (`Connection.origin`). Default: the network of the peer of a socket. */
  origin?: string;
  /** When it fires, the channel is destroyed with `ERR_VC_ABORTED`. */
  signal?: AbortSignal;
}

type AnyStream = LayerStream<unknown, unknown>;

/** What may be written where the top layer takes `Up`: where that is bytes, any bytes, and a text, which is UTF-8. */
export type Writeable<Up> = Buffer extends Up ? Up | Uint8Array | string : Up;

/**
 * The application side of a stack that runs over a byte pipe: a Duplex in object mode that takes (`Up`) and gives (`Given`) the
 * items of the top layer. What is written and what `'data'`, `read()` and `for await` give has these types.
 *
 *     write ──▶ outbound top ─▶ … ─▶ outbound bottom ─▶ PipeSink ──▶ duplex
 *     read  ◀── inbound top  ◀─ … ◀─ inbound bottom  ◀────────────── duplex
 *
 * Each layer has one Transform a direction, and each Transform is piped into the next. If the items of the top layer are
 * messages (`Layer.messages`), END_OF_MESSAGE is written behind each of them.
 *
 * The callback of a write comes when the top layer has processed the item. The body of a message was read to its end by then.
 * Bytes are not copied unless they must be. So a written Buffer must not be changed, not even after the callback, until `idle`
 * is true.
 *
 * `end()` flushes every layer, then ends the pipe. The reading side stays open until the peer ends it. `destroy(error)` ends
 * everything at once. When any stream fails, all are destroyed, once, with the first real cause; that error names its layer
 * and its session.
 */
export class Channel<Up, Given = Up> extends TypedDuplex<Writeable<Up>, Given> {
  readonly connection: Connection;
  /** Top to wire. */
  readonly #outbound: readonly AnyStream[];
  /** Wire to top. */
  readonly #inbound: readonly AnyStream[];
  /** The first of `#outbound` and the last of `#inbound`. */
  readonly #top: { readonly outbound: AnyStream; readonly inbound: AnyStream };
  readonly #duplex: Duplex;
  readonly #sink: PipeSink;
  readonly #messages: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #stopWatching: () => void;
  /** Undefined unless someone wants to know what passes between the layers. */
  readonly #items: ItemWatch | undefined;
  /** The callback of the write that the top layer is processing. */
  #writing: ((error?: Error | null) => void) | undefined;
  /** Number of writes so far. */
  #writes = 0;
  /** The callback of `_final`, while the end passes through the layers. */
  #finishing: (() => void) | undefined;

  constructor(layers: readonly Layer<unknown, unknown>[], duplex: Duplex, connection: Connection, options: ChannelOptions) {
    // A few items in each direction. The rest waits in the layers, which count it.
    super({ objectMode: true, readableHighWaterMark: 2, writableHighWaterMark: 4 });
    this.connection = connection;
    this.#duplex = duplex;
    this.#messages = layers[0]?.messages === true;
    this.#signal = options.signal;
    this.#onAbort = () =>
      this.destroy(new AbortedError('aborted by the caller', { session: connection.session, cause: options.signal?.reason }));
    const fail = (thrown: unknown) => this.destroy(asVeracruzError(thrown, { session: connection.session }));
    // A layer may begin to send as soon as both of its directions exist, so this must be set before.
    connection.inStack = true;
    this.#items = ItemWatch.of(connection);
    this.#outbound = layers.map((layer) => layer.outbound(connection));
    this.#items?.watch('outbound', this.#outbound, PIPE);
    this.#inbound = layers.toReversed().map((layer) => layer.inbound(connection));
    this.#items?.watch('inbound', this.#inbound, APPLICATION);
    this.#top = { outbound: this.#outbound[0] as AnyStream, inbound: this.#inbound.at(-1) as AnyStream };
    (this.#outbound.at(-1) as AnyStream).aboveSocket = duplex instanceof Socket;
    for (const stream of [...this.#outbound, ...this.#inbound]) stream.on('error', fail);
    this.#sink = new PipeSink(duplex);
    this.#sink.on('error', fail);
    this.#sink.on('finish', () => this.#finishing?.());
    this.#watch(duplex);
    this.#top.inbound.on('data', (item: unknown) => {
      if (!this.push(item)) this.#top.inbound.pause();
    });
    this.#top.inbound.on('end', () => this.push(null));
    chain([...this.#outbound, this.#sink]);
    // Before the pipe into the bottom layer, which takes an item at once. Its back-pressure holds for this listener too.
    if (this.#items !== undefined) duplex.on('data', (item: unknown) => this.#items?.entered('inbound', PIPE, this.#bottom, item));
    chain([duplex, ...this.#inbound]);
    announceOpen(this);
    this.#items?.opened();
    this.#stopWatching = watchTraffic(this);
    // A pipe that is destroyed already emits no further `close`.
    if (duplex.destroyed) queueMicrotask(() => fail(overFault(duplex)));
    if (options.signal?.aborted === true) queueMicrotask(this.#onAbort);
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The current counters of every layer, top to wire. */
  traffic(): LayerTraffic[] {
    const inbound = this.#inbound.toReversed();
    return this.#outbound.map(({ layer, traffic }, i) => ({
      layer,
      outbound: { ...traffic },
      inbound: { ...(inbound[i] as AnyStream).traffic },
    }));
  }

  /** The running Transforms, one a layer and direction: `outbound` from top to wire, `inbound` from wire to top. */
  get transforms(): {
    readonly outbound: readonly LayerStream<unknown, unknown>[];
    readonly inbound: readonly LayerStream<unknown, unknown>[];
  } {
    return { outbound: this.#outbound, inbound: this.#inbound };
  }

  /** Bytes that the top layer has received from the layer below it. */
  get received(): number {
    return this.#top.inbound.traffic.bytesIn;
  }

  /** True when no layer buffers anything: all that was written has reached the pipe, and all that came was read. */
  get idle(): boolean {
    return this.readableLength === 0 && this.writableLength === 0 && this.#flushed && this.#inbound.every(({ idle }) => idle);
  }

  /** Name of the bottom layer. */
  get #bottom(): string {
    return (this.#inbound[0] as AnyStream).layer;
  }

  /** All that was written has reached the pipe. */
  get #flushed(): boolean {
    return this.#sink.idle && this.#outbound.every(({ idle }) => idle);
  }

  /**
   * Keeps back what was written in this tick until `release`, so that it leaves in one write with what is written before
   * `release`. False when nothing was written in this tick; then there is nothing to release.
   */
  hold(): boolean {
    return this.#sink.hold();
  }

  /** Ends a `hold`. Writes of the rest of this tick still leave in the same write. */
  release(): void {
    this.#sink.release();
  }

  #watch(duplex: Duplex): void {
    duplex.on('error', (error) => this.destroy(pipeFault(error)));
    duplex.on('close', () => {
      if (this.destroyed || this.#sink.ended) return;
      // A pipe that closes before both directions have ended would keep the reader waiting, or lose what was written.
      const over = duplex.readableEnded && duplex.writableFinished;
      if (!over)
        this.destroy(duplex.errored ? pipeFault(duplex.errored) : new TransportError('the byte pipe closed early', { layer: 'transport' }));
      else if (this.writableLength > 0 || this.#finishing !== undefined || !this.#flushed) this.destroy(overFault(duplex));
      // Someone else has ended the pipe (Node does that to a socket that is not half-open). So the channel has ended too.
      else this.end();
    });
  }

  override _read(): void {
    if (this.#top.inbound.isPaused()) this.#top.inbound.resume();
  }

  override _write(item: Writeable<Up>, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const top = this.#top.outbound;
    const write = ++this.#writes;
    this.#writing = done;
    this.#items?.entered('outbound', APPLICATION, top.layer, item);
    // Only a text has an encoding.
    const taken = (error: Error | null | undefined) => {
      // A layer that has failed emits `error`, and `_destroy` answers the writer.
      if (!error && write === this.#writes) this.#answerWriter();
    };
    if (typeof item === 'string') top.write(item, encoding, taken);
    else top.write(item, taken);
    if (this.#messages) {
      this.#items?.entered('outbound', APPLICATION, top.layer, END_OF_MESSAGE);
      top.write(END_OF_MESSAGE);
    }
    // The callback comes in a later tick. If the item is processed already, the next one may come in this tick.
    if (top.writableLength === 0 && !top.errored && !this.#sink.errored) this.#answerWriter();
  }

  #answerWriter(error?: Error): void {
    const done = this.#writing;
    this.#writing = undefined;
    done?.(error);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finishing = done;
    // Someone else has ended the pipe. If all writes have reached it, the layers need not send their own ends any more.
    if (this.#duplex.writableEnded && this.#flushed) this.#sink.end();
    else this.#top.outbound.end();
  }

  /** Destroys the channel, for `await using`. A channel that shall send all that was written is ended first, by `end()`. */
  override async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    await closed(this);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stopWatching();
    const cause = error === null ? null : asVeracruzError(error, { session: this.connection.session });
    // Each stream gets the cause, so that the body of a message that is being read fails with it.
    for (const stream of [...this.#outbound, ...this.#inbound]) stream.destroy(cause ?? undefined);
    this.#sink.destroy();
    // The last bytes, for example an alert, must still be sent.
    this.#duplex.uncork();
    this.#duplex.destroy();
    if (cause !== null) announceError(this, cause);
    announceClose(this);
    done(cause);
    if (this.#writing !== undefined)
      this.#answerWriter(cause ?? new ClosedError('the channel was closed', { session: this.connection.session }));
  }
}

/** Pipes each stream into the next. */
function chain(streams: readonly (Duplex | Writable)[]): void {
  for (let i = 0; i + 1 < streams.length; i++) (streams[i] as Duplex).pipe(streams[i + 1] as Writable);
}

/** Bytes that may wait in a socket. While the kernel takes them, the layers above can go on working. */
const SOCKET_BYTES = 512 * 1024;

/**
 * The end of the outbound direction: writes to the byte pipe, and ends it. Only a `MarkedPipe` gets marks too.
 *
 * All that comes in one tick, up to a mark or bound, is one write to the pipe. So a frame's header, its message's head and its
 * data cost a socket one system call instead of three.
 */
class PipeSink extends Writable {
  readonly #pipe: Duplex;
  readonly #isSocket: boolean;
  readonly #takesMarks: boolean;
  #corked = false;
  #held = false;
  /** The pipe was ended by this sink. */
  ended = false;

  constructor(pipe: Duplex) {
    super({ objectMode: true, highWaterMark: 2 });
    this.#pipe = pipe;
    this.#isSocket = pipe instanceof Socket;
    this.#takesMarks = (pipe as Partial<MarkedPipe>).takesMarks === true;
  }

  /** True when everything was written to the pipe. */
  get idle(): boolean {
    return this.writableLength === 0 && !this.#corked;
  }

  hold(): boolean {
    this.#held = this.#corked;
    return this.#held;
  }

  release(): void {
    this.#held = false;
    process.nextTick(this.#uncork);
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const pipe = this.#pipe;
    if (pipe.destroyed || pipe.writableEnded) {
      done(overFault(pipe));
      return;
    }
    if (typeof chunk === 'symbol') this.#bound(chunk);
    else this.#cork(chunk);
    if (!pipe.writableNeedDrain || (this.#isSocket && pipe.writableLength < SOCKET_BYTES)) done();
    else pipe.once('drain', done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.ended = true;
    this.#pipe.end(() => {
      // A pipe that was closed before it finished is handled by its `close` event.
      if (this.#pipe.writableFinished) done();
    });
  }

  #cork(chunk: unknown): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#pipe.cork();
      process.nextTick(this.#uncork);
    }
    this.#pipe.write(chunk);
  }

  /** A bound or a mark: the end of a unit or message. */
  #bound(bound: symbol): void {
    if (!isMark(bound) || this.#takesMarks) this.#pipe.write(bound);
    this.#uncork();
  }

  readonly #uncork = (): void => {
    if (!this.#corked || this.#held) return;
    this.#corked = false;
    this.#pipe.uncork();
  };
}

function pipeFault(error: Error): VeracruzError {
  return error instanceof VeracruzError ? error : new TransportError(messageOf(error), { layer: 'transport', cause: error });
}

/** The error for a pipe that takes no more data. */
function overFault(pipe: Duplex): VeracruzError {
  if (pipe.errored) return pipeFault(pipe.errored);
  const why =
    pipe instanceof Socket && !pipe.allowHalfOpen ? ': a socket takes an answer after its peer has ended with allowHalfOpen only' : '';
  return new TransportError(`the byte pipe is ${pipe.destroyed ? 'closed' : 'ended'} and takes no more${why}`, { layer: 'transport' });
}
