import { type FileHandle, link, unlink } from 'node:fs/promises';
import { ClosedError, FileStoreError } from '../../core/errors.js';
import { Draft, type DraftPlace } from './store-draft.js';
import { STORE_LAYER } from './store-error.js';
import { WriteDraft } from './write-draft.js';

/** An append to a file that is there. */
interface Growth {
  readonly inode: bigint;
  /** Bytes of the file without this append. */
  readonly length: number;
  /** The hard link that tells a later process to take the append back. */
  readonly journal: string;
}

/**
 * Grows a file in place, so that its size does not matter: a journal entry says how to take it back, readers are told the
 * old length, and to commit is to remove the journal entry. A missing file is made by a `WriteDraft`.
 */
export class AppendDraft extends Draft {
  #creation: WriteDraft | undefined;
  #file: FileHandle | undefined;
  #growth: Growth | undefined;
  /** Lets the next append to this file begin. */
  #leave: (() => void) | undefined;
  /** Ends the wait for that. */
  readonly #wait = new AbortController();

  override cancel(): void {
    super.cancel();
    this.#creation?.cancel();
    this.#wait.abort(new ClosedError('the append was discarded before its turn', { layer: STORE_LAYER }));
  }

  override async open(): Promise<DraftPlace> {
    const { folder, name } = this;
    this.#leave = await folder.appends.enter(name, this.#wait.signal);
    return folder.changes.run(name, async () => (await this.#grow()) ?? this.#create());
  }

  async #grow(): Promise<DraftPlace | undefined> {
    const { folder, name } = this;
    const file = await folder.openFile(name, 'write');
    if (file === undefined) return undefined;
    this.#file = file;
    const { inode, length, links } = folder.look(name, file);
    // A second link is an append that could not be taken back, or somebody's snapshot, which would change too.
    if (links !== 1) {
      throw new FileStoreError(`the file has ${links} links: it cannot be grown in place`, {
        layer: STORE_LAYER,
        expected: 1,
        got: 'EMLINK',
      });
    }
    const journal = folder.draftPath(`a-${length}`);
    await link(folder.pathOf(name), journal);
    this.#growth = { inode, length, journal };
    folder.growing.set(name, this.#growth);
    await folder.syncPending();
    return { file, offset: length };
  }

  #create(): Promise<DraftPlace> {
    this.#creation = new WriteDraft(this.folder, this.name, this.room).yielding();
    if (this.cancelled) this.#creation.cancel();
    return this.#creation.open();
  }

  override async commit(): Promise<void> {
    if (this.#creation !== undefined) await this.#creation.commit();
    else await this.#commitGrowth(this.#growth as Growth);
    await this.discard();
  }

  async #commitGrowth({ inode, journal }: Growth): Promise<void> {
    const { folder, name } = this;
    await this.sync(this.#file as FileHandle);
    await folder.changes.run(name, async () => {
      this.checkWanted();
      const current = folder.find(name);
      await unlink(journal);
      this.#forgetGrowth();
      if (current?.inode === inode) this.room.keep();
    });
    await folder.syncPending();
  }

  /** After a commit this closes the file and gives up the turn, and no more. */
  override async discard(): Promise<void> {
    try {
      await this.#creation?.discard();
      if (this.#growth !== undefined) await this.#takeBack(this.#growth);
    } finally {
      this.room.giveBack();
      const file = this.#file;
      this.#file = undefined;
      await file?.close();
      this.#leave?.();
      this.#leave = undefined;
    }
  }

  /** Where this fails the journal stays, and readers go on to see the old length. */
  async #takeBack({ length, journal }: Growth): Promise<void> {
    const file = this.#file as FileHandle;
    await file.truncate(length);
    await this.sync(file);
    await unlink(journal);
    this.#forgetGrowth();
  }

  #forgetGrowth(): void {
    const { growing } = this.folder;
    if (growing.get(this.name) === this.#growth) growing.delete(this.name);
    this.#growth = undefined;
  }
}
