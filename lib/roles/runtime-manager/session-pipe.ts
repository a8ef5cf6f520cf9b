import { Duplex } from 'node:stream';
import { type BoundedChunk, END_OF_MESSAGE, FLUSH, type Mark, type MarkedPipe } from '../../core/unit.js';
import type { Slices } from '../../layers/bincode/index.js';

/** Bytes of ciphertext that may wait to be fetched before TLS is made to wait. */
const OUTPUT_HIGH_WATER_BYTES = 1024 * 1024;
/** Slices and marks that the stream buffers in each direction. */
const HIGH_WATER_ITEMS = 16;

export interface SessionPipeEvents {
  /** New output waits to be fetched. */
  onOutput(): void;
  /** A message of the manager is complete: all its ciphertext has reached the pipe. */
  onMessageOut(): void;
}

/**
 * The pipe below a TLS session of the manager. The stack reads from it what SendTlsData brings, with a FLUSH after each.
 * What the stack writes waits here for GetTlsData. That output outlives the pipe, so that the TLS alert of a session that
 * failed can still be fetched.
 */
export class SessionPipe extends Duplex implements MarkedPipe {
  readonly takesMarks = true;
  readonly #events: SessionPipeEvents;
  /** Bytes of ciphertext that the client has sent so far. */
  fedBytes = 0;
  #output: Buffer[] = [];
  #outputBytes = 0;
  /** Callback of the write that waits until the output is below its limit. */
  #room: (() => void) | undefined;

  constructor(events: SessionPipeEvents) {
    super({ objectMode: true, highWaterMark: HIGH_WATER_ITEMS });
    this.#events = events;
  }

  /** Bytes that wait to be fetched. */
  get outputBytes(): number {
    return this.#outputBytes;
  }

  /** Takes ciphertext of the client and adds a FLUSH. */
  feed(data: Slices): void {
    if (this.destroyed || this.readableEnded) return;
    for (const slice of data) {
      this.fedBytes += slice.length;
      this.push(slice);
    }
    this.push(FLUSH);
  }

  /** Removes and returns up to `max` bytes for the client, without copying them. */
  fetch(max: number): Slices {
    const taken: Buffer[] = [];
    let bytes = 0;
    while (bytes < max) {
      const slice = this.#output[0];
      if (slice === undefined) break;
      if (bytes + slice.length > max) {
        taken.push(slice.subarray(0, max - bytes));
        this.#output[0] = slice.subarray(max - bytes);
        bytes = max;
      } else {
        taken.push(slice);
        this.#output.shift();
        bytes += slice.length;
      }
    }
    this.#outputBytes -= bytes;
    if (this.#outputBytes < OUTPUT_HIGH_WATER_BYTES) {
      const room = this.#room;
      this.#room = undefined;
      room?.();
    }
    return taken;
  }

  override _read(): void {
    // Nothing to do: `feed` pushes at once.
  }

  override _write(chunk: BoundedChunk | Mark, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#put([chunk], done);
  }

  override _writev(chunks: { chunk: BoundedChunk | Mark }[], done: (error?: Error | null) => void): void {
    this.#put(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#room?.();
    this.#room = undefined;
    done(error);
  }

  #put(chunks: readonly (BoundedChunk | Mark)[], done: () => void): void {
    const before = this.#outputBytes;
    let messages = 0;
    for (const chunk of chunks) {
      if (Buffer.isBuffer(chunk)) {
        this.#output.push(chunk);
        this.#outputBytes += chunk.length;
      } else if (chunk === END_OF_MESSAGE) messages++;
    }
    if (this.#outputBytes < OUTPUT_HIGH_WATER_BYTES) done();
    else this.#room = done;
    for (; messages > 0; messages--) this.#events.onMessageOut();
    if (this.#outputBytes > before) this.#events.onOutput();
  }
}
