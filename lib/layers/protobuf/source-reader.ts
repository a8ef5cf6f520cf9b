import { Readable } from 'node:stream';
import { asBuffer } from '../../core/as-buffer.js';
import { givenRecord } from '../../core/check.js';
import { chunksOf } from '../../core/chunks.js';
import { InvalidArgumentError, LengthMismatchError } from '../../core/errors.js';
import type { BodySource } from './messages.js';
import { PROTOBUF } from './schema.js';

/** Reads the source of a body chunk by chunk, only when asked, and checks that it gives exactly `length` bytes. */
export class SourceReader {
  readonly #length: number;
  readonly #source: BodySource['source'];
  readonly #iterator: AsyncIterator<unknown>;
  #read = 0;

  constructor(body: BodySource) {
    const { length, source } = givenRecord('body', body);
    if (typeof (source as Partial<AsyncIterable<unknown>> | undefined)?.[Symbol.asyncIterator] !== 'function') {
      throw new InvalidArgumentError(`the source of a body is a stream or an async iterable, got ${typeof source}`, {
        layer: PROTOBUF,
        expected: 'AsyncIterable',
        got: typeof source,
      });
    }
    this.#length = length;
    this.#source = source;
    // If the source fails before the first read, the error must wait for that read and must not end the process.
    ignoreErrors(source);
    this.#iterator = (source instanceof Readable ? chunksOf(source) : (source as AsyncIterable<unknown>))[Symbol.asyncIterator]();
  }

  /**
   * The next chunk that is not empty; `undefined` when the source has ended at the right length. Rejects with
   * `LengthMismatchError`, with `InvalidArgumentError` for a chunk that is not bytes, or with the error of the source.
   */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const result = await this.#iterator.next();
      if (result.done === true) {
        if (this.#read < this.#length) throw this.#mismatch('ended early', this.#read);
        return undefined;
      }
      const chunk = result.value;
      // A Readable with an encoding gives strings, whose length is not a number of bytes.
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
    // An async generator that awaits something handles `return` after that, or never.
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

/**
 * All of a small body, in memory. Rejects with what the source throws, with `InvalidArgumentError` when it gives something else
 * than bytes, and with `LengthMismatchError` for another length; then it destroys the source.
 */
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

/** Destroys the stream that `body` reads from, if there is one. The stream is destroyed with `error`. */
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
