import { givenBytes, givenRecord } from '../../core/check.js';
import type { Codec } from '../../core/codec.js';
import { DeferredBytes } from '../../core/deferred-bytes.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { type Base64Chunk, BODY_END, BOUNDARY, type ItemChunk } from '../../core/unit.js';
import { BASE64, LETTER_OF, PAD } from './alphabet.js';

/**
 * Bytes that one call of Node encodes, a multiple of 3. One read of a socket, 64 KiB, fits into one slice. From 96 KiB on
 * Node's encoder is 6 times slower.
 */
const SLICE_BYTES = 66 * 1024;
/** Up to this many bytes are encoded by the table here, because the call into Node costs more. A multiple of 3. */
const SHORT_BYTES = 192;

/** Options of `base64()`. */
export interface Base64Options {
  /**
   * Gives the letters of slices over 192 bytes as `DeferredBytes`. They are for a transport that collects whole bodies: it
   * writes the letters straight into its own buffer. Default false: all letters are in Buffers.
   */
  deferred?: boolean;
}

/**
 * Writes bytes as base64 texts, one a unit: standard alphabet, padded, one line.
 *
 *     <68 65> <6c 6c 6f> BOUNDARY <ff> (end)
 *     "aGVs"  "bG8="  BOUNDARY  "/w=="
 *
 * It keeps 0 to 2 bytes besides the current chunk, whose letters are given in slices of 66 KiB of input. A unit without bytes
 * becomes a text without letters: only its BOUNDARY. BODY_END ends an unfinished text and is passed on. With `deferred`,
 * slices of more than 192 bytes are given as `DeferredBytes`.
 *
 * Errors: `InvalidArgumentError` for anything that is neither a Buffer nor a bound.
 *
 * @see Base64Decoder
 */
export class Base64Encoder implements Codec<ItemChunk, Base64Chunk | DeferredBytes> {
  readonly #deferred: boolean;
  /** Bytes of an unfinished group of three. */
  readonly #carry = Buffer.alloc(3);
  #carried = 0;
  /** The current chunk. The whole groups from `#at` to `#stop` are not yet encoded. */
  #chunk: Buffer | undefined;
  #at = 0;
  #stop = 0;
  /** Letters of the group that is made of the carry and the first bytes of the current chunk. */
  readonly #lead = Buffer.alloc(4);
  #leads = false;
  #first: Base64Chunk | undefined;
  #second: Base64Chunk | undefined;

  constructor(options: Base64Options = {}) {
    const { deferred = false } = givenRecord('options', options);
    this.#deferred = deferred;
  }

  push(chunk: ItemChunk): void {
    if (chunk === BOUNDARY || chunk === BODY_END) {
      const tail = this.#finish();
      this.#first = tail ?? chunk;
      if (tail !== undefined) this.#second = chunk;
    } else if (Buffer.isBuffer(chunk)) {
      this.#take(chunk);
    } else {
      throw new InvalidArgumentError(`base64 takes Buffers and bounds, got ${typeof chunk}`, { layer: BASE64, got: typeof chunk });
    }
  }

  next(): Base64Chunk | DeferredBytes | undefined {
    if (this.#first !== undefined) {
      const item = this.#first;
      this.#first = this.#second;
      this.#second = undefined;
      return item;
    }
    return this.#chunk === undefined ? undefined : this.#slice(this.#chunk);
  }

  end(): void {
    this.#first = this.#finish();
  }

