/** Stores for a Runtime Manager that is measured. */
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { DirectoryStore, type FileStore, FileStoreError } from 'veracruz-streams';
import type { FileSink, FileStat, SinkOptions, StoredFile } from 'veracruz-streams/store';
import { generated, metered } from '../../harness/contents.js';

/** Counts what is written, keeps its length alone, and makes up what is read. */
class CountingStore implements FileStore {
  readonly #lengths = new Map<string, number>();

  /** It knows no policies: whichever comes first is as good as another. */
  async bind(): Promise<void> {}

  write(name: string, _length?: number, options?: SinkOptions): FileSink {
    return new CountingSink((length) => this.#lengths.set(name, length), options);
  }

  append(name: string, _length?: number, options?: SinkOptions): FileSink {
    return new CountingSink((length) => this.#lengths.set(name, (this.#lengths.get(name) ?? 0) + length), options);
  }

  async read(name: string): Promise<StoredFile> {
    const { length } = await this.stat(name);
    return { length, stream: generated(length) };
  }

  async stat(name: string): Promise<FileStat> {
    const length = this.#lengths.get(name);
    if (length === undefined) throw new FileStoreError('no such file', { layer: 'store', got: 'ENOENT' });
    return { length };
  }

  async *list(): AsyncGenerator<FileStat & { name: string }> {
    for (const [name, length] of this.#lengths) yield { name, length };
  }

  async remove(name: string): Promise<void> {
    this.#lengths.delete(name);
  }

  async close(): Promise<void> {}
}

class CountingSink extends Writable implements FileSink {
  bytesWritten = 0;
  readonly digest = undefined;
  readonly #keep: (length: number) => void;
  readonly #options: SinkOptions;

  constructor(keep: (length: number) => void, options: SinkOptions = {}) {
    super({ highWaterMark: 2 ** 20 });
    this.#keep = keep;
    this.#options = options;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.bytesWritten += chunk.length;
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    const commit = async () => {
      await this.#options.beforeCommit?.({ length: this.bytesWritten, digest: undefined });
      this.#keep(this.bytesWritten);
    };
    commit().then(() => done(), done);
  }

  commit(): Promise<void> {
    this.end();
    return finished(this);
  }

  async discard(): Promise<void> {
    this.destroy();
  }
}

/** A store on disk that hashes what goes in and what comes out, as the peers do at their ends. */
async function hashingStore(folder: string): Promise<FileStore> {
  // No fsync: the peers make none either.
  const disk = await DirectoryStore.open(folder, { sync: 'none' });
  const plain: Pick<FileStore, 'write' | 'append' | 'read'> = {
    write: disk.write.bind(disk),
    append: disk.append.bind(disk),
    read: disk.read.bind(disk),
  };
  return Object.assign(disk, {
    write: (name, length, options) => plain.write(name, length, { ...options, hash: true }),
    append: (name, length, options) => plain.append(name, length, { ...options, hash: true }),
    read: async (name) => {
      const { length, stream } = await plain.read(name);
      return { length, stream: metered(stream) };
    },
  } satisfies typeof plain);
}

/** A store in `folder`, or one that keeps nothing. */
export async function storeIn(folder: string | undefined): Promise<FileStore> {
  return folder === undefined ? new CountingStore() : hashingStore(folder);
}

/** SHA-256 of what is in the store under `name`, hex. */
export async function sha256Of(store: FileStore, name: string): Promise<string> {
  const meter = metered((await store.read(name)).stream);
  await finished(meter.resume());
  return meter.moved().sha256 as string;
}
