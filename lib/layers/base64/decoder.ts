import { layerChunk } from '../../core/as-buffer.js';
import type { Codec } from '../../core/codec.js';
import { Base64Error, InvalidArgumentError } from '../../core/errors.js';
import { type Base64Chunk, BODY_END, BOUNDARY, type BoundedChunk } from '../../core/unit.js';
import { BASE64, badLetter, decodeGroup, PAD, VALUE_OF } from './alphabet.js';

/** Letters that one call of Node decodes, a multiple of 4. From 32 to 96 Ki letters it is equally fast (Node 20, 22, 24). */
const SLICE_LETTERS = 64 * 1024;
/** Up to this many letters are decoded by the table here, because the call into Node costs more. */
const SHORT_LETTERS = 256;
/** The letters 62 and 63 of the url-safe alphabet, `-` and `_`. Node's decoder accepts them; this one must not. */
const URL_SAFE = [0x2d, 0x5f] as const;

/**
 * Reads base64 texts, strictly: standard alphabet, padding present and canonical, nothing after it, no line ends.
 *
 *     "aGVsb" "G8=" BOUNDARY "/w" "==" (end)
 *     <68 65 6c> <6c 6f> BOUNDARY <ff>
 *
 * It keeps 0 to 3 letters. A chunk is checked as a whole before any of its bytes are given; the bytes of earlier chunks of
 * the same text have been given by then.
 *
 * Node's own decoder silently skips bytes that are no letters. Two checks prove that it skipped none: n groups without padding
 * gave exactly 3n bytes, and the text has no url-safe letter. When a check fails, each group is decoded singly to find the
 * bad letter. Short texts are decoded here, letter by letter.
 *
 * Errors: `Base64Error`; `offset` counts letters from the start of the text.
 * @see Base64Encoder
 */
export class Base64Decoder implements Codec<Base64Chunk, BoundedChunk> {
  /** Letters of an unfinished group, at most 3. */
  readonly #carry = Buffer.alloc(4);
  #carried = 0;
  /** Offset in the text of the first letter in `#carry`. If `#carry` is empty: of the next letter. */
  #offset = 0;
  /** Padding has ended the text. */
  #padded = false;
  #item: BoundedChunk | undefined;

  push(chunk: Base64Chunk): void {
    if (Buffer.isBuffer(chunk)) {
      this.#item = this.#decode(chunk);
    } else if (chunk === BOUNDARY || chunk === BODY_END) {
      this.#finish();
      this.#item = BOUNDARY;
    } else {
      throw new InvalidArgumentError(`base64 takes Buffers and bounds, got ${typeof chunk}`, { layer: BASE64, got: typeof chunk });
    }
  }

  next(): BoundedChunk | undefined {
    const item = this.#item;
    this.#item = undefined;
    return item;
  }

  end(): void {
    this.#finish();
  }

  #decode(text: Buffer): Buffer | undefined {
    if (text.length > 0) this.#refuseAfterPadding(text, 0, this.#offset);
    const groups = (this.#carried + text.length) >>> 2;
    if (groups === 0) {
      this.#carried += text.copy(this.#carry, this.#carried);
      return undefined;
    }
    const bytes = Buffer.allocUnsafe(groups * 3);
    let at = 0;
    let length = 0;
    if (this.#carried > 0) {
      at = 4 - this.#carried;
      text.copy(this.#carry, this.#carried, 0, at);
      length = decodeGroup(this.#carry, 0, bytes, 0, this.#offset);
      this.#offset += 4;
      this.#padded = length < 3;
      if (at < text.length) this.#refuseAfterPadding(text, at, this.#offset);
    }
    const stop = text.length - ((text.length - at) % 4);
    // Only the last group of a text may have padding, and only the last group of this chunk can be the last of its text.
    const plainStop = stop > at && text[stop - 1] === PAD ? stop - 4 : stop;
    length += this.#decodePlain(text, at, plainStop, bytes, length);
    this.#offset += plainStop - at;
    if (plainStop < stop) {
      length += decodeGroup(text, plainStop, bytes, length, this.#offset);
      this.#offset += 4;
      this.#padded = true;
      if (stop < text.length) this.#refuseAfterPadding(text, stop, this.#offset);
    }
    this.#carried = stop < text.length ? text.copy(this.#carry, 0, stop) : 0;
    return length === bytes.length ? bytes : bytes.subarray(0, length);
  }

  /** Decodes the groups `text[at..stop]`, none of them padded, into `bytes` from `to` on. Returns the number of bytes. */
  #decodePlain(text: Buffer, at: number, stop: number, bytes: Buffer, to: number): number {
    if (at === stop) return 0;
    if (stop - at <= SHORT_LETTERS) {
      if (decodeShort(text, at, stop, bytes, to)) return ((stop - at) / 4) * 3;
      this.#blame(text.subarray(at, stop));
    }
    const plain = text.subarray(at, stop);
    let length = 0;
    for (let from = 0; from < plain.length; from += SLICE_LETTERS) {
      length += bytes.write(plain.toString('latin1', from, from + SLICE_LETTERS), to + length, 'base64');
    }
    if (length !== (plain.length / 4) * 3 || URL_SAFE.some((letter) => plain.includes(letter))) this.#blame(plain);
    return length;
  }

  /** Finds the letter that is wrong in `plain`, one group after the other, and throws its error. */
  #blame(plain: Buffer): never {
    const scratch = Buffer.alloc(3);
    // The loop ends at that letter: this is only called when there is one.
    for (let at = 0; ; at += 4) {
      this.#padded = decodeGroup(plain, at, scratch, 0, this.#offset + at) < 3;
      if (this.#padded) this.#refuseAfterPadding(plain, at + 4, this.#offset + at + 4);
    }
    /* c8 ignore next -- the loop has no other end */
  }

  #refuseAfterPadding(text: Buffer, at: number, offset: number): void {
    if (this.#padded) throw badLetter('a byte after its padding', text[at] as number, offset);
  }

  /** The current text ends here. */
  #finish(): void {
    if (this.#carried > 0) {
      const got = this.#offset + this.#carried;
      throw new Base64Error(`base64 text of ${got} letters, expected a multiple of 4`, {
        layer: BASE64,
        expected: this.#offset + 4,
        got,
        offset: got,
      });
    }
    this.#offset = 0;
    this.#padded = false;
  }
}

/** Decodes groups without padding. False when one of the bytes is no letter. */
function decodeShort(text: Buffer, at: number, stop: number, bytes: Buffer, to: number): boolean {
  let end = to;
  for (let from = at; from < stop; from += 4) {
    const a = VALUE_OF[text[from] as number] as number;
    const b = VALUE_OF[text[from + 1] as number] as number;
    const c = VALUE_OF[text[from + 2] as number] as number;
    const d = VALUE_OF[text[from + 3] as number] as number;
    // The table has 255 for a byte that is no letter, and at most 63 for a letter.
    if ((a | b | c | d) > 63) return false;
    bytes[end] = (a << 2) | (b >> 4);
    bytes[end + 1] = ((b & 15) << 4) | (c >> 2);
    bytes[end + 2] = ((c & 3) << 6) | d;
    end += 3;
  }
  return true;
}

/** The bytes of one whole base64 text. @throws Base64Error @see encodeBase64 */
export function decodeBase64(text: Uint8Array | string): Buffer {
  const decoder = new Base64Decoder();
  decoder.push(layerChunk(text, 'latin1') as Buffer);
  decoder.end();
  return (decoder.next() as Buffer | undefined) ?? Buffer.alloc(0);
}
