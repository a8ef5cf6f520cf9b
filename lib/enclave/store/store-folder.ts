import { constants, fstatSync, lstatSync } from 'node:fs';
import { type FileHandle, lstat, opendir, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FileStoreError } from '../../core/errors.js';
import { makeFolder } from '../../core/make-folder.js';
import type { ProcessClaim } from '../../core/process-claim.js';
import type { StoreDisk } from './store-disk.js';
import { entryOf } from './store-entry.js';
import { errno, notAFile, STORE_LAYER, storeError } from './store-error.js';
import { lockStore } from './store-lock.js';
import { StoreOwners } from './store-owners.js';
import type { StoreQuota } from './store-quota.js';
import { Turns } from './turns.js';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
/** Flags to open files: never follow a symbolic link, and never wait for the other end of a named pipe. */
const READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const WRITE = O_WRONLY | O_NOFOLLOW | O_NONBLOCK;

/** A file that an append is growing. `length` is its length in bytes before the append. */
interface Growing {
  readonly inode: bigint;
  readonly length: number;
}

/**
 * The folder of a `DirectoryStore`, and the state that its drafts share.
 *
 *     <root>/lock-<pid>-<…>          the process that has the store (see `lockStore`)
 *     <root>/policy                  the policy that the store belongs to (see `bindFolder`)
 *     <root>/files/<entry>           the files, one flat entry each (see `entryOf`)
 *     <root>/names/<entry>           the name of a file whose name is too long for its entry (see `keepName`)
 *     <root>/owners/<entry>          who wrote it, where there is a limit by owner (see `StoreOwners`)
 *     <root>/pending/w-<n>           a write (or an append to a missing file) that is not committed
 *     <root>/pending/a-<length>-<n>  a hard link to a file that an append is growing, with its length before
 *
 * `open` undoes what a killed process left in `pending`: it removes each `w`, and cuts the file of each `a` back to its
 * length before. A hard link refers to the file itself, so a later write that replaced the file under that name is not
 * touched.
 */
export class StoreFolder {
  readonly quota: StoreQuota;
  readonly disk: StoreDisk;
  /** There when the folder is open. */
  #owners: StoreOwners | undefined;
  /** Lets appends to the same name run one after the other. */
  readonly appends = new Turns();
  /** Lets changes of which file a name refers to run one after the other. */
  readonly changes = new Turns();
  /** Files that an append is growing now, by name. */
  readonly growing = new Map<string, Growing>();
  readonly #files: FileHandle;
  readonly #names: FileHandle;
  readonly #pending: FileHandle;
  readonly #root: string;
  readonly #lock: ProcessClaim;
  readonly #sync: boolean;
  #serial = 0;

  private constructor(
    root: string,
    lock: ProcessClaim,
    handles: { files: FileHandle; names: FileHandle; pending: FileHandle },
    quota: StoreQuota,
    sync: boolean,
    disk: StoreDisk,
  ) {
    this.#root = root;
    this.#lock = lock;
    this.#files = handles.files;
    this.#names = handles.names;
    this.#pending = handles.pending;
    this.quota = quota;
    this.#sync = sync;
    this.disk = disk;
  }

