import type { Readable, Writable } from 'node:stream';

/** How one file is to be written. */
export interface SinkOptions {
  /** Computes SHA-256 of the bytes on their way; `FileSink.digest` has it. Default false. */
  hash?: boolean;
  /**
   * Has the last word: called when all bytes are there and nothing is visible yet. What it throws discards the sink and
   * becomes its error (an error of this library as it is, any other as the cause of a FileStoreError). `digest` is set
   * when `hash` is.
   */
  beforeCommit?: (written: { readonly length: number; readonly digest: Buffer | undefined }) => void | Promise<void>;
}

/**
 * Takes the bytes of one file. **To finish is to commit, to destroy is to discard**: after `'finish'` (so also when
 * `pipeline()` resolves) the file is there, whole; before it nothing of it is visible, and nothing remains of a sink that
 * was destroyed, however that came about (without an error of its own it fails with ClosedError). An error without a listener does not end the process: only `'finish'`
 * acknowledges. A sink destroyed while it commits may go either way.
 */
export interface FileSink extends Writable {
  /** Bytes written so far. */
  readonly bytesWritten: number;
  /** SHA-256 of the bytes of this sink (of an append: of what is appended), once finished and if `hash` asked for it. */
  readonly digest: Buffer | undefined;
  /** Ends the sink; resolves when the file is there, rejects with the sink's error. */
  commit(): Promise<void>;
  /** Destroys the sink; resolves when nothing of it is left. After a commit it does nothing. */
  discard(): Promise<void>;
}

/** A file that is being read: `stream` gives exactly `length` bytes, the file as it was when it was opened, or fails. */
export interface StoredFile {
  /** Bytes. */
  readonly length: number;
  /** Must be read or destroyed: it holds a file descriptor. */
  readonly stream: Readable;
}

export interface FileStat {
  /** Bytes. */
  readonly length: number;
}

/** A file of a list, by its normal name (`normaliseName`). */
export interface ListedFile extends FileStat {
  readonly name: string;
}

/**
 * Where the Runtime Manager keeps files. `DirectoryStore` is the one that comes with the library; an embedder may plug
 * another that keeps these promises.
 *
 * - Names are normalised by `normaliseName`, whose errors they raise.
 * - A write replaces the whole file or nothing; of concurrent writers the last to commit wins.
 * - An append adds all of its bytes or none, and creates a missing file. Appends to one file take turns: the second waits
 *   (its bytes unread) until the first is over. When a write or a removal overtakes an append, the append counts as having
 *   come first.
 * - A reader sees the file as it stood when it was opened, never a part of a write or an append.
 * - A missing file is a `FileStoreError` whose `got` is `'ENOENT'`.
 * - A length that passes a limit is a `LimitError`, from `write` and `append` themselves when it was announced.
 */
export interface FileStore {
  /**
   * Binds the store to a policy, for good: files provisioned under one policy never come under another, in this process
   * or a later one. The first call decides; it must come before there is a file in the store.
   *
   * @param policyHash SHA-256 of the policy's text, 64 lowercase hex digits
   * @throws FileStoreError when the store belongs to another policy (`expected` is that one's hash), or has files and no
   * policy (`got` counts them)
   */
  bind(policyHash: string): Promise<void>;
  /**
   * Replaces a file, or makes it.
   *
   * @param length bytes that will come, if known: checked against the limits at once, and before the commit against what
   * came (LengthMismatchError).
   * @throws FileNameError, InvalidArgumentError, LimitError, ClosedError
   */
  write(name: string, length?: number, options?: SinkOptions): FileSink;
  /** Adds to the end of a file, or makes it. Parameters and errors as of `write`. */
  append(name: string, length?: number, options?: SinkOptions): FileSink;
  read(name: string): Promise<StoredFile>;
  stat(name: string): Promise<FileStat>;
  /**
   * The files at or below `prefix`, which is a name or `/`; all, the streams included, without it. They come in no order,
   * each once: those that are there when the iteration begins and still are when their turn comes, with the length that
   * they have then.
   *
   * @throws FileNameError, ClosedError
   */
  list(prefix?: string): AsyncIterable<ListedFile>;
  remove(name: string): Promise<void>;
  /** Discards every sink, ends every reader with ClosedError, and gives the place free. */
  close(): Promise<void>;
}
