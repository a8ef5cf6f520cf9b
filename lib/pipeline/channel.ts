import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Sink } from '../core/codec-pump.js';
import type { Connection } from '../core/connection.js';
import { AbortedError, asVeracruzError, ClosedError, TransportError, VeracruzError } from '../core/errors.js';
import type { Layer } from '../core/layer.js';
import { messageOf } from '../core/message-of.js';
import type { Traffic } from '../core/traffic.js';
import { announceClose, announceError, announceOpen, watchTraffic } from './diagnostics.js';
import { Direction, inboundParts, type LayerCount, outboundParts } from './directions.js';

export interface ChannelOptions {
  /** Label that errors and diagnostics carry until a layer learns the session's id. */
  session?: string;
  /** Aborting destroys the channel with `ERR_VC_ABORTED`. */
  signal?: AbortSignal;
}

/** Counters of one layer: what went towards the wire and what came from it. */
export interface LayerTraffic {
  readonly layer: string;
  readonly outbound: Readonly<Traffic>;
  readonly inbound: Readonly<Traffic>;
}

/**
 * The application side of a stack that runs over a byte pipe: a Duplex that takes and gives what the top layer does.
 *
 *     write ──▶ outbound top ─▶ … ─▶ outbound bottom ──▶ duplex
 *     read  ◀── inbound top  ◀─ … ◀─ inbound bottom  ◀── duplex
 *
 * Bytes are not copied where they need not be: a Buffer that was written must not be changed afterwards, not even when its
 * callback has come, which says that there is room for more; `idle` says that all has gone.
 *
 * `end()` flushes every layer, then ends the pipe, and leaves the reading side open until the peer ends it.
 * `destroy(error)` ends everything at once. When any stream fails, all are destroyed, once, with the first real
 * cause; that error names its layer and its session.
 */
export class Channel<Up> extends Duplex {
  readonly connection: Connection;
  declare readonly takes: Up;
  /**
   * Asked before what was written in a turn of the event loop goes to a socket: true keeps it for another turn, up to 4
   * of them, because more is about to come that should go along.
   */
  lingers: () => boolean = () => false;
  readonly #outbound: Direction;
  readonly #inbound: Direction;
  readonly #duplex: Duplex;
  readonly #pipe: PipeSink;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #stopWatching: () => void;
  /** The write that is on its way through the layers. */
  #writing: ((error?: Error | null) => void) | undefined;
  /** The end that is on its way through them. */
  #finishing: (() => void) | undefined;