  static async open(root: string, quota: StoreQuota, sync: boolean, disk: StoreDisk): Promise<StoreFolder> {
    const made = await makeFolder(root, (path, options) => disk.mkdir(path, options));
    const real = await realpath(root);
    const lock = await lockStore(real);
    const opened: FileHandle[] = [];
    try {
      for (const folder of ['files', 'names', 'pending']) opened.push(await openFolder(disk, join(real, folder)));
      const [files, names, pending] = opened as [FileHandle, FileHandle, FileHandle];
      const store = new StoreFolder(real, lock, { files, names, pending }, quota, sync, disk);
      await store.#syncFolders(root, made);
      await store.#recover();
      await store.#count();
      store.#owners = await StoreOwners.open(real, quota);
      return store;
    } catch (thrown) {
      for (const handle of opened) await handle.close();
      await lock.release();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    try {
      for (const handle of [this.#files, this.#names, this.#pending]) await handle.close();
    } finally {
      await this.#lock.release();
    }
  }

  /** Who wrote the files. */
  get owners(): StoreOwners {
    return this.#owners as StoreOwners;
  }

  /** Path of the folder. */
  get root(): string {
    return this.#root;
  }

  pathOf(name: string): string {
    return join(this.#root, 'files', entryOf(name));
  }

  /** A new path in `pending`. */
  draftPath(kind: 'w' | `a-${number}`): string {
    return join(this.#root, 'pending', `${kind}-${++this.#serial}`);
  }

  /** Makes the bytes written to `file` durable, if the `sync` option asks for it. */
  async syncFile(file: FileHandle): Promise<void> {
    if (this.#sync) await file.datasync();
  }

  async syncFiles(): Promise<void> {
    if (this.#sync) await this.#files.sync();
  }

  async syncRoot(): Promise<void> {
    await this.#syncFolder(this.#root);
  }

  /** Makes the folder itself durable, and those above it that were made with it: `made` is the topmost of them. */
  async #syncFolders(root: string, made: string | undefined): Promise<void> {
    await this.syncRoot();
    if (made === undefined) return;
    for (let folder = resolve(root); ; folder = dirname(folder)) {
      await this.#syncFolder(dirname(folder));
      if (folder === resolve(made)) return;
    }
  }

  async #syncFolder(path: string): Promise<void> {
    if (!this.#sync) return;
    const folder = await this.disk.open(path, O_RDONLY | O_DIRECTORY);
    await folder.sync().finally(() => folder.close());
  }

  async syncNames(): Promise<void> {
    if (this.#sync) await this.#names.sync();
  }

  async syncPending(): Promise<void> {
    if (this.#sync) await this.#pending.sync();
  }

  createDraft(path: string): Promise<FileHandle> {
    return this.disk.open(path, O_CREAT | O_EXCL | WRITE, 0o600);
  }

  /** Opens the file of that name. Undefined when there is none. */
  async openFile(name: string, purpose: 'read' | 'write'): Promise<FileHandle | undefined> {
    try {
      return await this.disk.open(this.pathOf(name), purpose === 'read' ? READ : WRITE);
    } catch (thrown) {
      if (errno(thrown) === 'ENOENT') return undefined;
      throw ['ELOOP', 'EISDIR', 'ENXIO', 'EMLINK'].includes(errno(thrown) ?? '') ? notAFile() : thrown;
    }
  }

  /** Inode and committed length of the file of that name, or undefined when there is none. Throws when it is not a file. */
  find(name: string): { inode: bigint; length: number } | undefined {
    // Synchronous (it takes a microsecond), so that `growing` cannot change between the lstat and its lookup.
    const stats = lstatSync(this.pathOf(name), { bigint: true, throwIfNoEntry: false });
    return stats && this.#committed(name, stats);
  }

  /** Inode, committed length and number of hard links of an open file. */
  look(name: string, file: FileHandle): { inode: bigint; length: number; links: number } {
    const stats = fstatSync(file.fd, { bigint: true });
    return { ...this.#committed(name, stats), links: Number(stats.nlink) };
  }

  #committed(name: string, stats: { isFile(): boolean; ino: bigint; size: bigint }): { inode: bigint; length: number } {
    if (!stats.isFile()) throw notAFile();
    const growing = this.growing.get(name);
    return { inode: stats.ino, length: growing?.inode === stats.ino ? growing.length : Number(stats.size) };
  }

  async #recover(): Promise<void> {
    const folder = join(this.#root, 'pending');
    for await (const { name } of await opendir(folder)) {
      const [, kind, length] = /^(?:(w)|a-(\d+))-\d+$/.exec(name) ?? [];
      const path = join(folder, name);
      if (kind === undefined && length === undefined) continue;
      if (length !== undefined && (await lstat(path)).isFile()) await this.#shorten(path, Number(length));
      await this.disk.unlink(path);
    }
    await this.syncPending();
  }

  async #shorten(path: string, length: number): Promise<void> {
    const file = await this.disk.open(path, WRITE);
    try {
      if ((await file.stat()).size > length) await file.truncate(length);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #count(): Promise<void> {
    const folder = join(this.#root, 'files');
    for await (const { name } of await opendir(folder)) {
      const stats = lstatSync(join(folder, name));
      if (stats.isFile()) this.quota.found(stats.size);
    }
  }
}

/** Opens a folder and creates it if it is missing. Refuses a symbolic link in its place. */
async function openFolder(disk: StoreDisk, path: string): Promise<FileHandle> {
  await disk.mkdir(path, { mode: 0o700 }).catch((thrown: unknown) => {
    if (errno(thrown) !== 'EEXIST') throw thrown;
  });
  try {
    return await disk.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (thrown) {
    if (errno(thrown) !== 'ENOTDIR' && errno(thrown) !== 'ELOOP') throw storeError('open the folder of the store', thrown);
    throw new FileStoreError('a folder of the store is something else', {
      layer: STORE_LAYER,
      expected: 'a directory',
      got: errno(thrown),
    });
  }
}
