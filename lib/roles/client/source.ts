import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { asBuffer } from '../../core/as-buffer.js';
import { chunksOf } from '../../core/chunks.js';
import { InvalidArgumentError, LengthMismatchError } from '../../core/errors.js';

const LAYER = 'client';
/** Bytes read from a file at a time: large enough that TLS makes many records of one write. */
const FILE_CHUNK_BYTES = 256 * 1024;

/** What a file may come from: a path, bytes, or a stream. */
export type FileSource = string | Uint8Array | Readable | AsyncIterable<Uint8Array>;

/** A source whose length is known, or not, and which can be read piece by piece. */
export class PieceReader {
  /** Bytes in all; undefined when the source is a stream of unknown length. */
  readonly size: number | undefined;
  /** All of it, where it is in memory: it need not be read then. */
  readonly whole: Buffer | undefined;
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  readonly #destroy: () => void;
  /** What of the last chunk belongs to the next piece. */
  #rest: Buffer | undefined;

  private constructor(chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[], size: number | undefined, whole?: Buffer) {
    this.size = size;
    this.whole = whole;
    this.#chunks = iteratorOf(chunks);
    this.#destroy = () => {
      if (chunks instanceof Readable) chunks.destroy();
      // Nobody is left to hear what goes wrong there.
      else Promise.resolve(this.#chunks.return?.()).catch(() => {});
    };
  }

  /**
   * @param size bytes in all, for a stream; must agree with a path or with bytes
   * @throws InvalidArgumentError for a path that is no file, or what is no source at all
   */
  static async open(source: FileSource, size: number | undefined): Promise<PieceReader> {
    if (typeof source === 'string') {
      const found = await stat(source).catch((cause: unknown) => {
        throw new InvalidArgumentError(`cannot read ${source}: ${(cause as Error).message}`, { layer: LAYER, cause });
      });
      if (!found.isFile()) throw new InvalidArgumentError(`${source} is no regular file`, { layer: LAYER });
      agree(size, found.size);
      const file = createReadStream(source, { highWaterMark: FILE_CHUNK_BYTES });
      // It is opened at once, and may be read much later or never: whoever reads it hears then that it cannot be.
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

  /** The next `length` bytes, as they come; fewer only when the source has no more. */
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
   * As `piece`, for the last one: its last chunk is given only when the source has turned out to have no more, so that a
   * message is never complete that should not be sent.
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

  /** Up to `length` bytes, joined; empty when the source has no more. For sources of unknown length only. */
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

  /** Lets go of the source. */
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
      // A text has no bytes until somebody says which: counted as none, it would be lost without a word.
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
