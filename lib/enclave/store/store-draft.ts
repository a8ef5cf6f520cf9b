import type { FileHandle } from 'node:fs/promises';
import { ClosedError } from '../../core/errors.js';
import { STORE_LAYER } from './store-error.js';
import type { StoreFolder } from './store-folder.js';
import type { Room } from './store-quota.js';

/** The place of a draft: the bytes of a sink go to `file` from `offset` on. */
export interface DraftPlace {
  readonly file: FileHandle;
  readonly offset: number;
}

/**
 * Where the bytes of a sink are until they are committed. `open` comes first and once, then `commit`, unless something
 * failed; `discard` comes after whatever failed, and clears away what there is.
 */
export abstract class Draft {
  protected readonly folder: StoreFolder;
  protected readonly name: string;
  protected readonly room: Room;
  #cancelled = false;

  constructor(folder: StoreFolder, name: string, room: Room) {
    this.folder = folder;
    this.name = name;
    this.room = room;
  }

  /** The sink will not commit any more: `open` need not wait, and a `commit` that is on its way stops where it still can. */
  cancel(): void {
    this.#cancelled = true;
  }

  protected get cancelled(): boolean {
    return this.#cancelled;
  }

  protected checkWanted(): void {
    if (this.#cancelled) throw new ClosedError('the file was discarded', { layer: STORE_LAYER });
  }

  /** Makes what was written so far durable, if the store is told to. */
  sync(file: FileHandle): Promise<void> {
    return this.folder.syncFile(file);
  }

  abstract open(): Promise<DraftPlace>;
  abstract commit(): Promise<void>;
  abstract discard(): Promise<void>;
}
