import { Duplex } from 'node:stream';
import type { Slices } from '../../layers/bincode/index.js';

/** Ciphertext that may wait to be fetched before TLS is made to wait. */
const OUTPUT_HIGH_WATER_BYTES = 1024 * 1024;
/** Ciphertext that TLS reads ahead. */
const INPUT_HIGH_WATER_BYTES = 256 * 1024;

/**
 * The byte pipe below a TLS session of the manager: what SendTlsData brings is read from it, what is written to it
 * waits for GetTlsData. What waits outlives the pipe, so that the alert of a session that failed can still be fetched.
 */
export class SessionPipe extends Duplex {
  /** Called when ciphertext came or went. */
  onProgress: () => void = () => {};
  /** Bytes of ciphertext that the client has sent so far. */
  fedBytes = 0;
  #output: Buffer[] = [];
  #outputBytes = 0;
  /** Goes on with the write that waits for room. */
  #room: (() => void) | undefined;

  constructor() {
    super({ readableHighWaterMark: INPUT_HIGH_WATER_BYTES, writableHighWaterMark: INPUT_HIGH_WATER_BYTES });
  }

  /** Bytes that wait to be fetched. */
  get outputBytes(): number {
    return this.#outputBytes;
  }

  /** Takes ciphertext of the client. */
  feed(data: Slices): void {
    if (this.destroyed || this.readableEnded) return;
    for (const slice of data) {
      this.fedBytes += slice.length;
      this.push(slice);
    }
  }

  /** Gives up to `max` bytes for the client, as the slices that they are. */
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
    this.onProgress();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#put([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#put(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#room?.();
    this.#room = undefined;
    done(error);
    this.onProgress();
  }

  #put(slices: readonly Buffer[], done: () => void): void {
    for (const slice of slices) {
      this.#output.push(slice);
      this.#outputBytes += slice.length;
    }
    if (this.#outputBytes < OUTPUT_HIGH_WATER_BYTES) done();
    else this.#room = done;
    this.onProgress();
  }
}
