import type { Readable, Writable } from 'node:stream';
import { definedOf, integerInRange, oneOf } from '../../core/check.js';
import { closed } from '../../core/closed.js';
import { ClosedError, FileStoreError, InvalidArgumentError, InvalidOptionError } from '../../core/errors.js';
import { AppendDraft } from './append-draft.js';
import { MAX_FILE_NAME_BYTES, normaliseName, normaliseTop } from './file-name.js';
import { bindFolder } from './store-binding.js';
import type { FileSink, FileStat, FileStore, ListedFile, SinkOptions, StoredFile } from './store-contract.js';
import { machineDisk, type StoreDisk } from './store-disk.js';
import type { Draft } from './store-draft.js';
import { isMissing, STORE_LAYER, storeError, unknownOutcome } from './store-error.js';
import { StoreFolder } from './store-folder.js';
import { listFiles } from './store-list.js';
import { forgetName } from './store-names.js';
import { Room, StoreQuota } from './store-quota.js';
import { StoreSink } from './store-sink.js';
import { StoreSource } from './store-source.js';
import { WriteDraft } from './write-draft.js';

export type { FileSink, FileStat, FileStore, ListedFile, SinkOptions, StoredFile } from './store-contract.js';

/** Options of `DirectoryStore.open`. */
export interface DirectoryStoreOptions {
  /**
   * Most bytes of all files together, including what is written and not committed. Room is taken as bytes come, so a file
   * that was announced may still fail; one that is announced larger than the room that is left is refused at once. Default
   * 64 GiB; up to 2^53 - 1.
   */
  maxStoreBytes?: number;
  /**
   * Most bytes of one owner (`SinkOptions.owner`): of files that he wrote last, of what he appended, and of what he writes and
   * has not committed. Files of before the store had this limit are nobody's. Default no limit; up to 2^53 - 1.
   */
  maxOwnerBytes?: number;
  /** Most files, including new files that are being written. Default 65,536. */
  maxFiles?: number;
  /** Most UTF-8 bytes of a file name. Default 4,096. */
  maxFileNameBytes?: number;
  /** Bytes in a chunk of a reader. Default 256 KiB. */
  readChunkBytes?: number;
  /**
   * `file`: committed files survive a crash of the machine. A write costs an fdatasync of the file and an fsync of a folder;
   * an append costs one fsync more. `none`: committed files survive a killed process, but a crash of the machine may lose or
   * damage files committed in the seconds before. Default `file`.
   */
  sync?: 'file' | 'none';
}

/** Defaults of `DirectoryStoreOptions`. */
export const DIRECTORY_STORE_DEFAULTS = Object.freeze({
  maxStoreBytes: 64 * 1024 ** 3,
  maxFiles: 65_536,
  maxFileNameBytes: MAX_FILE_NAME_BYTES,
  readChunkBytes: 256 * 1024,
  sync: 'file',
} satisfies Omit<Required<DirectoryStoreOptions>, 'maxOwnerBytes'>);

/** What an owner may be called. */
const OWNER = /^[\w.-]{1,64}$/;

/**
 * Files in a folder of the local disk. See `FileStore` for its promises, and
 * `lib/enclave/store/store-folder.ts` for its layout on disk.
 *
 * Symbolic links, directories and devices in the folder are refused (`got` is `ENOTSUP`) and never followed. A system error
 * becomes a FileStoreError with the system's error name in `got` (`ENOENT`, `ENOSPC`). Nobody else may have write access to
 * the folder, since whoever has it can do everything that the store can.
 *
 * When the disk fails (with `sync: 'file'`; a write to a missing file by `append` is a write):
 *
 *     change   fails before, so nothing is done                     fails after: done, but not known to last
 *     write    the bytes, their fdatasync, the rename               the fsync of `files`
 *     append   the journal entry, its fsync, the bytes, their       the fsync of `pending`, which makes it last that the
 *              fdatasync, the removal of the journal entry          journal entry is gone
 *     remove   the unlink                                           the fsync of `files`, also where the file is missing
 *     bind     the bytes, their fdatasync, the link                 the fsync of the store's folder
 *
 * The first is a FileStoreError, the second an OutcomeUnknownError. Descriptors that cannot be closed, and drafts that cannot
 * be removed, change no answer. An append that cannot be undone leaves its journal entry: readers see the old length, further
 * appends are refused (`EMLINK`), and the store undoes it when it is opened again.
 *
 * @example
 * const store = await DirectoryStore.open('/var/lib/veracruz');
 * await pipeline(upload, store.write('/input/a.dat', 1_000_000));
 * const { length, stream } = await store.read('/input/a.dat');
 */
