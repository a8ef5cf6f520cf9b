import { Socket } from 'node:net';
import { Duplex, Writable } from 'node:stream';
import type { Connection } from '../core/connection.js';
import { AbortedError, asVeracruzError, ClosedError, TransportError, VeracruzError } from '../core/errors.js';
import type { Layer } from '../core/layer.js';
import type { LayerStream } from '../core/layer-stream.js';
import { messageOf } from '../core/message-of.js';
import { END_OF_MESSAGE, isMark, type MarkedPipe } from '../core/unit.js';
import { announceClose, announceError, announceOpen, type LayerTraffic, watchTraffic } from './diagnostics.js';

export interface ChannelOptions {
  /** Label that errors and diagnostics carry until a layer learns the session's id. */
  session?: string;
  /** Aborting destroys the channel with `ERR_VC_ABORTED`. */
  signal?: AbortSignal;
}

type AnyStream = LayerStream<unknown, unknown>;

/**
 * The application side of a stack that runs over a byte pipe: a Duplex that takes and gives what the top layer does.
 *
 *     write ──▶ outbound top ─▶ … ─▶ outbound bottom ─▶ PipeSink ──▶ duplex
 *     read  ◀── inbound top  ◀─ … ◀─ inbound bottom  ◀────────────── duplex
 *
 * Each of these is a Transform, one a layer and direction, and each is piped into the next. Behind every message that is
 * written goes END_OF_MESSAGE, where the top layer has messages (`Layer.messages`).
 *
 * The callback of a write comes when the top layer has digested the item: the body of a message has been read to its end
 * by then. Bytes are not copied where they need not be: a Buffer that was written must not be changed afterwards, not even
 * when its callback has come; `idle` says that all has gone.
 *
 * `end()` flushes every layer, then ends the pipe, and leaves the reading side open until the peer ends it.
 * `destroy(error)` ends everything at once. When any stream fails, all are destroyed, once, with the first real
 * cause; that error names its layer and its session.
 */
export class Channel<Up> extends Duplex {
  readonly connection: Connection;
  declare readonly takes: Up;
  /** From the top to the wire. */
  readonly #outbound: readonly AnyStream[];
  /** From the wire to the top. */
  readonly #inbound: readonly AnyStream[];
  /** The first of `#outbound` and the last of `#inbound`. */
  readonly #top: { readonly outbound: AnyStream; readonly inbound: AnyStream };
  readonly #duplex: Duplex;
  readonly #sink: PipeSink;
  readonly #messages: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #stopWatching: () => void;
  /** The write that is on its way through the top layer. */
  #writing: ((error?: Error | null) => void) | undefined;
  /** Writes so far. */
  #writes = 0;
  /** The end that is on its way through the layers. */
  #finishing: (() => void) | undefined;

