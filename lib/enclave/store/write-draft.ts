import type { FileHandle } from 'node:fs/promises';
import { Draft, type DraftPlace } from './store-draft.js';
import { unknownOutcome } from './store-error.js';
import { keepName } from './store-names.js';

/**
 * A new file in `pending`. When it is complete and on disk, it is renamed and so replaces the file of its name.
 *
 * A draft with `yielding` is an append to a missing file. If another writer has created that file meanwhile, the append
 * counts as having come before that write, so the draft is dropped.
 */
export class WriteDraft extends Draft {
  #yields = false;
  #path: string | undefined;
  #file: FileHandle | undefined;
  /** The quota counts this draft as one more file. */
  #counted = false;

  yielding(): this {
    this.#yields = true;
    return this;
  }

  override async open(): Promise<DraftPlace> {
    if (this.folder.find(this.name) === undefined) this.#count();
    const path = this.folder.draftPath('w');
    const file = await this.folder.createDraft(path);
    this.#path = path;
    this.#file = file;
    return { file, offset: 0 };
  }

  override async commit(): Promise<void> {
    await this.sync(this.#file as FileHandle);
    await this.folder.changes.run(this.name, () => this.#takeOver());
    if (this.#path === undefined) {
      await this.folder.syncFiles().catch((thrown: unknown) => {
        throw unknownOutcome('the file is in its place, but not known to be on disk', thrown);
      });
    }
    // What is done is done, whether or not the descriptor could be closed, or an append's needless draft be removed.
    await this.discard().catch(() => {});
  }

  async #takeOver(): Promise<void> {
    const { folder, name } = this;
    await keepName(folder, name);
    this.checkWanted();
    const before = folder.find(name);
    if (before !== undefined && this.#yields) return;
    if (before === undefined && !this.#counted) this.#count();
    await folder.owners.replacing(name);
    await folder.disk.rename(this.#path as string, folder.pathOf(name)).catch(async (thrown: unknown) => {
      await folder.owners.stays(name);
      throw thrown;
    });
    this.#path = undefined;
    const bytes = this.room.keep();
    folder.quota.giveBytes(before?.length ?? 0);
    if (before !== undefined && this.#counted) folder.quota.giveFile();
    this.#counted = false;
    await folder.owners.replaced(name, this.room.owner, bytes);
  }

  /** After a commit, this only closes the file. */
  override async discard(): Promise<void> {
    const [file, path] = [this.#file, this.#path];
    this.#file = undefined;
    this.#path = undefined;
    this.room.giveBack();
    if (this.#counted) this.folder.quota.giveFile();
    this.#counted = false;
    try {
      await file?.close();
    } finally {
      if (path !== undefined) await this.folder.disk.unlink(path);
    }
  }

  #count(): void {
    this.folder.quota.takeFile();
    this.#counted = true;
  }
}