export class DirectoryStore implements FileStore {
  readonly #folder: StoreFolder;
  readonly #options: Required<DirectoryStoreOptions>;
  /** Sinks and readers that are open. */
  readonly #streams = new Set<Readable | Writable>();
  readonly #removals = new Set<Promise<void>>();
  #closed: Promise<void> | undefined;

  private constructor(folder: StoreFolder, options: Required<DirectoryStoreOptions>) {
    this.#folder = folder;
    this.#options = options;
  }

  /**
   * Opens the store in the folder `root`. Creates the folder if it is missing (mode 0700, with its parents), and undoes
   * writes and appends that an earlier process left incomplete.
   *
   * @param disk the calls by which it changes what is on disk, for tests
   * @throws InvalidOptionError; FileStoreError when the folder cannot be used or another process has the store open
   */
  static async open(root: string, options: DirectoryStoreOptions = {}, disk: StoreDisk = machineDisk): Promise<DirectoryStore> {
    const complete = completeStoreOptions(options);
    if (typeof root !== 'string' || root === '' || root.includes('\0')) {
      throw new InvalidOptionError('root must be the path of a folder', { layer: STORE_LAYER, expected: 'a path' });
    }
    try {
      const quota = new StoreQuota(complete);
      return new DirectoryStore(await StoreFolder.open(root, quota, complete.sync === 'file', disk), complete);
    } catch (thrown) {
      throw storeError(`open the store ${root}`, thrown);
    }
  }

  /** Bytes and files in the store, including those that are being written. */
  get usage(): { readonly bytes: number; readonly files: number } {
    const { bytes, files } = this.#folder.quota;
    return { bytes, files };
  }

  async bind(policyHash: string): Promise<void> {
    this.#checkOpen();
    try {
      await bindFolder(this.#folder, policyHash);
    } catch (thrown) {
      throw storeError('bind the store to a policy', thrown);
    }
  }

  write(name: string, length?: number, options: SinkOptions = {}): FileSink {
    return this.#sink(name, length, options, (normal, room) => new WriteDraft(this.#folder, normal, room));
  }

  append(name: string, length?: number, options: SinkOptions = {}): FileSink {
    return this.#sink(name, length, options, (normal, room) => new AppendDraft(this.#folder, normal, room));
  }

  async read(name: string): Promise<StoredFile> {
    const normal = this.#normal(name);
    const file = await this.#folder.openFile(normal, 'read').catch((thrown: unknown) => {
      throw storeError('open a file', thrown);
    });
    if (file === undefined) throw missing();
    try {
      this.#checkOpen();
      const { length } = this.#folder.look(normal, file);
      return { length, stream: this.#watch(new StoreSource(file, length, this.#options.readChunkBytes)) };
    } catch (thrown) {
      await file.close();
      throw storeError('open a file', thrown);
    }
  }

