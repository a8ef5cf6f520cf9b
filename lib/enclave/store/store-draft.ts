import type { FileHandle } from 'node:fs/promises';
import { ClosedError } from '../../core/errors.js';
import { STORE_LAYER } from './store-error.js';
import type { StoreFolder } from './store-folder.js';
import type { Room } from './store-quota.js';

/** Where a draft keeps its bytes: in `file`, from `offset` on. */
export interface DraftPlace {
  readonly file: FileHandle;
  readonly offset: number;
}

/**
 * Holds the bytes of a sink until they are committed. The sink calls `open` once and then `commit`. If anything fails, it
 * calls `discard` instead, which removes whatever the draft has created.
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

  /** Called when the sink will not commit. `open` then stops waiting, and a `commit` under way stops if it still can. */
  cancel(): void {
    this.#cancelled = true;
  }

  protected get cancelled(): boolean {
    return this.#cancelled;
  }

  protected checkWanted(): void {
    if (this.#cancelled) throw new ClosedError('the file was discarded', { layer: STORE_LAYER });
  }

  /** Makes the bytes written so far durable, if the store's `sync` option asks for it. */
  sync(file: FileHandle): Promise<void> {
    return this.folder.syncFile(file);
  }

  abstract open(): Promise<DraftPlace>;
  abstract commit(): Promise<void>;
  abstract discard(): Promise<void>;
}
