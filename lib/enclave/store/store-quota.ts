import { LimitError } from '../../core/errors.js';
import { STORE_LAYER } from './store-error.js';

/** Counts the bytes and files of a store against its limits, including those of sinks that are still writing. */
export class StoreQuota {
  readonly #maxStoreBytes: number;
  readonly #maxFiles: number;
  #bytes = 0;
  #files = 0;

  constructor(maxStoreBytes: number, maxFiles: number) {
    this.#maxStoreBytes = maxStoreBytes;
    this.#maxFiles = maxFiles;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get files(): number {
    return this.#files;
  }

  /** Counts a file that exists when the store is opened, even if it is over the limits. */
  found(bytes: number): void {
    this.#bytes += bytes;
    this.#files++;
  }

  takeBytes(bytes: number): void {
    const got = this.#bytes + bytes;
    if (got > this.#maxStoreBytes) {
      const message = `the store would hold ${got} bytes, the limit is ${this.#maxStoreBytes}`;
      throw new LimitError(message, { layer: STORE_LAYER, got, limit: this.#maxStoreBytes });
    }
    this.#bytes = got;
  }

  giveBytes(bytes: number): void {
    this.#bytes -= bytes;
  }

  takeFile(): void {
    if (this.#files >= this.#maxFiles) {
      const message = `the store would hold ${this.#files + 1} files, the limit is ${this.#maxFiles}`;
      throw new LimitError(message, { layer: STORE_LAYER, got: this.#files + 1, limit: this.#maxFiles });
    }
    this.#files++;
  }

  giveFile(): void {
    this.#files--;
  }
}

/** The quota bytes that one sink has taken. They are kept when the file is committed, or given back. */
export class Room {
  readonly #quota: StoreQuota;
  #bytes = 0;

  constructor(quota: StoreQuota) {
    this.#quota = quota;
  }

  /** @throws LimitError when the store has no room; no byte is taken then. */
  take(bytes: number): void {
    this.#quota.takeBytes(bytes);
    this.#bytes += bytes;
  }

  /** The bytes were committed to the store. */
  keep(): void {
    this.#bytes = 0;
  }

  /** The bytes were discarded. */
  giveBack(): void {
    this.#quota.giveBytes(this.#bytes);
    this.#bytes = 0;
  }
}