  stat(name: string): Promise<FileStat> {
    return new Promise((resolve) => resolve({ length: this.#find(this.#normal(name)).length }));
  }

  list(prefix?: string): AsyncIterable<ListedFile> {
    this.#checkOpen();
    const top = prefix === undefined ? undefined : normaliseTop(prefix, this.#options.maxFileNameBytes);
    return listFiles(this.#folder, top, () => this.#checkOpen());
  }

  async remove(name: string): Promise<void> {
    const normal = this.#normal(name);
    const removal = this.#folder.changes.run(normal, () => this.#remove(normal));
    this.#removals.add(removal);
    try {
      await removal;
    } catch (thrown) {
      throw storeError('remove a file', thrown);
    } finally {
      this.#removals.delete(removal);
    }
  }

  async #remove(name: string): Promise<void> {
    let absence: Error | undefined;
    try {
      const { length } = this.#find(name);
      await this.#folder.disk.unlink(this.#folder.pathOf(name));
      this.#folder.quota.giveBytes(length);
      this.#folder.quota.giveFile();
      await this.#folder.owners.removed(name);
    } catch (thrown) {
      if (!isMissing(thrown)) throw thrown;
      absence = thrown as Error;
    }
    // Also of a file that is not there: an earlier removal may not have been made to last.
    await this.#folder.syncFiles().catch((thrown: unknown) => {
      throw unknownOutcome('the file is removed, but a crash of the machine may bring it back', thrown);
    });
    if (absence !== undefined) throw absence;
    // A name without a file does no harm.
    await forgetName(this.#folder, name).catch(() => {});
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const gone = [...this.#streams].map(closed);
    for (const stream of this.#streams) stream.destroy(new ClosedError('the store is closed', { layer: STORE_LAYER }));
    await Promise.allSettled([...gone, ...this.#removals]);
    await this.#folder.close().catch((thrown: unknown) => {
      throw storeError('close the store', thrown);
    });
  }

  #sink(name: string, length: number | undefined, options: SinkOptions, draft: (name: string, room: Room) => Draft): FileSink {
    const normal = this.#normal(name);
    const { owner } = options;
    if (owner !== undefined && !OWNER.test(owner)) {
      throw new InvalidArgumentError('an owner is 1 to 64 letters, digits, dots, hyphens or underscores', { layer: STORE_LAYER });
    }
    const room = new Room(this.#folder.quota, owner);
    if (length !== undefined) {
      if (!Number.isSafeInteger(length) || length < 0) {
        throw new InvalidArgumentError(`length must be a whole number of bytes, got ${length}`, { layer: STORE_LAYER, got: length });
      }
      room.check(length);
    }
    return this.#watch(new StoreSink(draft(normal, room), room, length, options));
  }

  #normal(name: string): string {
    this.#checkOpen();
    return normaliseName(name, this.#options.maxFileNameBytes);
  }

  #find(name: string): { length: number } {
    try {
      const found = this.#folder.find(name);
      if (found !== undefined) return found;
    } catch (thrown) {
      throw storeError('look at a file', thrown);
    }
    throw missing();
  }

  #watch<S extends Readable | Writable>(stream: S): S {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    return stream;
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw new ClosedError('the store is closed', { layer: STORE_LAYER });
  }
}

function missing(): FileStoreError {
  const cause = Object.assign(new Error('no such file'), { code: 'ENOENT' });
  return new FileStoreError('no such file', { layer: STORE_LAYER, got: 'ENOENT', cause });
}

/** The options with their defaults. @throws InvalidOptionError */
export function completeStoreOptions(options: DirectoryStoreOptions): Required<DirectoryStoreOptions> {
  const complete = { maxOwnerBytes: Number.POSITIVE_INFINITY, ...DIRECTORY_STORE_DEFAULTS, ...definedOf(options) };
  integerInRange('maxStoreBytes', complete.maxStoreBytes, 0, Number.MAX_SAFE_INTEGER);
  if (options.maxOwnerBytes !== undefined) integerInRange('maxOwnerBytes', complete.maxOwnerBytes, 0, Number.MAX_SAFE_INTEGER);
  integerInRange('maxFiles', complete.maxFiles, 0, 2 ** 32);
  integerInRange('maxFileNameBytes', complete.maxFileNameBytes, 1, MAX_FILE_NAME_BYTES);
  integerInRange('readChunkBytes', complete.readChunkBytes, 1024, 64 * 1024 ** 2);
  oneOf('sync', complete.sync, ['file', 'none']);
  return Object.freeze(complete);
}
