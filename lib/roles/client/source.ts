import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { asBuffer } from '../../core/as-buffer.js';
import { chunksOf } from '../../core/chunks.js';
import { InvalidArgumentError, LengthMismatchError } from '../../core/errors.js';

const LAYER = 'client';
/** Bytes of one read from a file. Large enough that TLS makes many records of one write. */
const FILE_CHUNK_BYTES = 256 * 1024;

/** Where the contents of a file come from: a path, bytes, or a stream. */
export type FileSource = string | Uint8Array | Readable | AsyncIterable<Uint8Array>;

/** Reads a source piece by piece. Its length may be unknown. */
export class PieceReader {
  /** Bytes in all; undefined when the source is a stream of unknown length. */
  readonly size: number | undefined;
  /** The whole contents, when the source is bytes in memory. They need not be read then. */
  readonly whole: Buffer | undefined;
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #destroy: () => void;
  /** The part of the last chunk that belongs to the next piece. */
  #rest: Buffer | undefined;

  private constructor(chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[], size: number | undefined, whole?: Buffer) {
    this.size = size;
    this.whole = whole;
    this.#chunks = iteratorOf(chunks);
    this.#destroy = () => {
      if (chunks instanceof Readable) chunks.destroy();
      // An error of `return` has nobody left to report it to.
      else Promise.resolve(this.#chunks.return?.()).catch(() => {});
    };
  }

  /**
   * @param size length of the source in bytes; needed for a stream only, and must be right for a path or bytes
   * @throws InvalidArgumentError for a path that is no regular file, or a value that is no source; LengthMismatchError for a
   * wrong `size`
   */
  static async open(source: FileSource, size: number | undefined): Promise<PieceReader> {
    if (typeof source === 'string') {
      const found = await stat(source).catch((cause: unknown) => {
        throw new InvalidArgumentError(`cannot read ${source}: ${(cause as Error).message}`, { layer: LAYER, cause });
      });
      if (!found.isFile()) throw new InvalidArgumentError(`${source} is no regular file`, { layer: LAYER });
      agree(size, found.size);
      const file = createReadStream(source, { highWaterMark: FILE_CHUNK_BYTES });
      // The stream opens the file at once but may be read later, or never. An error is reported to whoever reads it.
      file.on('error', () => {});
      // A file of /proc says that it has no bytes, and has some: how many, its end tells.
      return new PieceReader(file, found.size === 0 ? size : found.size);
    }
    if (source instanceof Uint8Array) {
      agree(size, source.byteLength);
      return new PieceReader([source], source.byteLength, asBuffer(source));
    }
    if (typeof source !== 'object' || source === null || !(Symbol.asyncIterator in source)) {
      throw new InvalidArgumentError(`a file comes from a path, bytes or a stream, not ${typeof source}`, { layer: LAYER });
    }
    return new PieceReader(source, size);
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
      const result = await this.#chunks.next();
      if (result.done === true) return undefined;
      const { value } = result;
      // A string has no defined encoding here. It must be refused, or it would be lost silently.
      if (!(value instanceof Uint8Array)) throw new InvalidArgumentError(`a source gives bytes, not ${typeof value}`, { layer: LAYER });
      if (value.byteLength > 0) return asBuffer(value);
    }
  }
}

function iteratorOf(chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[]): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  if (chunks instanceof Readable) return chunksOf(chunks) as AsyncGenerator<Uint8Array>;
  return Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
}

function agree(said: number | undefined, found: number): void {
  if (said !== undefined && said !== found) {
    throw new LengthMismatchError(`size says ${said} bytes, the source has ${found}`, { layer: LAYER, expected: said, got: found });
  }
}
