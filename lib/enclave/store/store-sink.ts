import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { closed } from '../../core/closed.js';
import { ClosedError, LengthMismatchError } from '../../core/errors.js';
import type { FileSink, SinkOptions } from './store-contract.js';
import type { Draft, DraftPlace } from './store-draft.js';
import { STORE_LAYER, storeError } from './store-error.js';
import type { Room } from './store-quota.js';
import { writeAll } from './write-all.js';

/** Bytes that the stream buffers while a write is under way. They are then written in one system call. */
const GATHER_BYTES = 1024 * 1024;
/** Bytes after which a sync begins, so that the disk works while the rest arrives and the commit need not wait for all. */
const SYNC_EVERY_BYTES = 16 * 1024 * 1024;

type Done = (error?: Error | null) => void;

/** Writes the bytes of a `FileSink` to a draft. */
export class StoreSink extends Writable implements FileSink {
  readonly #draft: Draft;
  readonly #room: Room;
  /** The announced length. */
  readonly #length: number | undefined;
  readonly #options: SinkOptions;
  readonly #hash: Hash | undefined;
  readonly #place: Promise<DraftPlace>;
  /** The operation under way on the file. It must end before the file is closed. */
  #busy: Promise<unknown>;
  /**
   * The sync under way beside the writes. The system reports a failed sync only once, so the commit must await this promise.
   */
  #syncing: Promise<void> | undefined;
  #unsyncedBytes = 0;
  #bytes = 0;
  #digest: Buffer | undefined;
  #committed = false;

  constructor(draft: Draft, room: Room, length: number | undefined, options: SinkOptions) {
    super({ highWaterMark: GATHER_BYTES });
    this.#draft = draft;
    this.#room = room;
    this.#length = length;
    this.#options = options;
    this.#hash = options.hash ? createHash('sha256') : undefined;
    this.#place = draft.open();
    // A failed `open` is reported at the first write or at the end, since there may be no error listener before.
    this.#busy = this.#place.catch(() => {});
    this.on('error', () => {});
  }

  get bytesWritten(): number {
    return this.#bytes;
  }

  get digest(): Buffer | undefined {
    return this.#digest;
  }

  async ready(): Promise<void> {
    await this.#place;
  }

  async commit(): Promise<void> {
    if (!this.writableEnded) this.end();
    try {
      await finished(this);
    } catch (thrown) {
      throw this.errored ?? thrown;
    }
    if (!this.#committed) throw discarded();
  }

  async discard(): Promise<void> {
    this.destroy();
    await closed(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#run(() => this.#append([chunk]), done);
  }

  override _writev(chunks: Array<{ chunk: Buffer }>, done: Done): void {
    this.#run(() => this.#append(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: Done): void {
    this.#run(() => this.#commit(), done);
  }

  override _destroy(error: Error | null, done: Done): void {
    if (!this.#committed) this.#draft.cancel();
    void this.#busy.then(async () => {
      await this.#syncing?.catch(() => {});
      try {
        await this.#draft.discard();
        // `pipeline` and `finished` take a stream that was destroyed after its last write for finished, unless it has an
        // error.
        done(this.#committed ? error : (error ?? discarded()));
      } catch (thrown) {
        done(error ?? storeError('discard a file', thrown));
      }
    });
  }

  #run(work: () => Promise<void>, done: Done): void {
    this.#busy = work().then(
      () => done(),
      (thrown: unknown) => done(storeError('write a file', thrown)),
    );
  }

  async #append(chunks: Buffer[]): Promise<void> {
    const { file, offset } = await this.#place;
    const count = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const got = this.#bytes + count;
    const length = this.#length;
    if (length !== undefined && got > length) {
      throw new LengthMismatchError(`${got} bytes came where ${length} were announced`, { layer: STORE_LAYER, expected: length, got });
    }
    this.#room.take(count);
    for (const chunk of chunks) this.#hash?.update(chunk);
    await writeAll(file, chunks, offset + this.#bytes);
    this.#bytes = got;
    this.#beginSync(file, count);
  }

  #beginSync(file: FileHandle, count: number): void {
    this.#unsyncedBytes += count;
    if (this.#syncing !== undefined || this.#unsyncedBytes < SYNC_EVERY_BYTES) return;
    this.#unsyncedBytes = 0;
    this.#syncing = this.#draft.sync(file).then(() => {
      this.#syncing = undefined;
    });
    this.#syncing.catch(() => {});
  }

  async #commit(): Promise<void> {
    await this.#place;
    const [length, got] = [this.#length, this.#bytes];
    if (length !== undefined && got !== length) {
      throw new LengthMismatchError(`${got} bytes came where ${length} were announced`, { layer: STORE_LAYER, expected: length, got });
    }
    const digest = this.#hash?.digest();
    await this.#options.beforeCommit?.({ length: got, digest });
    await this.#syncing;
    await this.#draft.commit();
    this.#digest = digest;
    this.#committed = true;
  }
}

function discarded(): ClosedError {
  return new ClosedError('the file was discarded', { layer: STORE_LAYER });
}
