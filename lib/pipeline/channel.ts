import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Connection } from '../core/connection.js';
import { AbortedError, asVeracruzError, TransportError, VeracruzError } from '../core/errors.js';
import type { Layer } from '../core/layer.js';
import type { Traffic } from '../core/traffic.js';
import { announceClose, announceError, announceOpen, watchTraffic } from './diagnostics.js';
import { type AnyStream, type LayerCount, openInbound, openOutbound, type Way } from './ways.js';

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
 * `end()` flushes every layer, then ends the pipe, and leaves the reading side open until the peer ends it.
 * `destroy(error)` ends everything at once. When any stream fails, all are destroyed, once, with the first real
 * cause; that error names its layer and its session.
 */
export class Channel<Up> extends Duplex {
  readonly connection: Connection;
  declare readonly takes: Up;
  readonly #outbound: Way;
  readonly #inbound: Way;
  /** Those of both ways. */
  readonly #streams: readonly AnyStream[];
  readonly #duplex: Duplex;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;
  readonly #stopWatching: () => void;
  /** The reader has asked for more than it was given. Without this the channel would take in what nobody reads. */
  #wanted = false;

  constructor(layers: readonly Layer<unknown, unknown>[], duplex: Duplex, connection: Connection, options: ChannelOptions) {
    // A few items each way: what waits, waits in the layers, which count it.
    super({ objectMode: true, readableHighWaterMark: 1, writableHighWaterMark: 4 });
    this.connection = connection;
    this.#duplex = duplex;
    this.#outbound = openOutbound(layers, connection);
    this.#inbound = openInbound(layers, connection);
    this.#streams = [...this.#outbound.streams, ...this.#inbound.streams];
    this.#signal = options.signal;
    this.#onAbort = () =>
      this.destroy(new AbortedError('aborted by the caller', { session: connection.session, cause: options.signal?.reason }));
    this.#wire();
    announceOpen(this);
    this.#stopWatching = watchTraffic(this);
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
    return this.readableLength === 0 && this.writableLength === 0 && this.#streams.every((stream) => stream.idle);
  }

  #wire(): void {
    const fail = (error: Error) => this.destroy(error);
    for (const stream of this.#streams) stream.on('error', fail);
    this.#duplex.on('error', (error) => {
      this.destroy(error instanceof VeracruzError ? error : new TransportError(error.message, { layer: 'transport', cause: error }));
    });
    this.#duplex.on('close', () => {
      // A pipe that closes before both directions are over would leave the reader waiting, or lose what was written.
      const over = this.#duplex.readableEnded && this.#duplex.writableFinished;
      if (!over && !this.#duplex.errored) this.destroy(new TransportError('the byte pipe closed early', { layer: 'transport' }));
    });
    chain(this.#outbound.streams);
    const lowest = this.#outbound.streams.at(-1) as AnyStream;
    lowest.aboveSocket = this.#duplex instanceof Socket;
    intoPipe(lowest, this.#duplex);
    chain([this.#duplex, ...this.#inbound.streams]);
    const source = this.#inbound.streams.at(-1) as AnyStream;
    source.on('readable', () => this.#pump());
    source.on('end', () => this.push(null));
  }

  #pump(): void {
    const source = this.#inbound.streams.at(-1) as AnyStream;
    while (this.#wanted) {
      const item: unknown = source.read();
      if (item === null) return;
      this.#wanted = false;
      if (this.push(item)) this.#wanted = true;
    }
  }

  override _read(): void {
    this.#wanted = true;
    this.#pump();
  }

  override _write(item: Up, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // The callback comes when the layers below have taken it all: this is the back-pressure of the whole stack.
    (this.#outbound.streams[0] as AnyStream).write(item, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    const pipe = this.#duplex;
    if (pipe.writableFinished) {
      done();
      return;
    }
    const finished = () => {
      pipe.off('close', finished);
      pipe.off('finish', finished);
      done();
    };
    pipe.once('finish', finished);
    pipe.once('close', finished);
    (this.#outbound.streams[0] as AnyStream).end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stopWatching();
    const cause = error === null ? null : asVeracruzError(error, { session: this.connection.session });
    // The cause goes along: the body of a message that is being read must not seem to have merely ended.
    for (const stream of this.#streams) stream.destroy(cause ?? undefined);
    // What was given last, an alert for example, gets on its way.
    this.#duplex.uncork();
    this.#duplex.destroy();
    if (cause !== null) announceError(this, cause);
    announceClose(this);
    done(cause);
  }
}

function chain(streams: readonly Duplex[]): void {
  for (let i = 0; i + 1 < streams.length; i++) (streams[i] as Duplex).pipe(streams[i + 1] as Duplex);
}

/**
 * Like `pipe`, and gathers what comes in one turn of the event loop into one write of the pipe: a frame's header, its
 * message's head and its data cost a socket one system call, not three; and so do the frames of all that one look at
 * another socket has brought.
 */
function intoPipe(source: AnyStream, pipe: Duplex): void {
  // Only a socket costs a system call a write; for any other pipe a turn more is a turn lost.
  const later: (uncork: () => void) => void = source.aboveSocket ? setImmediate : (uncork) => process.nextTick(uncork);
  let corked = false;
  const uncork = () => {
    corked = false;
    pipe.uncork();
  };
  source.on('data', (chunk: unknown) => {
    if (pipe.destroyed) return;
    if (!corked) {
      corked = true;
      pipe.cork();
      later(uncork);
    }
    if (!pipe.write(chunk)) {
      source.pause();
      pipe.once('drain', () => source.resume());
    }
  });
  source.on('end', () => pipe.end());
}
