import { Duplex } from 'node:stream';
import { ByteQueue } from '../../core/byte-queue.js';
import { clock, type Timer } from '../../core/clock.js';
import { ClosedError, TimeoutError, TransportError, VeracruzError } from '../../core/errors.js';
import { CONSOLE_LAYER, withDeadline } from './deadline.js';
import type { DevicePort } from './device.js';
import { FrameWatch } from './frame-watch.js';
import { HELLO } from './hello.js';

/** Size of the Buffer that is filled by several reads in a row. A terminal gives at most 4 KiB at a time. */
const READ_POOL_BYTES = 65_536;
/** When less than this is left of the Buffer, a new Buffer is made. */
const MIN_READ_BYTES = 4096;

export interface LinkTimes {
  readonly frameTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly checkIntervalMs: number;
  readonly maxWriteBytes: number;
  readonly hello: boolean;
}

/**
 * The byte pipe over an open device, from the opening of the device to its closing. A stack runs over it.
 *
 *     write ──▶ pieces of maxWriteBytes, each with a deadline ──▶ device
 *     read  ◀── watched for frames that stop in the middle    ◀── device
 *
 * A console does not tell one end that the other is gone. So the link ends by itself, once, and closes the device:
 * - `TimeoutError`: a frame was not complete `frameTimeoutMs` after its first byte, or a device operation took too long;
 * - `TransportError`: the device failed or was hung up;
 * - `ClosedError`: with `hello` on, the host asked for a new link by an empty frame;
 * - no error: after `end()`, when all written bytes are out, or after `destroy()`.
 *
 * 'close' is emitted when the device is closed, or could not be closed within its deadline.
 */
export class ConsoleLink extends Duplex {
  readonly #port: DevicePort;
  readonly #times: LinkTimes;
  readonly #watch = new FrameWatch();
  readonly #check: Timer | undefined;
  #pool = Buffer.allocUnsafeSlow(READ_POOL_BYTES);
  #poolUsed = 0;
  #reading = false;
  /** The reader wants more: `_read` was called, or the last `push` returned true. */
  #wanted = false;
  /** All written bytes are out. Bytes that come after that are dropped. */
  #over = false;
  #looking = false;
  /** Runs while a frame is incomplete and the reader wants the rest of it. */
  #frameTimer: Timer | undefined;
  /** The number of the frame that the timer runs for. */
  #timedFrame = -1;

  constructor(port: DevicePort, times: LinkTimes) {
    super({ readableHighWaterMark: READ_POOL_BYTES, writableHighWaterMark: READ_POOL_BYTES });
    this.#port = port;
    this.#times = times;
    // A terminal that was hung up gives empty reads for ever. The bindings then read in a loop and report nothing.
    if (times.checkIntervalMs > 0 && port.getBaudRate !== undefined) {
      this.#check = clock.setInterval(() => void this.#lookAfterDevice(), times.checkIntervalMs);
      this.#check.unref();
    }
    // A console cannot tell the peer about an end. So the link is over when it has written its last byte.
    this.once('finish', () => {
      this.#over = true;
      this.push(null);
      // The reader gets the end before the close. A reader that does not read is not waited for.
      const close = () => void this.destroy();
      this.once('end', close);
      const late = clock.setTimeout(close, times.closeTimeoutMs).unref();
      this.once('close', () => clock.clear(late));
    });
    if (times.hello) this.write(HELLO);
  }

  /** Number of whole frames that came in. */
  get framesIn(): number {
    return this.#watch.frames;
  }

