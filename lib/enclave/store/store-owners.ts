import { lstatSync } from 'node:fs';
import { mkdir, opendir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { entryOf } from './store-entry.js';
import type { StoreQuota } from './store-quota.js';

/** How many bytes of one file are whose. The rest are nobody's. */
type Parts = Map<string, number>;

/**
 * Who wrote the bytes of each file, so that a limit by owner also holds after a restart. A write makes a file the writer's;
 * an append adds the appended bytes to his part.
 *
 *     <root>/owners/<entry>     one line `<owner> <bytes>` for each part of the file of that entry
 *
 * Nothing is kept while the store has no limit by owner; a store that is opened without one forgets what was kept. A record
 * is removed before its file is replaced, written behind the commit, and not synced. Where a kill or a crash lost it, or it
 * tells of more bytes than the file has, the file's bytes are nobody's: they count for the store, and for no owner.
 */
export class StoreOwners {
  readonly #root: string;
  readonly #quota: StoreQuota;
  /** By entry. */
  readonly #parts = new Map<string, Parts>();

  private constructor(root: string, quota: StoreQuota) {
    this.#root = root;
    this.#quota = quota;
  }

  /** @param root folder of the store, whose files are at rest */
  static async open(root: string, quota: StoreQuota): Promise<StoreOwners> {
    const owners = new StoreOwners(root, quota);
    if (owners.#kept) await owners.#load();
    else await rm(join(root, 'owners'), { recursive: true, force: true });
    return owners;
  }

  /**
   * The file is about to be replaced. Should the process be killed then, the record of the old bytes must not stand beside the
   * new ones.
   */
  async replacing(name: string): Promise<void> {
    const entry = entryOf(name);
    if (this.#parts.has(entry)) await unlink(this.#pathOf(entry)).catch(() => {});
  }

  /** The file was not replaced after all. */
  async stays(name: string): Promise<void> {
    const entry = entryOf(name);
    if (this.#parts.has(entry)) await this.#write(entry);
  }

  /** The file was replaced, or created: all its bytes are the owner's. The quota has counted them for him already. */
  async replaced(name: string, owner: string | undefined, bytes: number): Promise<void> {
    if (this.#kept) await this.#set(entryOf(name), owner === undefined ? [] : [[owner, bytes]]);
  }

  /** Bytes were appended. The quota has counted them for the owner already. */
  async grown(name: string, owner: string | undefined, bytes: number): Promise<void> {
    if (!this.#kept || owner === undefined) return;
    const entry = entryOf(name);
    const parts = this.#parts.get(entry) ?? new Map<string, number>();
    parts.set(owner, (parts.get(owner) ?? 0) + bytes);
    this.#parts.set(entry, parts);
    await this.#write(entry);
  }

  /** The file is gone. */
  async removed(name: string): Promise<void> {
    if (this.#kept) await this.#set(entryOf(name), []);
  }

  get #kept(): boolean {
    return this.#quota.limits.maxOwnerBytes !== Number.POSITIVE_INFINITY;
  }

  #pathOf(entry: string): string {
    return join(this.#root, 'owners', entry);
  }

  async #set(entry: string, parts: Array<[owner: string, bytes: number]>): Promise<void> {
    const before = this.#parts.get(entry);
    for (const [owner, bytes] of before ?? []) this.#quota.giveOwned(owner, bytes);
    if (parts.length > 0) this.#parts.set(entry, new Map(parts));
    else this.#parts.delete(entry);
    if (parts.length > 0 || before !== undefined) await this.#write(entry);
  }

  /** The file is committed by now, so a record that cannot be written must not fail it. */
  async #write(entry: string): Promise<void> {
    const parts = this.#parts.get(entry);
    const path = this.#pathOf(entry);
    const text = [...(parts ?? [])].map(([owner, bytes]) => `${owner} ${bytes}\n`).join('');
    await (parts === undefined ? unlink(path) : writeFile(path, text, { mode: 0o600 })).catch(() => unlink(path).catch(() => {}));
  }

  async #load(): Promise<void> {
    const folder = join(this.#root, 'owners');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for await (const { name: entry } of await opendir(folder)) {
      const parts = partsOf(await readFile(this.#pathOf(entry), 'utf8').catch(() => ''));
      const length = lstatSync(join(this.#root, 'files', entry), { throwIfNoEntry: false })?.size ?? 0;
      const bytes = [...parts.values()].reduce((sum, part) => sum + part, 0);
      if (parts.size === 0 || bytes > length) {
        await rm(this.#pathOf(entry), { recursive: true, force: true });
        continue;
      }
      this.#parts.set(entry, parts);
      for (const [owner, part] of parts) this.#quota.foundOwned(owner, part);
    }
  }
}

/** Empty for a text that is no record. */
function partsOf(text: string): Parts {
  const lines = text.split('\n').slice(0, -1);
  const parts = lines.map((line) => /^([\w.-]{1,64}) (\d{1,16})$/.exec(line));
  if (!text.endsWith('\n') || parts.includes(null)) return new Map();
  return new Map(parts.map((part): [string, number] => [part?.[1] as string, Number(part?.[2])]));
}
