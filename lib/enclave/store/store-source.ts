import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { FileStoreError } from '../../core/errors.js';
import { STORE_LAYER, storeError } from './store-error.js';

/** Reads exactly the first `length` bytes of an open file, in chunks of `chunkBytes`. Closes the file at the end. */
export class StoreSource extends Readable {
  readonly #file: FileHandle;
  readonly #length: number;
  readonly #chunkBytes: number;
  #offset = 0;
  /** The read under way, or the last one. No mutex is needed, since a stream asks for one read at a time. */
  #busy: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, length: number, chunkBytes: number) {
    super({ highWaterMark: chunkBytes });
    this.#file = file;
    this.#length = length;
    this.#chunkBytes = chunkBytes;
    // When the store closes, the reader may have no error listener yet. The process must not end because of that.
    this.on('error', () => {});
  }

  override _read(): void {
    const count = Math.min(this.#chunkBytes, this.#length - this.#offset);
    if (count === 0) {
      this.push(null);
      return;
    }
    this.#busy = this.#file.read(Buffer.allocUnsafeSlow(count), 0, count, this.#offset).then(
      ({ buffer, bytesRead }) => {
        this.#offset += bytesRead;
        if (bytesRead > 0) this.push(bytesRead === count ? buffer : buffer.subarray(0, bytesRead));
        else this.destroy(this.#cut());
      },
      (thrown: unknown) => {
        this.destroy(storeError('read a file', thrown));
      },
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    void this.#busy
      .then(() => this.#file.close())
      .then(
        () => done(error),
        (thrown: unknown) => done(error ?? storeError('close a file', thrown)),
      );
  }

  /** The error when the file is shorter than `length`: something other than the store has cut it, so this is not its end. */
  #cut(): FileStoreError {
    const message = `the file ended at ${this.#offset} of ${this.#length} bytes`;
    return new FileStoreError(message, { layer: STORE_LAYER, expected: this.#length, got: this.#offset });
  }
}
