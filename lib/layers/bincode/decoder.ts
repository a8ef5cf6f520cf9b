import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import { InvalidArgumentError, LengthMismatchError, LimitError, TruncatedError } from '../../core/errors.js';
import { Announce, type BincodeChunk } from '../../core/unit.js';
import type { Slices } from './slices.js';

/**
 * Announced units of bytes → messages.
 *
 *     Announce(18)  <16 bytes>  <2 bytes>  →  { kind: 'SendTlsData', session: 5, data: [<2 bytes>] }
 *
 * The chunks of a message are kept as slices until the message is whole. Small ones are copied together, so that they do not
 * hold larger buffers in memory. Before the first `Announce`, a Buffer is a whole message, for callers that use the codec
 * without a frame layer. After the first `Announce`, every message must be announced.
 *
 * Throws `LimitError` for a length above `maxMessageBytes` (before anything is kept), `LengthMismatchError` when
 * more or fewer bytes come than were announced, `TruncatedError` when the input ends inside a message, and the errors of
 * `decode`.
 *
 * @see BincodeEncoder
 */
export class BincodeDecoder<M> implements Codec<BincodeChunk, M> {
  readonly #decode: (slices: Slices) => M;
  readonly #maxMessageBytes: number;
  readonly #queue = new ByteQueue();
  /** Length of the message that is coming in; undefined between messages. */
  #length: number | undefined;
  /** Whether an `Announce` was ever seen. */
  #announced = false;
  #message: M | undefined;

  constructor(decode: (slices: Slices) => M, maxMessageBytes: number) {
    this.#decode = decode;
    this.#maxMessageBytes = maxMessageBytes;
  }

  push(chunk: BincodeChunk): void {
    if (chunk instanceof Announce) {
      this.#open(chunk.length);
      this.#announced = true;
      if (chunk.length === 0) this.#take();
      return;
    }
    if (!this.#announced) this.#open(chunk.length);
    const length = this.#length ?? 0;
    const have = this.#queue.length + chunk.length;
    if (have > length) throw mismatch(length, have);
    if (this.#length === undefined) return;
    this.#queue.push(chunk);
    if (have === length) this.#take();
  }

  next(): M | undefined {
    const message = this.#message;
    this.#message = undefined;
    return message;
  }

  end(): void {
    if (this.#length === undefined) return;
    throw new TruncatedError(`the input ended ${this.#queue.length} bytes into a message of ${this.#length}`, {
      layer: 'bincode',
      expected: this.#length,
      got: this.#queue.length,
    });
  }

  #open(length: number): void {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new InvalidArgumentError(`an announced length of ${length}`, { layer: 'bincode', expected: '0..2^53-1', got: length });
    }
    if (this.#length !== undefined) throw mismatch(this.#length, this.#queue.length);
    if (length > this.#maxMessageBytes) {
      throw new LimitError(`a message of ${length} bytes, at most ${this.#maxMessageBytes} are allowed`, {
        layer: 'bincode',
        limit: this.#maxMessageBytes,
        got: length,
      });
    }
    this.#length = length;
  }

  /** Reads the message, which is everything in the queue. */
  #take(): void {
    this.#length = undefined;
    const slices: Buffer[] = [];
    while (this.#queue.length > 0) slices.push(this.#queue.takeSome(this.#queue.length));
    this.#message = this.#decode(slices);
  }
}

function mismatch(expected: number, got: number): LengthMismatchError {
  return new LengthMismatchError(`a message of ${expected} bytes was announced, ${got} came`, { layer: 'bincode', expected, got });
}
