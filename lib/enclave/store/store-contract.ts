import type { Readable, Writable } from 'node:stream';

/** Options for writing one file. */
export interface SinkOptions {
  /** Whose bytes these are, for a store that has a limit by owner. Default: nobody's. */
  owner?: string;
  /** Computes SHA-256 of the bytes, for `FileSink.digest`. Default false. */
  hash?: boolean;
  /**
   * Called when all bytes have arrived and nothing is visible yet. An error that it throws discards the file and becomes the
   * sink's error: errors of this library unchanged, others as the cause of a FileStoreError. `digest` is set when `hash` is
   * true.
   */
  beforeCommit?: (written: { readonly length: number; readonly digest: Buffer | undefined }) => void | Promise<void>;
}

/**
 * Takes the bytes of one file. **To finish is to commit, to destroy is to discard.**
 *
 * After `'finish'`, and so also when `pipeline()` resolves, the whole file is in the store. Before that, none of it is
 * visible. Nothing remains of a sink that was destroyed; without another error, the sink then fails with ClosedError. A sink
 * that is destroyed while it commits may be committed or discarded. An error without a listener does not end the process,
 * since only `'finish'` acknowledges the file.
 */
export interface FileSink extends Writable {
  /** Bytes written so far. */
  readonly bytesWritten: number;
  /** SHA-256 of the bytes of this sink (for an append, only the appended ones). Set after `'finish'`, if `hash` is true. */
  readonly digest: Buffer | undefined;
  /**
   * Settles when the sink writes what it is given, so for an append when its turn has come. Until then it only fills its
   * buffer. A store that makes nobody wait may leave it out.
   */
  ready?(): Promise<void>;
  /** Ends the sink. Resolves when the file is committed, rejects with the sink's error. */
  commit(): Promise<void>;
  /** Destroys the sink. Resolves when nothing of it is left. Does nothing after a commit. */
  discard(): Promise<void>;
}

/** A file opened for reading. `stream` gives exactly the `length` bytes that the file had when it was opened, or fails. */
export interface StoredFile {
  /** Bytes. */
  readonly length: number;
  /** Must be read or destroyed: it holds a file descriptor. */
  readonly stream: Readable;
}

/** What is known of a file without reading it. */
export interface FileStat {
  /** Bytes. */
  readonly length: number;
}

/** A file in a list. `name` is in its normal form (see `normaliseName`). */
export interface ListedFile extends FileStat {
  readonly name: string;
}

/**
 * Where the Runtime Manager keeps files. The library comes with `DirectoryStore`; an embedder may use another store that
 * keeps these promises:
 *
 * - All methods normalise names with `normaliseName` and throw its errors.
 * - A write replaces the whole file or nothing. With concurrent writers, the last to commit wins.
 * - An append adds all of its bytes or none, and creates a missing file. Appends to one file take turns: the second reads
 *   none of its bytes until the first is over. A write or removal that overtakes an append counts as having come after it.
 * - A reader sees the file as it stood when it was opened, never a part of a write or an append.
 * - What is acknowledged is done, and survives a crash as far as the store says. What fails is not done: everybody sees
 *   what was there before. What is done, but not known to survive, fails with an `OutcomeUnknownError`.
 * - A missing file is a `FileStoreError` whose `got` is `'ENOENT'`.
 * - A length over a limit is a `LimitError`. `write` and `append` throw it themselves when the length was announced.
 */
export interface FileStore {
  /**
   * Binds the store to a policy for good, so that files stored under one policy never become available under another, in
   * this process or a later one. The first call decides. It must come before there is a file in the store.
   *
   * @param policyHash SHA-256 of the policy's text, 64 lowercase hex digits
   * @throws FileStoreError when the store belongs to another policy (`expected` is its hash), or has files but no policy
   * (`got` is the number of files)
   */
  bind(policyHash: string): Promise<void>;
  /**
   * Replaces a file, or creates it.
   *
   * @param length number of bytes that will come, if known. It is checked against the limits at once, though no room is
   * taken before the bytes come, and before the commit against the bytes that came (LengthMismatchError).
   * @throws FileNameError, InvalidArgumentError, LimitError, ClosedError
   */
  write(name: string, length?: number, options?: SinkOptions): FileSink;
  /** Appends to a file, or creates it. Parameters and errors as for `write`. */
  append(name: string, length?: number, options?: SinkOptions): FileSink;
  /** Opens a file for reading, as it stands now. */
  read(name: string): Promise<StoredFile>;
  /** The length of a file. */
  stat(name: string): Promise<FileStat>;
  /**
   * Lists the files at or below `prefix`, which is a name or `/`. Without a prefix it lists all files, also the streams
   * (`stdin`, `stdout`, `stderr`). Each file comes once, in no order. A file is listed if it exists when the iteration begins
   * and still exists when its turn comes, with the length that it has then.
   *
   * @throws FileNameError, ClosedError
   */
  list(prefix?: string): AsyncIterable<ListedFile>;
  /** Removes a file. Who reads it reads on. */
  remove(name: string): Promise<void>;
  /** Discards every sink, ends every reader with ClosedError, and releases the lock on the store. */
  close(): Promise<void>;
}
