import { Readable } from 'node:stream';
import { asBuffer } from '../../core/as-buffer.js';
import { chunksOf } from '../../core/chunks.js';
import { InvalidArgumentError, LengthMismatchError } from '../../core/errors.js';
import type { BodySource } from './messages.js';
import { PROTOBUF } from './schema.js';

/** Reads the source of a body chunk by chunk, no faster than it is asked, and holds it to its length. */
export class SourceReader {
  readonly #length: number;
  readonly #source: BodySource['source'];
  readonly #iterator: AsyncIterator<unknown>;
  #read = 0;

  constructor({ length, source }: BodySource) {
    this.#length = length;
    this.#source = source;
    // A failure before the first read must wait for that read instead of ending the process.
    ignoreErrors(source);
    this.#iterator = (source instanceof Readable ? chunksOf(source) : (source as AsyncIterable<unknown>))[Symbol.asyncIterator]();
  }

  /**
   * The next chunk that is not empty; `undefined` when the source ended where it should.
   * Rejects with `LengthMismatchError`, with `InvalidArgumentError` for what is no bytes, or as the source fails.
   */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const result = await this.#iterator.next();
      if (result.done === true) {
        if (this.#read < this.#length) throw this.#mismatch('ended early', this.#read);
        return undefined;
      }
      const chunk = result.value;
      // Readables with an encoding give text: its length would be another one.
      if (!(chunk instanceof Uint8Array))
        throw new InvalidArgumentError(`a body is made of bytes, its source gave a ${typeof chunk}`, {
          layer: PROTOBUF,
          expected: 'Buffer or Uint8Array',
          got: typeof chunk,
        });
      this.#read += chunk.length;
      if (this.#read > this.#length) throw this.#mismatch('gave more', this.#read);
      if (chunk.length > 0) return asBuffer(chunk);
    }
  }

  destroy(error: Error | null): void {
    if (isStream(this.#source)) destroySource({ source: this.#source }, error);
    // An async generator that is waiting takes this after its wait, or never.
    else Promise.resolve(this.#iterator.return?.()).catch(() => {});
  }

  #mismatch(what: string, got: number): LengthMismatchError {
    return new LengthMismatchError(`the source of a body of ${this.#length} bytes ${what}: ${got} bytes`, {
      layer: PROTOBUF,
      expected: this.#length,
      got,
    });
  }
}

/** All of a small body, in memory. Rejects as `SourceReader.read` does, and destroys the source then. */
export async function wholeBody(body: BodySource): Promise<Buffer> {
  const reader = new SourceReader(body);
  const chunks: Buffer[] = [];
  try {
    for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) chunks.push(chunk);
  } catch (error) {
    reader.destroy(error as Error);
    throw error;
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** Destroys the stream that `body` reads from, if it is one; the reason goes on to whoever fills it. */
export function destroySource(body: unknown, error: Error | null): void {
  const source: unknown = isStream(body) ? body : (body as { source?: unknown } | null | undefined)?.source;
  if (!isStream(source)) return;
  ignoreErrors(source);
  source.destroy(error ?? undefined);
}

interface StreamLike {
  on(event: 'error', listener: () => void): unknown;
  destroy(error?: Error): unknown;
}

function isStream(source: unknown): source is StreamLike {
  const candidate = source as Partial<StreamLike> | null | undefined;
  return typeof candidate?.destroy === 'function' && typeof candidate.on === 'function';
}

function ignoreErrors(source: unknown): void {
  if (isStream(source)) source.on('error', () => {});
}
