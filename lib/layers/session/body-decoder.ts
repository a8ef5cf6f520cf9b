import { BOUNDARY, type Boundary } from '../../core/unit.js';
import { IdReader, isWhitespace, textError, WHITESPACE, WhitespaceRun } from './format.js';

/** Default limit of white space in a row in a body, in bytes. An original peer sends one byte, or a few around empty items. */
export const MAX_WHITESPACE_BYTES = 1024;

/**
 * Splits one body, piece by piece, into `<id>` and the fields after it, which white space separates. Both decoders use it.
 *
 *     "71 aGV" "sbG8= " "/w=="
 *     id 71, "aGV" "sbG8=" BOUNDARY "/w==" BOUNDARY
 *
 * Fields are given as views of the pieces. Only the current piece and the digits of an id are kept.
 */
export class BodyDecoder {
  readonly #id = new IdReader();
  readonly #run: WhitespaceRun;
  readonly #maxFields: number;
  #idKnown = false;
  #fields = 0;
  #inField = false;
  #piece: Buffer = Buffer.alloc(0);
  /** Bytes of the current piece that were read. */
  #at = 0;
  /** Bytes of all earlier pieces, for the offsets of errors. */
  #before = 0;
  /** For each kind of white space, its next offset in the piece. So the piece is searched once, and not once a field. */
  readonly #nextOf = WHITESPACE.map(() => -1);
  #ended = false;

  /** @param maxFields the number of fields that the body may have after the id */
  constructor(maxFields: number, maxWhitespaceBytes: number) {
    this.#maxFields = maxFields;
    this.#run = new WhitespaceRun(maxWhitespaceBytes);
  }

  /** The id. It is known as soon as the byte after it, or the end of the body, has come. */
  get id(): number | undefined {
    return this.#idKnown ? this.#id.value : undefined;
  }

  /** Number of fields that have begun. */
  get fields(): number {
    return this.#fields;
  }

  /** Bytes of the body that have come. */
  get length(): number {
    return this.#before + this.#piece.length;
  }

  /** Takes the next piece of the body. Only called when `next` has returned `undefined`. */
  push(piece: Buffer): void {
    this.#before += this.#piece.length;
    this.#piece = piece;
    this.#at = 0;
    this.#nextOf.fill(-1);
  }

  /** The next bytes of a field, BOUNDARY at the end of a field, or `undefined` when more of the body is needed. */
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

  /** The body is over. `next` is called once more after this. */
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