  #take(chunk: Buffer): void {
    if (this.#carried + chunk.length < 3) {
      this.#carried += chunk.copy(this.#carry, this.#carried);
      return;
    }
    let at = 0;
    if (this.#carried > 0) {
      at = 3 - this.#carried;
      chunk.copy(this.#carry, this.#carried, 0, at);
      writeGroup(this.#carry, this.#lead);
      this.#leads = true;
    }
    this.#chunk = chunk;
    this.#at = at;
    this.#stop = chunk.length - ((chunk.length - at) % 3);
    this.#carried = 0;
    for (let i = this.#stop; i < chunk.length; i++) this.#carry[this.#carried++] = chunk[i] as number;
  }

  /** The letters of the next slice. They are made only now, so that they are still in the cache when they are copied. */
  #slice(chunk: Buffer): Buffer | DeferredBytes {
    const from = this.#at;
    const to = Math.min(from + SLICE_BYTES, this.#stop);
    this.#at = to;
    if (to === this.#stop) this.#chunk = undefined;
    const deferred = this.#deferred && to - from > SHORT_BYTES;
    // The next chunk overwrites the lead, so a deferred slice needs a copy of it.
    const lead = this.#leads ? (deferred ? Buffer.from(this.#lead) : this.#lead) : undefined;
    this.#leads = false;
    const letters = new Letters(lead, chunk, from, to);
    if (deferred) return letters;
    const text = Buffer.allocUnsafe(letters.length);
    letters.copy(text, 0);
    return text;
  }

  /** The last letters of a text, padded. */
  #finish(): Buffer | undefined {
    if (this.#carried === 0) return undefined;
    const text = Buffer.allocUnsafe(4);
    for (let i = this.#carried; i < 3; i++) this.#carry[i] = 0;
    writeGroup(this.#carry, text);
    for (let i = this.#carried + 1; i < 4; i++) text[i] = PAD;
    this.#carried = 0;
    return text;
  }
}

/** The letters of one slice: those of the lead, if there is one, and of the whole groups `chunk[from..to]`. */
class Letters extends DeferredBytes {
  readonly length: number;
  readonly #lead: Buffer | undefined;
  readonly #chunk: Buffer;
  readonly #from: number;
  readonly #to: number;

  constructor(lead: Buffer | undefined, chunk: Buffer, from: number, to: number) {
    super();
    this.length = (lead?.length ?? 0) + ((to - from) / 3) * 4;
    this.#lead = lead;
    this.#chunk = chunk;
    this.#from = from;
    this.#to = to;
  }

  copy(target: Buffer, at: number): void {
    const start = at + (this.#lead?.copy(target, at) ?? 0);
    if (this.#to - this.#from <= SHORT_BYTES) writeShort(this.#chunk, this.#from, this.#to, target, start);
    else target.write(this.#chunk.toString('base64', this.#from, this.#to), start, 'latin1');
  }
}

/** Writes `bytes[at..stop]` as letters into `text`, slice by slice. The last slice gets padding if it needs any. */
function writeLetters(bytes: Buffer, at: number, stop: number, text: Buffer, to: number): void {
  for (let from = at, end = to; from < stop; from += SLICE_BYTES) {
    end += text.write(bytes.toString('base64', from, Math.min(from + SLICE_BYTES, stop)), end, 'latin1');
  }
}

/** Writes the whole groups `bytes[from..to]` as letters into `text`. */
function writeShort(bytes: Buffer, from: number, to: number, text: Buffer, at: number): void {
  let end = at;
  for (let group = from; group < to; group += 3) {
    const bits = ((bytes[group] as number) << 16) | ((bytes[group + 1] as number) << 8) | (bytes[group + 2] as number);
    text[end] = LETTER_OF[bits >> 18] as number;
    text[end + 1] = LETTER_OF[(bits >> 12) & 63] as number;
    text[end + 2] = LETTER_OF[(bits >> 6) & 63] as number;
    text[end + 3] = LETTER_OF[bits & 63] as number;
    end += 4;
  }
}

/** Four letters for three bytes. */
function writeGroup(bytes: Buffer, text: Buffer): void {
  writeShort(bytes, 0, 3, text, 0);
}

/** `bytes` as one whole base64 text, for callers that have all bytes at once. @see decodeBase64 */
export function encodeBase64(bytes: Uint8Array): Buffer {
  const given = givenBytes('bytes', bytes);
  const text = Buffer.allocUnsafe(Math.ceil(given.length / 3) * 4);
  writeLetters(given, 0, given.length, text, 0);
  return text;
}
