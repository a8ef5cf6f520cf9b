import type { Codec } from '../../core/codec.js';
import { InvalidArgumentError, LengthMismatchError } from '../../core/errors.js';
import type { MessageChunk, PrefixedChunk } from '../../core/unit.js';
import { Announce } from '../../core/unit.js';
import { checkLength, encodePrefix, LENGTH_PREFIX, PREFIX_BYTES, writePrefix } from './prefix.js';

/** A first chunk up to this size travels in one Buffer with its prefix: a TLS record more costs more than the copy. */
const MERGE_BYTES = 64;

/**
 * Puts the length before each message and counts that exactly so many bytes follow.
 *
 *     Announce(11) <4 bytes> <7 bytes> <2 bytes>
 *     <00 00 00 00 00 00 00 0b, 4 bytes> <7 bytes> <00 00 00 00 00 00 00 02, 2 bytes>
 *
 * A Buffer outside an announced message is a whole message, an empty one too; but empty Buffers in or right after an
 * announced message are nothing, so that its bytes may be written in slices of any size. Bytes are never copied, except
 * a first chunk of up to 64 bytes. The prefix waits for the first bytes of its message.
 *
 * Errors: `LengthMismatchError` for more or fewer bytes than announced, `LimitError` for a message over
 * `maxMessageBytes`, `InvalidArgumentError` for anything that is neither Announce nor Buffer.
 *
 * @see LengthPrefixDecoder
 */
export class LengthPrefixEncoder implements Codec<MessageChunk, PrefixedChunk> {
  readonly #maxMessageBytes: number;
  /** Bytes of the announced message. */
  #announced = 0;
  /** Bytes of it that are still to come. */
  #owed = 0;
  /** The prefix is not given yet. */
  #prefixDue = false;
  /** The last message was announced by the caller, not begun by a bare Buffer. */
  #byAnnounce = false;
  #first: Buffer | undefined;
  #second: Buffer | undefined;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  push(chunk: MessageChunk): void {
    // Buffer is asked for first: it has a `length` too, so `instanceof Announce` would not tell the two apart for tsc.
    if (Buffer.isBuffer(chunk)) this.#bytes(chunk);
    else if (chunk instanceof Announce) this.#announce(chunk.length, true);
    else throw new InvalidArgumentError('a message is an Announce and Buffers', { layer: LENGTH_PREFIX, got: typeof chunk });
  }

  next(): PrefixedChunk | undefined {
    const item = this.#first;
    this.#first = this.#second;
    this.#second = undefined;
    return item;
  }

  end(): void {
    if (this.#owed > 0) throw this.#tooFew('the end');
  }

  #announce(length: number, byAnnounce: boolean): void {
    if (this.#owed > 0) throw this.#tooFew('the next message');
    checkLength(length, this.#maxMessageBytes);
    this.#announced = this.#owed = length;
    this.#prefixDue = length > 0;
    this.#byAnnounce = byAnnounce;
    if (length === 0) this.#first = encodePrefix(0);
  }

  #bytes(chunk: Buffer): void {
    if (this.#owed === 0) {
      if (chunk.length === 0 && this.#byAnnounce) return;
      this.#announce(chunk.length, false);
    }
    if (chunk.length > this.#owed) {
      const got = this.#announced - this.#owed + chunk.length;
      throw new LengthMismatchError(`${this.#announced} bytes were announced, at least ${got} came`, {
        layer: LENGTH_PREFIX,
        expected: this.#announced,
        got,
      });
    }
    if (chunk.length === 0) return;
    this.#owed -= chunk.length;
    if (!this.#prefixDue) {
      this.#first = chunk;
      return;
    }
    this.#prefixDue = false;
    if (chunk.length <= MERGE_BYTES) {
      const merged = Buffer.allocUnsafe(PREFIX_BYTES + chunk.length);
      writePrefix(merged, this.#announced);
      chunk.copy(merged, PREFIX_BYTES);
      this.#first = merged;
    } else {
      this.#first = encodePrefix(this.#announced);
      this.#second = chunk;
    }
  }

  #tooFew(what: string): LengthMismatchError {
    const got = this.#announced - this.#owed;
    return new LengthMismatchError(`${this.#announced} bytes were announced, ${got} came before ${what}`, {
      layer: LENGTH_PREFIX,
      expected: this.#announced,
      got,
    });
  }
}
