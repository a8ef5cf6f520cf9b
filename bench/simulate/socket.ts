import { Socket } from 'node:net';
import type { Timer } from '../../lib/core/clock.js';
import type { VirtualClock } from './clock.js';
import type { Direction } from './connection.js';

type Done = (error?: Error | null) => void;

/** A socket of the simulated network. It is a `net.Socket` for whoever asks, but has nothing of the system's below it. */
export class SimulatedSocket extends Socket {
  /** The place that this end is at. */
  readonly place: string;
  /** Where what is written here goes, and where what is read here comes from. Undefined until it is connected. */
  out: Direction | undefined;
  in: Direction | undefined;
  /** Called when bytes have come. */
  onArrival: (() => void) | undefined;
  /** Milliseconds of silence after which the system asks whether the other end is there; 0 for never. */
  keepAliveMs = 0;
  readonly #clock: VirtualClock;
  #written = 0;
  #read = 0;
  #timeoutMs = 0;
  #timer: Timer | undefined;
  /** What was written before there was a connection. */
  #early: (() => void) | undefined;

  constructor(clock: VirtualClock, place: string, allowHalfOpen: boolean) {
    super({ allowHalfOpen });
    this.#clock = clock;
    this.place = place;
    Object.defineProperties(this, {
      bytesWritten: { get: () => this.#written },
      bytesRead: { get: () => this.#read },
      remoteAddress: { get: () => this.in?.from.place },
      remotePort: { get: () => 40_000 },
      remoteFamily: { get: () => 'IPv4' },
    });
    this.connectionState(true);
  }

  /** Whether it is still connecting. A socket that was accepted never is. */
  connectionState(connecting: boolean): void {
    Object.assign(this, { connecting });
  }

  /** There is a connection: `in` and `out` are set. */
  connected(): void {
    this.connectionState(false);
    const early = this.#early;
    this.#early = undefined;
    this.emit('connect');
    this.emit('ready');
    early?.();
  }

  /** Bytes have come, or the end. False when no more should come until they were read. */
  arrived(bytes: Buffer | null): boolean {
    this.#active();
    if (bytes !== null) this.onArrival?.();
    this.#read += bytes?.length ?? 0;
    return this.push(bytes);
  }

  override setNoDelay(): this {
    return this;
  }

  override setKeepAlive(on = false, ms = 0): this {
    this.keepAliveMs = on ? ms : 0;
    return this;
  }

  override ref(): this {
    return this;
  }

  override unref(): this {
    return this;
  }

  override setTimeout(ms: number, callback?: () => void): this {
    this.#timeoutMs = ms;
    Object.assign(this, { timeout: ms });
    if (callback !== undefined && ms > 0) this.once('timeout', callback);
    this.#active();
    return this;
  }

  override _read(): void {
    this.in?.resume();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done): void {
    this.#send([typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk], done);
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: Done): void {
    this.#send(
      chunks.map(({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)),
      done,
    );
  }

  override _final(done: Done): void {
    if (this.connecting) {
      this.#early = () => this._final(done);
      return;
    }
    this.out?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#clock.clear(this.#timer);
    this.#timeoutMs = 0;
    this.connectionState(false);
    this.out?.closed(this.writableFinished);
    done(error);
    // node:net emits `close` itself, because it says whether there was an error.
    process.nextTick(() => this.emit('close', error !== null));
  }

  #send(chunks: Buffer[], done: Done): void {
    if (this.connecting) {
      this.#early = () => this.#send(chunks, done);
      return;
    }
    this.#active();
    const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    this.#written += bytes.length;
    // What is written was copied by the system when a real socket says so, and may be changed afterwards.
    this.out?.send(Buffer.from(bytes), done);
  }

  #active(): void {
    this.#clock.clear(this.#timer);
    this.#timer = this.#timeoutMs > 0 && !this.destroyed ? this.#clock.setTimeout(() => this.emit('timeout'), this.#timeoutMs) : undefined;
  }
}
