import type { Codec } from '../../core/codec.js';
import { LimitError } from '../../core/errors.js';
import { Announce, type BincodeChunk } from '../../core/unit.js';
import { type Slices, sliceBytes } from './slices.js';

/** A message of up to this many bytes is copied into one Buffer: each Buffer costs every layer below more than the copy. */
const JOIN_MAX_BYTES = 2048;

/**
 * Messages → announced units of bytes.
 *
 *     { kind: 'SendTlsData', session: 5, data }  →  Announce(16 + data)  <16-byte head>  <data, uncopied>
 *
 * A message of up to 2 KiB is one Buffer.
 *
 * Throws the errors of `encode`, and `LimitError` for a message above `maxMessageBytes`, before any part of it is given.
 *
 * @see BincodeDecoder
 */
export class BincodeEncoder<M> implements Codec<M, BincodeChunk> {
  readonly #encode: (message: M) => Slices;
  readonly #maxMessageBytes: number;
  #announce: Announce | undefined;
  #slices: Slices = [];
  #given = 0;

  constructor(encode: (message: M) => Slices, maxMessageBytes: number) {
    this.#encode = encode;
    this.#maxMessageBytes = maxMessageBytes;
  }

  push(message: M): void {
    const slices = this.#encode(message);
    const length = sliceBytes(slices);
    if (length > this.#maxMessageBytes) {
      throw new LimitError(`a message of ${length} bytes, at most ${this.#maxMessageBytes} are allowed`, {
        layer: 'bincode',
        limit: this.#maxMessageBytes,
        got: length,
      });
    }
    this.#announce = new Announce(length);
    this.#slices = slices.length > 1 && length <= JOIN_MAX_BYTES ? [Buffer.concat(slices, length)] : slices;
    this.#given = 0;
  }

  next(): BincodeChunk | undefined {
    const announce = this.#announce;
    if (announce !== undefined) {
      this.#announce = undefined;
      return announce;
    }
    if (this.#given < this.#slices.length) return this.#slices[this.#given++];
    this.#slices = [];
    return undefined;
  }

  end(): void {}
}
