import { Duplex } from 'node:stream';

/** Bytes (or, in object mode, chunks) that one end of a memory pipe keeps for its reader. */
export interface MemoryPipeOptions {
  /** Bytes in each direction before a writer must wait. Default 65,536. */
  highWaterMark?: number;
  /** Carries anything, marks included, instead of bytes. Default false. */
  objectMode?: boolean;
}

/** One end of a pipe in memory: what is written here is read at `peer`. */
class MemoryEnd extends Duplex {
  peer: MemoryEnd | undefined;
  /** The peer's writer that waits for this end to be read. */
  #wake: (() => void) | undefined;

  override _read(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const peer = this.peer;
    if (peer === undefined || peer.destroyed) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      return;
    }
    if (peer.push(chunk)) done();
    else peer.#wake = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
    const peer = this.peer;
    // Like a socket: the peer sees an end when we were done writing, and a reset when we were not.
    if (peer !== undefined && !peer.destroyed && !this.writableFinished) {
      queueMicrotask(() => {
        if (!peer.readableEnded) peer.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
      });
    }
    done(error);
  }
}

/** Two Duplexes, back to back, with back-pressure: what one writes the other reads. For tests and for stacks in one process. */
export function memoryPipe(options: MemoryPipeOptions = {}): [Duplex, Duplex] {
  const make = () =>
    new MemoryEnd({ highWaterMark: options.highWaterMark ?? (options.objectMode ? 16 : 65_536), objectMode: options.objectMode ?? false });
  const [left, right] = [make(), make()];
  left.peer = right;
  right.peer = left;
  return [left, right];
}
