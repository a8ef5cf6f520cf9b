import { BOUNDARY, type Boundary } from '../../core/unit.js';
import { IdReader, isWhitespace, textError, WHITESPACE, WhitespaceRun } from './format.js';

/** White space in a row that a body may have by default, bytes. An original peer sends 1, or some where items are empty. */
export const MAX_WHITESPACE_BYTES = 1024;

/**
 * Takes one body apart, piece by piece: `<id>`, then fields between white space. The common half of the two decoders.
 *
 *     "71 aGV" "sbG8= " "/w=="
 *     id 71, "aGV" "sbG8=" BOUNDARY "/w==" BOUNDARY
 *
 * Fields are passed on as views of the pieces; nothing is kept but the piece in hand and the digits of an id.
 */
export class BodyDecoder {
  readonly #id = new IdReader();
  readonly #run: WhitespaceRun;
  readonly #maxFields: number;
  #idKnown = false;
  #fields = 0;
  #inField = false;
  #piece: Buffer = Buffer.alloc(0);
  /** Bytes of the piece that are done. */
  #at = 0;
  /** Bytes of the pieces before it, for offsets. */
  #before = 0;
  /** Where in the piece each kind of white space comes next: looked for once, not once a field. */
  readonly #nextOf = WHITESPACE.map(() => -1);
  #ended = false;

  /** @param maxFields fields after the id that the body may have */
  constructor(maxFields: number, maxWhitespaceBytes: number) {
    this.#maxFields = maxFields;
    this.#run = new WhitespaceRun(maxWhitespaceBytes);
  }

  /** The id, as soon as the byte after it, or the end, is there. */
  get id(): number | undefined {
    return this.#idKnown ? this.#id.value : undefined;
  }

  /** Fields that have begun. */
  get fields(): number {
    return this.#fields;
  }

  /** Bytes of the body so far. */
  get length(): number {
    return this.#before + this.#piece.length;
  }

  /** Takes the next piece of the body. Only called when `next` has said `undefined`. */
  push(piece: Buffer): void {
    this.#before += this.#piece.length;
    this.#piece = piece;
    this.#at = 0;
    this.#nextOf.fill(-1);
  }

  /** The next bytes of a field, BOUNDARY at the end of a field, `undefined` when more of the body is needed. */
  next(): Buffer | Boundary | undefined {
    while (this.#at < this.#piece.length) {
      const byte = this.#piece[this.#at] as number;
      if (isWhitespace(byte)) {
        this.#run.push(this.#before + this.#at++);
        if (!this.#id.empty) this.#idKnown = true;
        if (this.#inField) {
          this.#inField = false;
          return BOUNDARY;
        }
        continue;
      }
      this.#run.end();
      if (this.#idKnown) return this.#field(byte);
      this.#id.push(byte, this.#before + this.#at++);
    }
    if (!this.#ended || !this.#inField) return undefined;
    this.#inField = false;
    return BOUNDARY;
  }

  /** The body is over; `next` is asked once more. */
  end(): void {
    this.#ended = true;
    if (!this.#id.empty) this.#idKnown = true;
  }

  #field(byte: number): Buffer {
    if (!this.#inField) {
      if (this.#fields === this.#maxFields) throw textError('one field too many', byte, this.#before + this.#at);
      this.#inField = true;
      this.#fields++;
    }
    const from = this.#at;
    this.#at = this.#nextWhitespace();
    return this.#piece.subarray(from, this.#at);
  }

  #nextWhitespace(): number {
    let nearest = this.#piece.length;
    for (let i = 0; i < WHITESPACE.length; i++) {
      let next = this.#nextOf[i] as number;
      if (next < this.#at) {
        next = this.#piece.indexOf(WHITESPACE[i] as number, this.#at);
        if (next === -1) next = this.#piece.length;
        this.#nextOf[i] = next;
      }
      nearest = Math.min(nearest, next);
    }
    return nearest;
  }
}
