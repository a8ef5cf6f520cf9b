import { Duplex } from 'node:stream';
import type { Connection } from '../core/connection.js';
import { AbortedError, asVeracruzError, TransportError, VeracruzError } from '../core/errors.js';
import type { Layer } from '../core/layer.js';
import type { LayerStream } from '../core/layer-stream.js';
import type { Traffic } from '../core/traffic.js';
import { announceClose, announceError, announceOpen, watchTraffic } from './diagnostics.js';

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

/** The two directions of a layer on this connection. */
interface OpenLayer {
  readonly name: string;
  readonly outbound: LayerStream<unknown, unknown>;
  readonly inbound: LayerStream<unknown, unknown>;
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
  readonly #layers: readonly OpenLayer[];
  readonly #duplex: Duplex;
  readonly #top: OpenLayer;
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
    this.#layers = layers.map((layer) => ({ name: layer.name, outbound: layer.outbound(connection), inbound: layer.inbound(connection) }));
    this.#top = this.#layers[0] as OpenLayer;
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
    return this.#layers.map(({ name, outbound, inbound }) => ({
      layer: name,
      outbound: { ...outbound.traffic },
      inbound: { ...inbound.traffic },
    }));
  }

  /** Bytes that have come to the top layer from the layer below it. */
  get received(): number {
    return this.#top.inbound.traffic.bytesIn;
  }

  /** True when nothing waits in any layer, either way: all that was written has reached the pipe, all that came was read. */
  get idle(): boolean {
    return (
      this.readableLength === 0 && this.writableLength === 0 && this.#layers.every(({ outbound, inbound }) => outbound.idle && inbound.idle)
    );
  }

  #wire(): void {
    const outbound = this.#layers.map((layer) => layer.outbound);
    const inbound = this.#layers.map((layer) => layer.inbound).reverse();
    const fail = (error: Error) => this.destroy(error);
    for (const stream of [...outbound, ...inbound]) stream.on('error', fail);
    this.#duplex.on('error', (error) => {
      this.destroy(error instanceof VeracruzError ? error : new TransportError(error.message, { layer: 'transport', cause: error }));
    });
    this.#duplex.on('close', () => {
      // A pipe that closes before both directions are over would leave the reader waiting, or lose what was written.
      const over = this.#duplex.readableEnded && this.#duplex.writableFinished;
      if (!over && !this.#duplex.errored) this.destroy(new TransportError('the byte pipe closed early', { layer: 'transport' }));
    });
    chain(outbound);
    intoPipe(outbound[outbound.length - 1] as LayerStream<unknown, unknown>, this.#duplex);
    chain([this.#duplex, ...inbound]);
    const { inbound: source } = this.#top;
    source.on('readable', () => this.#pump());
    source.on('end', () => this.push(null));
  }

  #pump(): void {
    const source = this.#top.inbound;
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
    this.#top.outbound.write(item, encoding, done);
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
    this.#top.outbound.end();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#stopWatching();
    const cause = error === null ? null : asVeracruzError(error, { session: this.connection.session });
    for (const { outbound, inbound } of this.#layers) {
      // The cause goes along: the body of a message that is being read must not seem to have merely ended.
      outbound.destroy(cause ?? undefined);
      inbound.destroy(cause ?? undefined);
    }
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
 * message's head and its data cost a socket one system call, not three.
 */
function intoPipe(source: LayerStream<unknown, unknown>, pipe: Duplex): void {
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
      process.nextTick(uncork);
    }
    if (!pipe.write(chunk)) {
      source.pause();
      pipe.once('drain', () => source.resume());
    }
  });
  source.on('end', () => pipe.end());
}
