import type { TransformCallback } from 'node:stream';
import { clock, type Timer } from '../../core/clock.js';
import { CodecStream } from '../../core/codec-stream.js';
import type { Connection } from '../../core/connection.js';
import type { CipherChunk, RecordChunk } from '../../core/unit.js';
import { RecordEncoder } from './encoder.js';
import { RECORDS } from './header.js';

/**
 * The outbound Transform of the records layer: a RecordEncoder, and a timer that limits how long a unit may stay open.
 *
 * A mark closes the unit at once. Within a large file there is no mark. There a unit that is not full is closed `maxDelayMs`
 * after its first record: the sender may be slow, and what it has sent so far must not wait for the rest.
 */
export class RecordsOutbound extends CodecStream<CipherChunk, RecordChunk> {
  readonly #encoder: RecordEncoder;
  readonly #maxDelayMs: number;
  #timer: Timer | undefined;
  /** The open unit: the number of units closed before it, and the time at which it was opened (`clock.monotonic()`). */
  #timed = -1;
  #openedAt = 0;
  /** A chunk is in `_transform`. It may have to wait there until the neighbour has room. */
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
    clock.clear(this.#timer);
    super._destroy(error, done);
  }

  /**
   * Notes when a unit was opened, and makes the timer run. The timer is not stopped when the unit is closed, because that would
   * happen with every small message. When the timer fires, it checks whether a unit has been open for long enough.
   */
  #watch(): void {
    if (!this.#encoder.unitOpen) return;
    if (this.#timed !== this.#encoder.units) {
      this.#timed = this.#encoder.units;
      this.#openedAt = clock.monotonic();
    }
    this.#timer ??= clock.setTimeout(this.#look, this.#maxDelayMs).unref();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    if (!this.#encoder.unitOpen) return;
    const left = this.#openedAt + this.#maxDelayMs - clock.monotonic();
    // While the neighbour has no room, the unit stays open and takes more records. To close it would gain nothing.
    const waits = this.#busy || this.readableLength > 0;
    if (left >= 1 || waits) {
      this.#timer = clock.setTimeout(this.#look, waits ? this.#maxDelayMs : left).unref();
      return;
    }
    const boundary = this.#encoder.closeUnit();
    if (boundary !== undefined) this.give(boundary);
  };
}
