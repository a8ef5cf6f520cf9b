import { LimitError } from '../../core/errors.js';
import { STORE_LAYER } from './store-error.js';

/** Limits of a store. `Infinity` is no limit. */
export interface QuotaLimits {
  readonly maxStoreBytes: number;
  readonly maxFiles: number;
  readonly maxOwnerBytes: number;
}

/**
 * Counts the bytes and files of a store against its limits, including what sinks have written and not committed. What is only
 * announced takes no room: else somebody could take all of it with a few bytes.
 */
export class StoreQuota {
  readonly limits: QuotaLimits;
  #bytes = 0;
  #files = 0;
  readonly #owned = new Map<string, number>();

  constructor(limits: QuotaLimits) {
    this.limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get files(): number {
    return this.#files;
  }

  /** Bytes of an owner, those of his sinks included. */
  owned(owner: string): number {
    return this.#owned.get(owner) ?? 0;
  }

  /** Counts a file that exists when the store is opened, even if it is over the limits. */
  found(bytes: number): void {
    this.#bytes += bytes;
    this.#files++;
  }

  /** Counts bytes of files for an owner as well, even if they are over the limit. The store has counted them already. */
  foundOwned(owner: string, bytes: number): void {
    this.#owned.set(owner, this.owned(owner) + bytes);
  }

  /** @throws LimitError when there is no room for so many bytes more. None are taken. */
  check(bytes: number, owner: string | undefined): void {
    const { maxStoreBytes, maxOwnerBytes } = this.limits;
    const refuse = (whose: string, got: number, limit: number) => {
      throw new LimitError(`${whose} would hold ${got} bytes, the limit is ${limit}`, { layer: STORE_LAYER, got, limit });
    };
    if (this.#bytes + bytes > maxStoreBytes) refuse('the store', this.#bytes + bytes, maxStoreBytes);
    if (owner === undefined) return;
    const owned = this.owned(owner) + bytes;
    if (owned > maxOwnerBytes) refuse('the files of one owner', owned, maxOwnerBytes);
  }

  /** @throws LimitError when there is no room. No byte is taken then. */
  take(bytes: number, owner: string | undefined): void {
    this.check(bytes, owner);
    this.#bytes += bytes;
    if (owner !== undefined) this.foundOwned(owner, bytes);
  }

  giveBytes(bytes: number): void {
    this.#bytes -= bytes;
  }

  giveOwned(owner: string, bytes: number): void {
    const left = this.owned(owner) - bytes;
    if (left > 0) this.#owned.set(owner, left);
    else this.#owned.delete(owner);
  }

  takeFile(): void {
    const { maxFiles } = this.limits;
    if (this.#files >= maxFiles) {
      const message = `the store would hold ${this.#files + 1} files, the limit is ${maxFiles}`;
      throw new LimitError(message, { layer: STORE_LAYER, got: this.#files + 1, limit: maxFiles });
    }
    this.#files++;
  }

  giveFile(): void {
    this.#files--;
  }
}

/** The quota bytes that one sink has taken. They are kept when the file is committed, or given back. */
export class Room {
  /** Whose the bytes are; undefined for nobody's. */
  readonly owner: string | undefined;
  readonly #quota: StoreQuota;
  #bytes = 0;

  constructor(quota: StoreQuota, owner?: string) {
    this.#quota = quota;
    this.owner = owner;
  }

  /** @throws LimitError when the store has no room for so many bytes more. None are taken. */
  check(bytes: number): void {
    this.#quota.check(bytes, this.owner);
  }

  /** @throws LimitError when the store has no room; no byte is taken then. */
  take(bytes: number): void {
    this.#quota.take(bytes, this.owner);
    this.#bytes += bytes;
  }

  /** The bytes were committed to the store. Returns how many they are. */
  keep(): number {
    const kept = this.#bytes;
    this.#bytes = 0;
    return kept;
  }

  /** The bytes were discarded. */
  giveBack(): void {
    this.#quota.giveBytes(this.#bytes);
    if (this.owner !== undefined) this.#quota.giveOwned(this.owner, this.#bytes);
    this.#bytes = 0;
  }
}
