import type { FileHandle } from 'node:fs/promises';
import { ClosedError, FileStoreError } from '../../core/errors.js';
import { Draft, type DraftPlace } from './store-draft.js';
import { STORE_LAYER, unknownOutcome } from './store-error.js';
import { WriteDraft } from './write-draft.js';

/** An append to an existing file. */
interface Growth {
  readonly inode: bigint;
  /** Length of the file before this append, in bytes. */
  readonly length: number;
  /** Path of the journal entry, a hard link that tells a later process to undo the append. */
  readonly journal: string;
}

/**
 * Appends to a file in place, so that the cost does not depend on the file's size. A journal entry says how to undo the
 * append. Readers get the old length until the commit, which removes the journal entry. A `WriteDraft` creates a missing
 * file.
 */
export class AppendDraft extends Draft {
  #creation: WriteDraft | undefined;
  #file: FileHandle | undefined;
  #growth: Growth | undefined;
  /** Lets the next append to this file begin. */
  #leave: (() => void) | undefined;
  /** Ends the wait for this append's own turn. */
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
    // A second link is the journal of an append that could not be undone, or a snapshot, which must not grow too.
    if (links !== 1) {
      throw new FileStoreError(`the file has ${links} links: it cannot be grown in place`, {
        layer: STORE_LAYER,
        expected: 1,
        got: 'EMLINK',
      });
    }
    const journal = folder.draftPath(`a-${length}`);
    await folder.disk.link(folder.pathOf(name), journal);
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
    // What is done is done, whether or not the descriptor could be closed.
    await this.discard().catch(() => {});
  }

  async #commitGrowth({ inode, journal }: Growth): Promise<void> {
    const { folder, name } = this;
    await this.sync(this.#file as FileHandle);
    await folder.changes.run(name, async () => {
      this.checkWanted();
      const current = folder.find(name);
      await folder.disk.unlink(journal);
      this.#forgetGrowth();
      if (current?.inode === inode) await folder.owners.grown(name, this.room.owner, this.room.keep());
    });
    await folder.syncPending().catch((thrown: unknown) => {
      throw unknownOutcome('the append is done, but a crash of the machine may undo it', thrown);
    });
  }

  /** After a commit, this only closes the file and lets the next append begin. */
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

  /** Undoes the append. If this fails, the journal entry stays, and readers still get the old length. */
  async #takeBack({ length, journal }: Growth): Promise<void> {
    const file = this.#file as FileHandle;
    await file.truncate(length);
    await this.sync(file);
    await this.folder.disk.unlink(journal);
    this.#forgetGrowth();
  }

  #forgetGrowth(): void {
    const { growing } = this.folder;
    if (growing.get(this.name) === this.#growth) growing.delete(this.name);
    this.#growth = undefined;
  }
}
