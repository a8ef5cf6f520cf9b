import { Blob } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { asBuffer } from '../../core/as-buffer.js';
import { chunksOf } from '../../core/chunks.js';
import { InvalidArgumentError, LengthMismatchError } from '../../core/errors.js';
import { cannotRead } from '../../core/file-faults.js';
import { type LocalFile, pathOf } from './local-file.js';

const LAYER = 'client';
/** Bytes of one read from a file. Large enough that TLS makes many records of one write. */
const FILE_CHUNK_BYTES = 256 * 1024;

/**
 * Where the contents of a file come from:
 *
 * - a text is its contents, in UTF-8; bytes are, too, and so is a `Blob` or `File`
 * - `{ path }` or a `file:` URL: a regular file on this side
 * - a Readable, a web ReadableStream, or anything that is iterable: what gives bytes, chunk by chunk
 */
export type FileSource =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | LocalFile
  | Readable
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Reads a source piece by piece. Its length may be unknown. */
export class PieceReader {
  /** Bytes in all; undefined when the source is a stream of unknown length. */
  readonly size: number | undefined;
  /** The whole contents, when the source is bytes in memory. They need not be read then. */
  readonly whole: Buffer | undefined;
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #destroy: () => void;
  /** Of the file on this side that it is, if it is one. */
  readonly #path: string | undefined;
  /** The part of the last chunk that belongs to the next piece. */
  #rest: Buffer | undefined;

  private constructor(chunks: Chunks, size: number | undefined, { whole, path }: { readonly whole?: Buffer; readonly path?: string } = {}) {
    this.size = size;
    this.whole = whole;
    this.#path = path;
    this.#chunks = iteratorOf(chunks);
    this.#destroy = () => {
      if (chunks instanceof Readable) chunks.destroy();
      // An error of `return` has nobody left to report it to.
      else Promise.resolve(this.#chunks.return?.()).catch(() => {});
    };
  }

  /**
   * @param size length of the source in bytes; needed for a stream or iterable only, and must be right for all others
   * @throws InvalidArgumentError for a path that is no regular file, or a value that is no source; LengthMismatchError for a
   * wrong `size`
   */
  static async open(source: FileSource, size: number | undefined): Promise<PieceReader> {
    const bytes = bytesOf(source);
    if (bytes !== undefined) {
      agree(size, bytes.length);
      return new PieceReader([bytes], bytes.length, { whole: bytes });
    }
    if (source instanceof Blob) {
      agree(size, source.size);
      return new PieceReader(source.stream(), source.size);
    }
    if (isIterable(source)) return new PieceReader(source, size);
    const path = pathOf(source);
    if (path !== undefined) return PieceReader.#ofFile(path, size);
    throw new InvalidArgumentError(
      `contents are text, bytes, a Blob, a stream or iterable of bytes, or { path } of a file; not ${source === null ? 'null' : typeof source}`,
      { layer: LAYER, expected: 'contents', got: typeof source },
    );
  }

  static async #ofFile(path: string, size: number | undefined): Promise<PieceReader> {
    const found = await stat(path).catch((cause: unknown) => {
      throw cannotRead(path, cause, LAYER);
    });
    if (!found.isFile()) throw new InvalidArgumentError(`${path} is no regular file`, { layer: LAYER });
    agree(size, found.size);
    const file = createReadStream(path, { highWaterMark: FILE_CHUNK_BYTES });
    // The stream opens the file at once but may be read later, or never. An error is reported to whoever reads it.
    file.on('error', () => {});
    // A file of /proc says that it has no bytes, and has some: how many, its end tells.
    return new PieceReader(file, found.size === 0 ? size : found.size, { path });
  }

  /** Yields the next `length` bytes, or fewer when the source ends. */
  async *piece(length: number): AsyncGenerator<Buffer> {
    let left = length;
    while (left > 0) {
      const chunk = await this.#next();
      if (chunk === undefined) return;
      if (chunk.length > left) {
        this.#rest = chunk.subarray(left);
        yield chunk.subarray(0, left);
        return;
      }
      left -= chunk.length;
      yield chunk;
    }
  }

  /**
   * Yields the last piece. It holds back the last chunk until the source has ended, so that a message with a wrong length is
   * never completed.
   *
   * @throws LengthMismatchError when the source has more
   */
  async *lastPiece(length: number): AsyncGenerator<Buffer> {
    let held: Buffer | undefined;
    for await (const chunk of this.piece(length)) {
      if (held !== undefined) yield held;
      held = chunk;
    }
    await this.expectEnd();
    if (held !== undefined) yield held;
  }

  /** Reads up to `length` bytes into one Buffer; empty at the end of the source. For sources of unknown length only. */
  async collect(length: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.piece(length)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** @throws LengthMismatchError when the source has bytes left. */
  async expectEnd(): Promise<void> {
    const chunk = await this.#next();
    if (chunk !== undefined) {
      throw new LengthMismatchError(`the source has more than the ${this.size} bytes announced`, { layer: LAYER, expected: this.size });
    }
  }

  /** Closes the source. */
  destroy(): void {
    this.#destroy();
  }

  async #next(): Promise<Buffer | undefined> {
    for (;;) {
      const rest = this.#rest;
      this.#rest = undefined;
      if (rest !== undefined) return rest;
      const result = await this.#chunk();
      if (result.done === true) return undefined;
      const { value } = result;
      // A string has no defined encoding here. It must be refused, or it would be lost silently.
      if (!(value instanceof Uint8Array)) throw new InvalidArgumentError(`a source gives bytes, not ${typeof value}`, { layer: LAYER });
      if (value.byteLength > 0) return asBuffer(value);
    }
  }

  /** What a stream of the caller's throws is his own; what the system says of a file is told in our words. */
  async #chunk(): Promise<IteratorResult<Uint8Array>> {
    try {
      return await this.#chunks.next();
    } catch (cause) {
      throw this.#path === undefined ? cause : cannotRead(this.#path, cause, LAYER);
    }
  }
}

/** The bytes of a source that is in memory. */
function bytesOf(source: unknown): Buffer | undefined {
  if (typeof source === 'string') return Buffer.from(source, 'utf8');
  if (ArrayBuffer.isView(source)) return Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  return source instanceof ArrayBuffer ? Buffer.from(source) : undefined;
}

function isIterable(source: unknown): source is Chunks {
  return typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source);
}

function iteratorOf(chunks: Chunks): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  if (chunks instanceof Readable) return chunksOf(chunks) as AsyncGenerator<Uint8Array>;
  return Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
}

function agree(said: number | undefined, found: number): void {
  if (said !== undefined && said !== found) {
    throw new LengthMismatchError(`size says ${said} bytes, the source has ${found}`, { layer: LAYER, expected: said, got: found });
  }
}
