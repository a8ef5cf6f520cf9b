/** A disk some of whose calls fail when told to. */
import type { FileHandle } from 'node:fs/promises';
import { machineDisk, type StoreDisk } from '../../../lib/enclave/store/store-disk.js';
import type { Random } from '../seed.js';

/** Calls on a file that change it, or make it durable. */
const FILE_CALLS = new Set(['writev', 'writeFile', 'truncate', 'datasync', 'sync']);

export class FaultyDisk implements StoreDisk {
  /** With what calls fail; undefined: none does. */
  fault: { readonly code: 'EIO' | 'ENOSPC'; readonly oneIn: number } | undefined;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  readonly mkdir: StoreDisk['mkdir'] = (path, options) => this.#call('mkdir', () => machineDisk.mkdir(path, options));
  readonly link: StoreDisk['link'] = (existing, path) => this.#call('link', () => machineDisk.link(existing, path));
  readonly rename: StoreDisk['rename'] = (from, to) => this.#call('rename', () => machineDisk.rename(from, to));
  readonly unlink: StoreDisk['unlink'] = (path) => this.#call('unlink', () => machineDisk.unlink(path));

  async open(path: string, flags: number, mode?: number): Promise<FileHandle> {
    const file = await this.#call('open', () => machineDisk.open(path, flags, mode));
    return new Proxy(file, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        const call = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
        if (typeof key !== 'string' || !FILE_CALLS.has(key)) return call;
        return (...args: unknown[]) => this.#call(key, () => call(...args));
      },
    });
  }

  async #call<V>(name: string, act: () => Promise<V>): Promise<V> {
    const { fault } = this;
    if (fault === undefined || !this.#random.oneIn(fault.oneIn)) return act();
    throw Object.assign(new Error(`${fault.code}: ${name}`), { code: fault.code });
  }
}