  override _read(): void {
    this.#wanted = true;
    if (this.#reading) return;
    this.#startFrameTimer();
    void this.#readOn();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send([chunk]).then(() => done(), done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(chunks.map(({ chunk }) => chunk)).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    withDeadline('draining the console', this.#times.drainTimeoutMs, this.#port.drain()).then(
      () => done(),
      (error: unknown) => done(fault('draining', error)),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clock.clear(this.#frameTimer);
    clock.clear(this.#check);
    void this.#close().then(() => done(error));
  }

  async #readOn(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#wanted && !this.destroyed) {
        if (this.#pool.length - this.#poolUsed < MIN_READ_BYTES) {
          this.#pool = Buffer.allocUnsafeSlow(READ_POOL_BYTES);
          this.#poolUsed = 0;
        }
        const { bytesRead } = await this.#port.read(this.#pool, this.#poolUsed, this.#pool.length - this.#poolUsed);
        if (this.destroyed || this.#over) return;
        if (bytesRead === 0) throw new TransportError('the console was hung up', { layer: CONSOLE_LAYER });
        const chunk = this.#pool.subarray(this.#poolUsed, this.#poolUsed + bytesRead);
        this.#poolUsed += bytesRead;
        this.#take(chunk);
      }
    } catch (error) {
      // A read that fails because the device was closed is expected.
      if (!this.destroyed) this.destroy(fault('reading', error));
    } finally {
      this.#reading = false;
    }
  }

  #take(chunk: Buffer): void {
    const { emptyFrames } = this.#watch;
    this.#watch.push(chunk);
    if (this.#times.hello && this.#watch.emptyFrames > emptyFrames) {
      this.destroy(new ClosedError('the host asked for a fresh link', { layer: CONSOLE_LAYER }));
      return;
    }
    this.#wanted = false;
    // `push` may call `_read` before it returns.
    if (this.push(chunk)) this.#wanted = true;
    if (this.#watch.midFrame && this.#wanted) this.#startFrameTimer();
    else this.#stopFrameTimer();
  }

  /** The peer's time does not run while the peer must wait for the reader. */
  #startFrameTimer(): void {
    const { frameTimeoutMs } = this.#times;
    if (frameTimeoutMs === 0 || !this.#watch.midFrame || this.destroyed) return;
    if (this.#frameTimer !== undefined && this.#timedFrame === this.#watch.frames) return;
    clock.clear(this.#frameTimer);
    this.#timedFrame = this.#watch.frames;
    this.#frameTimer = clock.setTimeout(() => {
      const { expected, got } = this.#watch;
      const message = `${got} of the ${expected} bytes of a frame came within ${frameTimeoutMs} ms`;
      this.destroy(new TimeoutError(message, { layer: CONSOLE_LAYER, limit: frameTimeoutMs, expected, got }));
    }, frameTimeoutMs);
  }

  #stopFrameTimer(): void {
    clock.clear(this.#frameTimer);
    this.#frameTimer = undefined;
  }

  async #send(chunks: readonly Buffer[]): Promise<void> {
    const { maxWriteBytes, writeTimeoutMs } = this.#times;
    const queue = new ByteQueue();
    for (const chunk of chunks) queue.push(chunk);
    try {
      while (queue.length > 0 && !this.destroyed) {
        const piece = queue.take(Math.min(queue.length, maxWriteBytes));
        await withDeadline(`writing ${piece.length} bytes to the console`, writeTimeoutMs, this.#port.write(piece));
      }
    } catch (error) {
      throw fault('writing', error);
    }
  }

  async #lookAfterDevice(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#port.getBaudRate?.();
    } catch (error) {
      if (!this.destroyed) this.destroy(fault('looking after', error));
    } finally {
      this.#looking = false;
    }
  }

  /** Unsent bytes are dropped, because the closing would wait for them. Errors are ignored: the link is over in any case. */
  async #close(): Promise<void> {
    const { closeTimeoutMs } = this.#times;
    await withDeadline('flushing the console', closeTimeoutMs, this.#port.flush()).catch(() => {});
    await withDeadline('closing the console', closeTimeoutMs, this.#port.close()).catch(() => {});
  }
}

function fault(doing: string, error: unknown): VeracruzError {
  if (error instanceof VeracruzError) return error;
  return new TransportError(`${doing} the console failed: ${(error as Error).message}`, { layer: CONSOLE_LAYER, cause: error });
}
