import { createReadStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Moved, metered, sinkOf, sourceOf } from '../../harness/contents.js';
import { indexOf } from './transfer.js';

/** The files at the far end of a peer: in a folder, or nowhere (counted, and made up when they are asked for). */
export class FarFiles {
  readonly #folder: string | undefined;

  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** Takes all of `stream` as the file of session number `index`. */
  take(index: number, stream: Readable): Promise<Moved> {
    return sinkOf(stream, this.#path(index));
  }

  /** `bytes` of the file of session number `index`. */
  give(index: number, bytes: number, chunkBytes?: number): Readable {
    return sourceOf({ bytes, path: this.#path(index) }, chunkBytes).stream;
  }

  /** SHA-256 of what is on disk, hex. */
  async sha256Of(name: string): Promise<string> {
    const meter = metered(createReadStream(this.#path(indexOf(name)) as string));
    await finished(meter.resume());
    return meter.moved().sha256 as string;
  }

  async remove(name: string): Promise<void> {
    const path = this.#path(indexOf(name));
    if (path !== undefined) await unlink(path);
  }

  #path(index: number): string | undefined {
    return this.#folder === undefined ? undefined : join(this.#folder, String(index));
  }
}
