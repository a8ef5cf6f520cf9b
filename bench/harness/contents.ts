/** Where bytes come from and where they go: memory (made up, counted) or disk (with SHA-256 on the way). */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable, Transform, type TransformCallback, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Bytes of a chunk of a generated or read file. */
export const CHUNK_BYTES = 256 * 1024;

const CHUNK = Buffer.alloc(CHUNK_BYTES, 7);

/** `length` bytes that cost nothing to make, in chunks of `chunkBytes` or less. */
export function generated(length: number, chunkBytes = CHUNK_BYTES): Readable {
  let left = length;
  return new Readable({
    highWaterMark: 2 * chunkBytes,
    read() {
      const size = Math.min(left, chunkBytes);
      left -= size;
      this.push(size === 0 ? null : CHUNK.subarray(0, size));
    },
  });
}

/** What a transfer moves: made up where `path` is missing, otherwise a file. */
export interface Contents {
  readonly bytes: number;
  readonly path?: string | undefined;
}

/** What one end of a transfer saw. */
export interface Moved {
  readonly bytes: number;
  /** Hex; undefined for made-up bytes. */
  readonly sha256: string | undefined;
}

/** The sending end. `moved()` tells, once it has been read, what went. */
export function sourceOf({ bytes, path }: Contents, chunkBytes = CHUNK_BYTES): { stream: Readable; moved: () => Moved } {
  if (path === undefined) return { stream: generated(bytes, chunkBytes), moved: () => ({ bytes, sha256: undefined }) };
  const stream = metered(createReadStream(path, { highWaterMark: chunkBytes }));
  return { stream, moved: () => stream.moved() };
}

/** The receiving end: takes all of `stream`, to a file if there is a path. */
export async function sinkOf(stream: Readable, path: string | undefined): Promise<Moved> {
  if (path === undefined) {
    let bytes = 0;
    const counter = new Writable({
      highWaterMark: 2 ** 20,
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        done();
      },
    });
    await pipeline(stream, counter);
    return { bytes, sha256: undefined };
  }
  const meter = new Meter();
  await pipeline(stream, meter, createWriteStream(path, { highWaterMark: 2 ** 20 }));
  return meter.moved();
}

/** `stream`, counted and hashed as it is read. */
export function metered(stream: Readable): Meter {
  const meter = new Meter();
  stream.on('error', (error) => meter.destroy(error));
  meter.on('close', () => stream.destroy());
  return stream.pipe(meter);
}

/** Counts and hashes what passes. */
class Meter extends Transform {
  readonly #hash: Hash = createHash('sha256');
  #bytes = 0;
  #digest: string | undefined;

  constructor() {
    super({ highWaterMark: CHUNK_BYTES });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
    done(null, chunk);
  }

  moved(): Moved {
    this.#digest ??= this.#hash.digest('hex');
    return { bytes: this.#bytes, sha256: this.#digest };
  }
}