  constructor(layers: readonly Layer<unknown, unknown>[], duplex: Duplex, connection: Connection, options: ChannelOptions) {
    // A few items each way: what waits, waits in the layers, which count it.
    super({ objectMode: true, readableHighWaterMark: 2, writableHighWaterMark: 4 });
    this.connection = connection;
    this.#duplex = duplex;
    this.#messages = layers[0]?.messages === true;
    this.#signal = options.signal;
    this.#onAbort = () =>
      this.destroy(new AbortedError('aborted by the caller', { session: connection.session, cause: options.signal?.reason }));
    const fail = (thrown: unknown) => this.destroy(asVeracruzError(thrown, { session: connection.session }));
    // A layer may speak first, when both of its directions are there.
    connection.inStack = true;
    this.#outbound = layers.map((layer) => layer.outbound(connection));
    this.#inbound = layers.toReversed().map((layer) => layer.inbound(connection));
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
    chain([duplex, ...this.#inbound]);
    announceOpen(this);
    this.#stopWatching = watchTraffic(this);
    // It tells nobody any more that it is closed.
    if (duplex.destroyed) queueMicrotask(() => fail(overFault(duplex)));
    if (options.signal?.aborted === true) queueMicrotask(this.#onAbort);
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The counters of every layer, top to wire, as they stand now. */
  traffic(): LayerTraffic[] {
    const inbound = this.#inbound.toReversed();
    return this.#outbound.map(({ layer, traffic }, i) => ({
      layer,
      outbound: { ...traffic },
      inbound: { ...(inbound[i] as AnyStream).traffic },
    }));
  }

  /** The Transforms that run: `outbound` from the top to the wire, `inbound` from the wire to the top. One a layer each. */
  get transforms(): {
    readonly outbound: readonly LayerStream<unknown, unknown>[];
    readonly inbound: readonly LayerStream<unknown, unknown>[];
  } {
    return { outbound: this.#outbound, inbound: this.#inbound };
  }

  /** Bytes that have come to the top layer from the layer below it. */
  get received(): number {
    return this.#top.inbound.traffic.bytesIn;
  }

  /** True when nothing waits in any layer, either way: all that was written has reached the pipe, all that came was read. */
  get idle(): boolean {
    return this.readableLength === 0 && this.writableLength === 0 && this.#flushed && this.#inbound.every(({ idle }) => idle);
  }

  /** All that was written has reached the pipe. */
  get #flushed(): boolean {
    return this.#sink.idle && this.#outbound.every(({ idle }) => idle);
  }

  /**
   * Keeps what has been written in this tick from the pipe until `release`, so that it goes out in one write with what comes
   * before that. False where nothing waits: then there is nothing to release.
   */
  hold(): boolean {
    return this.#sink.hold();
  }

  /** Ends a `hold`. What is written in this tick still goes along. */
  release(): void {
    this.#sink.release();
  }

  #watch(duplex: Duplex): void {
    duplex.on('error', (error) => this.destroy(pipeFault(error)));
    duplex.on('close', () => {
      if (this.destroyed || this.#sink.ended) return;
      // A pipe that closes before both directions are over would leave the reader waiting, or lose what was written.
      const over = duplex.readableEnded && duplex.writableFinished;
      if (!over)
        this.destroy(duplex.errored ? pipeFault(duplex.errored) : new TransportError('the byte pipe closed early', { layer: 'transport' }));
      else if (this.writableLength > 0 || this.#finishing !== undefined || !this.#flushed) this.destroy(overFault(duplex));
      // Somebody has ended it in our place, as Node does with a socket that is not half-open: so have we, then.
      else this.end();
    });
  }

  override _read(): void {
    if (this.#top.inbound.isPaused()) this.#top.inbound.resume();
  }

  override _write(item: Up, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const top = this.#top.outbound;
    const write = ++this.#writes;
    this.#writing = done;
    top.write(item, (error) => {
      // What has failed says so by its event, and `_destroy` tells the writer.
      if (!error && write === this.#writes) this.#answerWriter();
    });
    if (this.#messages) top.write(END_OF_MESSAGE);
    // The callback comes in a later tick; what is digested already lets the next item go along in this one.
    if (top.writableLength === 0 && !top.errored && !this.#sink.errored) this.#answerWriter();
  }

  #answerWriter(error?: Error): void {
    const done = this.#writing;
    this.#writing = undefined;
    done?.(error);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finishing = done;
    // Of a pipe that somebody else has ended nothing is wanted any more, when all that was written has gone.
    if (this.#duplex.writableEnded && this.#flushed) this.#sink.end();
    else this.#top.outbound.end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stopWatching();
    const cause = error === null ? null : asVeracruzError(error, { session: this.connection.session });
    // The cause goes along: the body of a message that is being read must not seem to have merely ended.
    for (const stream of [...this.#outbound, ...this.#inbound]) stream.destroy(cause ?? undefined);
    this.#sink.destroy();
    // What was given last, an alert for example, gets on its way.
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

/** Bytes that a socket may hold for us: while the kernel takes them, the layers above go on. */
const SOCKET_BYTES = 512 * 1024;

/**
 * The end of the outbound direction: writes to the byte pipe, and ends it. A `MarkedPipe` is given marks too.
 *
 * What comes in one tick, up to a mark, is one write of the pipe: a frame's header, its message's head and its data cost a
 * socket one system call, not three.
 */
class PipeSink extends Writable {
  readonly #pipe: Duplex;
  readonly #isSocket: boolean;
  readonly #takesMarks: boolean;
  #corked = false;
  #held = false;
  /** It was ended here. */
  ended = false;

  constructor(pipe: Duplex) {
    super({ objectMode: true, highWaterMark: 2 });
    this.#pipe = pipe;
    this.#isSocket = pipe instanceof Socket;
    this.#takesMarks = (pipe as Partial<MarkedPipe>).takesMarks === true;
  }

  /** True when all that was taken has been written. */
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
      // One that was closed instead says so itself.
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

  /** The end of a message or unit. */
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

/** What is wrong with a pipe that takes no more. */
function overFault(pipe: Duplex): VeracruzError {
  if (pipe.errored) return pipeFault(pipe.errored);
  const why =
    pipe instanceof Socket && !pipe.allowHalfOpen ? ': a socket takes an answer after its peer has ended with allowHalfOpen only' : '';
  return new TransportError(`the byte pipe is ${pipe.destroyed ? 'closed' : 'ended'} and takes no more${why}`, { layer: 'transport' });
}
