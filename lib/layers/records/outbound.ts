import type { TransformCallback } from 'node:stream';
import { CodecStream } from '../../core/codec-stream.js';
import type { Connection } from '../../core/connection.js';
import type { CipherChunk, RecordChunk } from '../../core/unit.js';
import { RecordEncoder } from './encoder.js';
import { RECORDS } from './header.js';
import type { RecordsOptions } from './index.js';

/**
 * The way out of the records layer: a RecordEncoder that also closes its unit when no more input comes.
 *
 * "No more" is `idleTurns` consecutive turns of the event loop (setImmediate) in which nothing arrived, nothing waits to
 * be taken and the neighbour asks for no pause: writes that follow each other fill a batch, a lone message leaves at
 * once, and a slow reader makes batches larger, not smaller. One such turn is enough when the writer has no `more`.
 */
export class RecordsOutbound extends CodecStream<CipherChunk, RecordChunk> {
  readonly #encoder: RecordEncoder;
  readonly #idleTurns: number;
  readonly #more: () => boolean;
  /** Inside `_transform`, possibly waiting for the neighbour. */
  #busy = false;
  #turns = 0;
  #immediate: NodeJS.Immediate | undefined;

  constructor({ batchBytes, idleTurns, more }: Required<RecordsOptions>, connection?: Connection) {
    const encoder = new RecordEncoder(batchBytes);
    super(RECORDS, encoder, connection);
    this.#encoder = encoder;
    this.#idleTurns = idleTurns;
    this.#more = more;
  }

  override _transform(chunk: CipherChunk, encoding: BufferEncoding, done: TransformCallback): void {
    this.#disarm();
    this.#busy = true;
    super._transform(chunk, encoding, (error) => {
      this.#busy = false;
      if (!error) this.#arm();
      done(error);
    });
  }

  override _flush(done: TransformCallback): void {
    this.#disarm();
    this.#busy = true;
    super._flush(done);
  }

  override _read(size: number): void {
    super._read(size);
    // A pause of the neighbour had stopped the count of idle turns.
    if (!this.#busy && this.#immediate === undefined) this.#arm();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#disarm();
    super._destroy(error, done);
  }

  #arm(): void {
    if (this.#encoder.unitOpen && !this.destroyed) this.#immediate = setImmediate(this.#turn);
  }

  #disarm(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#turns = 0;
  }

  readonly #turn = (): void => {
    this.#immediate = undefined;
    // Transform holds a chunk back, and with it what came after, until the neighbour reads: `_read` goes on from here.
    if (this.writableLength > 0) {
      this.#turns = 0;
      return;
    }
    if (++this.#turns < this.#idleTurns && this.#more()) {
      this.#arm();
      return;
    }
    this.#turns = 0;
    const boundary = this.#encoder.closeUnit();
    if (boundary !== undefined) this.give(boundary);
  };
}
