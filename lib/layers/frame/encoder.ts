import type { Codec } from '../../core/codec.js';
import { Announce, type AnnouncedChunk } from '../../core/unit.js';
import { checkAnnounced, mismatch, notAChunk } from './faults.js';
import { encodeHeader, type FrameHeader, givenHeader } from './header.js';

/** A first chunk of up to this many bytes is copied behind its header: a second write or TLS record would cost more. */
const MERGE_MAX_BYTES = 1024;

/**
 * Puts a header before each payload, and checks that exactly as many bytes follow as were announced.
 *
 *     Announce(11) <4 bytes> <7 bytes> Announce(70) <70 bytes>
 *     <header of 11, 4 bytes> <7 bytes> <header of 70> <70 bytes>
 *
 * The rules, which are the same for every header:
 *
 * - A Buffer before the first `Announce` is a whole payload, even if it is empty.
 * - After the first `Announce` every payload must be announced. More bytes than announced are a `LengthMismatchError`, however
 *   the bytes are cut, so a source that gives too much is always noticed.
 * - An empty Buffer after the first `Announce` has no effect: bytes may come in slices of any size.
 * - `Announce(0)` gives its header at once. Any other header leaves together with the first bytes of its payload.
 * - Bytes are not copied, except a first chunk of up to 1 KiB.
 *
 * Errors: `LengthMismatchError` for more or fewer bytes than announced; `LimitError` for a payload over the limit;
 * `InvalidArgumentError` for an invalid length, and for a chunk that is neither an `Announce` nor a Buffer.
 *
 * The bytes of each header: `FRAME_HEADERS`.
 *
 * @see FrameDecoder
 */
export class FrameEncoder implements Codec<AnnouncedChunk, Buffer> {
  readonly #header: FrameHeader;
  readonly #maxBytes: number;
  /** Bytes of the current payload. */
  #length = 0;
  /** Bytes of the current payload that are still to come. */
  #owed = 0;
  /** The header of the current payload was not given yet. */
  #headerDue = false;
  /** An `Announce` has come on this connection. */
  #announced = false;
  #first: Buffer | undefined;
  #second: Buffer | undefined;

  /** `maxBytes`: bytes of the largest payload. A length that does not fit the header is over the limit too. */
  constructor(header: FrameHeader, maxBytes: number) {
    this.#header = givenHeader(header);
    this.#maxBytes = Math.min(maxBytes, header.maxLength);
  }

  push(chunk: AnnouncedChunk): void {
    // Buffer is tested first. A Buffer has a `length` too, so for tsc `instanceof Announce` does not tell the two apart.
    if (Buffer.isBuffer(chunk)) this.#bytes(chunk);
    else if (chunk instanceof Announce) {
      this.#announced = true;
      this.#open(chunk.length);
    } else throw notAChunk(this.#header, 'a Buffer or an Announce', chunk);
  }

  next(): Buffer | undefined {
    const item = this.#first;
    this.#first = this.#second;
    this.#second = undefined;
    return item;
  }

  end(): void {
    if (this.#owed > 0) throw mismatch(this.#header, this.#length, this.#length - this.#owed);
  }

  #open(length: number): void {
    if (this.#owed > 0) throw mismatch(this.#header, this.#length, this.#length - this.#owed);
    checkAnnounced(this.#header, length, this.#maxBytes);
    this.#length = this.#owed = length;
    this.#headerDue = length > 0;
    if (length === 0) this.#first = encodeHeader(this.#header, 0);
  }

  #bytes(chunk: Buffer): void {
    if (!this.#announced) this.#open(chunk.length);
    if (chunk.length > this.#owed) throw mismatch(this.#header, this.#length, this.#length - this.#owed + chunk.length);
    if (chunk.length === 0) return;
    this.#owed -= chunk.length;
    if (this.#headerDue) this.#withHeader(chunk);
    else this.#first = chunk;
  }

  #withHeader(chunk: Buffer): void {
    this.#headerDue = false;
    if (chunk.length > MERGE_MAX_BYTES) {
      this.#first = encodeHeader(this.#header, this.#length);
      this.#second = chunk;
      return;
    }
    const { bytes } = this.#header;
    const merged = Buffer.allocUnsafe(bytes + chunk.length);
    this.#header.write(merged, this.#length);
    chunk.copy(merged, bytes);
    this.#first = merged;
  }
}
