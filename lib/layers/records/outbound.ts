import type { TransformCallback } from 'node:stream';
import { CodecStream } from '../../core/codec-stream.js';
import type { Connection } from '../../core/connection.js';
import type { CipherChunk, RecordChunk } from '../../core/unit.js';
import { RecordEncoder } from './encoder.js';
import { RECORDS } from './header.js';

/**
 * The outbound Transform of the records layer: a RecordEncoder, and the longest time that its unit may stay open.
 *
 * A mark closes the unit at once. Without one, as within a large file, a unit that is not full is closed `maxDelayMs` after
 * its first record: the sender may be slow, and what it has sent so far must not wait for the rest.
 */
export class RecordsOutbound extends CodecStream<CipherChunk, RecordChunk> {
  readonly #encoder: RecordEncoder;
  readonly #maxDelayMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** The unit that is open: how many were closed before it, and since when, `performance.now()`. */
  #timed = -1;
  #openedAt = 0;
  /** Inside `_transform`, perhaps until the neighbour has room. */
  #busy = false;

  constructor(batchBytes: number | (() => number), maxDelayMs: number, connection?: Connection) {
    const encoder = new RecordEncoder(batchBytes);
    super(RECORDS, encoder, connection);
    this.#encoder = encoder;
    this.#maxDelayMs = maxDelayMs;
  }

  override _transform(chunk: CipherChunk, encoding: BufferEncoding, done: TransformCallback): void {
    this.#busy = true;
    super._transform(chunk, encoding, (error) => {
      this.#busy = false;
      if (!error) this.#watch();
      done(error);
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    super._destroy(error, done);
  }

  /**
   * Minds the unit that is open. The timer is not stopped when the unit is closed, as one is with every small message: it
   * looks, when it fires, whether a unit is open for long enough.
   */
  #watch(): void {
    if (!this.#encoder.unitOpen) return;
    if (this.#timed !== this.#encoder.units) {
      this.#timed = this.#encoder.units;
      this.#openedAt = performance.now();
    }
    this.#timer ??= setTimeout(this.#look, this.#maxDelayMs).unref();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    if (!this.#encoder.unitOpen) return;
    const left = this.#openedAt + this.#maxDelayMs - performance.now();
    // A neighbour without room makes the unit larger, not smaller.
    const waits = this.#busy || this.readableLength > 0;
    if (left >= 1 || waits) {
      this.#timer = setTimeout(this.#look, waits ? this.#maxDelayMs : left).unref();
      return;
    }
    const boundary = this.#encoder.closeUnit();
    if (boundary !== undefined) this.give(boundary);
  };
}
