/**
 * A disk that knows what would be left of it if the machine crashed now: of a file its bytes at its last sync, of a folder its
 * entries at its last sync. It counts each call that changes something, and can let one of them fail.
 */
import { fstatSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { machineDisk, type StoreDisk } from '../../lib/enclave/store/store-disk.js';

/** What of the last calls has reached the disk at a crash: only what was synced, or everything. */
export interface Survival {
  readonly bytes: 'synced' | 'all';
  readonly entries: 'synced' | 'all';
}

export const SURVIVALS: readonly Survival[] = (['synced', 'all'] as const).flatMap((bytes) =>
  (['synced', 'all'] as const).map((entries) => ({ bytes, entries })),
);

/** Calls on a file that change it, or make it durable. */
const FILE_CALLS = new Set(['writev', 'writeFile', 'truncate', 'datasync', 'sync', 'close']);

export class TracedDisk implements StoreDisk {
  /** Each call, with the end of its path. */
  readonly calls: string[] = [];
  /** Called after each call. */
  onCall: () => Promise<void> | void = () => {};
  /** The call that fails with EIO and does nothing, counted from the next one: 0 is that one. Undefined: none. */
  failAt: number | undefined;
  /** The end of a call that fails in the same way, each time. */
  failing: string | undefined;
  readonly #root: string;
  /** By inode. */
  readonly #bytes = new Map<bigint, Buffer>();
  /** By path below the root; the entries of a folder, and their inodes. */
  readonly #entries = new Map<string, ReadonlyMap<string, bigint>>();
  #open = true;

  /** @param root the folder that the store is in; what is there now is on disk */
  constructor(root: string) {
    this.#root = realpathSync(root);
    this.#found(this.#root);
  }

  readonly mkdir: StoreDisk['mkdir'] = (path, options) => this.#call('mkdir', path, () => machineDisk.mkdir(path, options));
  readonly link: StoreDisk['link'] = (existing, path) => this.#call('link', path, () => machineDisk.link(existing, path));
  readonly rename: StoreDisk['rename'] = (from, to) => this.#call('rename', to, () => machineDisk.rename(from, to));
  readonly unlink: StoreDisk['unlink'] = (path) => this.#call('unlink', path, () => machineDisk.unlink(path));

  async open(path: string, flags: number, mode?: number): Promise<FileHandle> {
    const file = await this.#call('open', path, () => machineDisk.open(path, flags, mode));
    return new Proxy(file, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        const call = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
        if (typeof key !== 'string' || !FILE_CALLS.has(key)) return call;
        return (...args: unknown[]) =>
          this.#call(
            key,
            path,
            () => this.#onFile(key, path, target, () => call(...args)),
            () => target.close(),
          );
      },
    });
  }

  /** The machine crashes: no call does anything any more. */
  stop(): void {
    this.#open = false;
  }

  /** Makes in the folder `to` what would be there after a crash now. */
  afterCrash(to: string, { bytes, entries }: Survival): void {
    const made = new Map<bigint, string>();
    const copy = (path: string, target: string) => {
      const now = entriesOf(path);
      for (const [name, inode] of entries === 'all' ? now : (this.#entries.get(path) ?? new Map<string, bigint>())) {
        // A lock is of a process, and no process outlives the machine.
        if (name.startsWith('lock-')) continue;
        const [from, at] = [join(path, name), join(target, name)];
        if (this.#entries.has(from) || isFolder(from)) {
          mkdirSync(at);
          copy(from, at);
        } else if (made.has(inode)) linkSync(made.get(inode) as string, at);
        else {
          writeFileSync(at, bytes === 'all' ? this.#current(inode) : (this.#bytes.get(inode) ?? ''));
          made.set(inode, at);
        }
      }
    };
    copy(this.#root, to);
  }

  async #call<V>(name: string, path: string, act: () => Promise<V>, onFailure: () => Promise<void> = async () => {}): Promise<V> {
    if (!this.#open) throw new Error('the machine has crashed');
    this.calls.push(`${name} ${path.slice(this.#root.length + 1)}`);
    const counted = this.failAt !== undefined && this.failAt-- === 0;
    if (counted || (this.failing !== undefined && this.calls.at(-1)?.endsWith(this.failing) === true)) {
      if (name === 'close') await onFailure();
      throw Object.assign(new Error(`EIO: ${name}`), { code: 'EIO' });
    }
    const value = await act();
    await this.onCall();
    return value;
  }

  async #onFile(name: string, path: string, file: FileHandle, act: () => Promise<unknown>): Promise<unknown> {
    const { ino } = fstatSync(file.fd, { bigint: true });
    const value = await act();
    if (name === 'sync' && isFolder(path)) this.#entries.set(path, entriesOf(path));
    else if (name === 'sync' || name === 'datasync') this.#bytes.set(ino, this.#current(ino));
    return value;
  }

  /** The bytes that a file has now, wherever it is linked from. A file that nothing refers to any more has none. */
  #current(inode: bigint): Buffer {
    const find = (path: string): Buffer | undefined => {
      for (const [name, each] of entriesOf(path)) {
        const at = join(path, name);
        const found = isFolder(at) ? find(at) : each === inode ? readFileSync(at) : undefined;
        if (found !== undefined) return found;
      }
      return undefined;
    };
    return find(this.#root) ?? this.#bytes.get(inode) ?? Buffer.alloc(0);
  }

  #found(path: string): void {
    this.#entries.set(path, entriesOf(path));
    for (const [name, inode] of entriesOf(path)) {
      if (isFolder(join(path, name))) this.#found(join(path, name));
      else this.#bytes.set(inode, readFileSync(join(path, name)));
    }
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function entriesOf(path: string): Map<string, bigint> {
  return new Map(readdirSync(path).map((name) => [name, lstatSync(join(path, name), { bigint: true }).ino]));
}