  constructor(layers: readonly Layer<unknown, unknown>[], duplex: Duplex, connection: Connection, options: ChannelOptions) {
    // A few items each way: what waits, waits in the layers, which count it.
    super({ objectMode: true, readableHighWaterMark: 2, writableHighWaterMark: 4 });
    this.connection = connection;
    this.#duplex = duplex;
    this.#signal = options.signal;
    this.#onAbort = () =>
      this.destroy(new AbortedError('aborted by the caller', { session: connection.session, cause: options.signal?.reason }));
    const fail = (thrown: unknown) => this.destroy(asVeracruzError(thrown, { session: connection.session }));
    this.#pipe = new PipeSink(duplex, {
      room: () => this.#outbound.resume(),
      lingers: () => this.lingers(),
      failed: fail,
      finished: () => this.#finishing?.(),
    });
    this.#outbound = new Direction(outboundParts(layers, connection), this.#pipe, fail);
    this.#inbound = new Direction(
      inboundParts(layers, connection),
      {
        take: (item) => this.push(item),
        end: () => this.push(null),
      },
      fail,
    );
    const { lastStream } = this.#outbound;
    if (lastStream !== undefined) lastStream.aboveSocket = duplex instanceof Socket;
    this.#watch(duplex);
    this.#inbound.drawFrom(duplex);
    announceOpen(this);
    this.#stopWatching = watchTraffic(this);
    // It tells nobody any more that it is closed.
    if (duplex.destroyed) queueMicrotask(() => fail(overFault(duplex)));
    if (options.signal?.aborted === true) queueMicrotask(this.#onAbort);
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The counters of every layer, top to wire, as they stand now. */
  traffic(): LayerTraffic[] {
    const inbound = this.#inbound.layers.toReversed();
    return this.#outbound.layers.map(({ layer, traffic }, i) => ({
      layer,
      outbound: { ...traffic },
      inbound: { ...(inbound[i] as LayerCount).traffic },
    }));
  }

  /** Bytes that have come to the top layer from the layer below it. */
  get received(): number {
    return (this.#inbound.layers.at(-1) as LayerCount).traffic.bytesIn;
  }

  /** True when nothing waits in any layer, either way: all that was written has reached the pipe, all that came was read. */
  get idle(): boolean {
    return this.readableLength === 0 && this.writableLength === 0 && this.#outbound.idle && this.#pipe.idle && this.#inbound.idle;
  }

  #watch(duplex: Duplex): void {
    duplex.on('error', (error) => this.destroy(pipeFault(error)));
    duplex.on('close', () => {
      if (this.destroyed || this.#pipe.ended) return;
      // A pipe that closes before both directions are over would leave the reader waiting, or lose what was written.
      const over = duplex.readableEnded && duplex.writableFinished;
      if (!over)
        this.destroy(duplex.errored ? pipeFault(duplex.errored) : new TransportError('the byte pipe closed early', { layer: 'transport' }));
      else if (this.writableLength > 0 || this.#finishing !== undefined || !this.#outbound.idle) this.destroy(overFault(duplex));
      // Somebody has ended it in our place, as Node does with a socket that is not half-open: so have we, then.
      else this.end();
    });
  }

  override _read(): void {
    this.#inbound.resume();
  }

  override _write(item: Up, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // The callback comes when the layers below have taken it all: this is the back-pressure of the whole stack.
    this.#writing = done;
    this.#outbound.write(item, this.#written);
  }

  readonly #written = (error?: Error | null): void => {
    const done = this.#writing;
    this.#writing = undefined;
    done?.(error);
  };

  override _final(done: (error?: Error | null) => void): void {
    this.#finishing = done;
    // Of a pipe that somebody else has ended nothing is wanted any more, when all that was written has gone.
    if (this.#duplex.writableEnded && this.#outbound.idle) this.#pipe.end();
    else this.#outbound.end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stopWatching();
    const cause = error === null ? null : asVeracruzError(error, { session: this.connection.session });
    // The cause goes along: the body of a message that is being read must not seem to have merely ended.
    this.#outbound.destroy(cause);
    this.#inbound.destroy(cause);
    // What was given last, an alert for example, gets on its way.
    this.#duplex.uncork();
    this.#duplex.destroy();
    if (cause !== null) announceError(this, cause);
    announceClose(this);
    done(cause);
    if (this.#writing !== undefined)
      this.#written(cause ?? new ClosedError('the channel was closed', { session: this.connection.session }));
  }
}

/** Bytes that a socket may hold for us: while the kernel takes them, the layers above go on. */
const SOCKET_BYTES = 512 * 1024;
/** Turns of the event loop that what was written may wait for more. */
const LINGER_TURNS = 4;

interface PipeEvents {
  /** The pipe takes more again. */
  room(): void;
  /** More is about to come. */
  lingers(): boolean;
  /** It takes no more, though it was not ended here. */
  failed(error: VeracruzError): void;
  /** It was ended here, and has let all of it go. */
  finished(): void;
}

/**
 * The byte pipe as the end of the way out. What comes in one turn of the event loop is one write of it: a frame's header,
 * its message's head and its data cost a socket one system call, not three; and so do the frames of all that one look at
 * another socket has brought.
 */
class PipeSink implements Sink<unknown> {
  readonly #pipe: Duplex;
  readonly #events: PipeEvents;
  readonly #isSocket: boolean;
  #corked = false;
  /** Turns that it has been corked for. */
  #turns = 0;
  #waits = false;
  /** It was ended here. */
  ended = false;

  constructor(pipe: Duplex, events: PipeEvents) {
    this.#pipe = pipe;
    this.#events = events;
    this.#isSocket = pipe instanceof Socket;
  }

  /** True when all that was taken has been written. */
  get idle(): boolean {
    return !this.#corked;
  }

  take(chunk: unknown): boolean {
    const pipe = this.#pipe;
    if (pipe.destroyed || pipe.writableEnded) {
      this.#events.failed(overFault(pipe));
      return false;
    }
    if (!this.#corked) {
      this.#corked = true;
      pipe.cork();
      // Only a socket costs a system call a write; for any other pipe a turn more is a turn lost.
      if (this.#isSocket) setImmediate(this.#uncork);
      else process.nextTick(this.#uncork);
    }
    if (pipe.write(chunk) || (this.#isSocket && pipe.writableLength < SOCKET_BYTES)) return true;
    if (!this.#waits) {
      this.#waits = true;
      pipe.once('drain', () => {
        this.#waits = false;
        this.#events.room();
      });
    }
    return false;
  }

  end(): void {
    this.ended = true;
    this.#pipe.end(() => {
      // One that was closed instead says so itself.
      if (this.#pipe.writableFinished) this.#events.finished();
    });
  }

  readonly #uncork = (): void => {
    if (this.#isSocket && ++this.#turns <= LINGER_TURNS && this.#events.lingers() && !this.#pipe.destroyed) {
      setImmediate(this.#uncork);
      return;
    }
    this.#turns = 0;
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
