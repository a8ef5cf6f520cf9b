import { joined, SliceReader, type Slices } from '../../layers/bincode/index.js';
import type { Remarks } from './region.js';

/** Items of one list that get a field each; those after them share one. */
const MAX_ITEM_FIELDS = 1000;

/** What was read, in the order of the bytes. */
export interface Recorded extends Remarks {
  readonly field: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * The reader of bincode itself, which notes down what it is asked for: so the fields that inspect shows are those that
 * the decoder read, and end where it raised its error.
 */
export class RecordingReader extends SliceReader {
  readonly fields: Recorded[] = [];
  /** Inside a reading that consists of others. */
  #inside: 'value' | 'list' | undefined;
  #items = 0;

  constructor(bytes: Buffer) {
    super([bytes]);
  }

  override variant<T>(what: string, variants: readonly T[]): T {
    const offset = this.offset;
    const found = this.#within('value', () => super.variant(what, variants));
    this.#note(what, offset, this.offset, { value: variants.indexOf(found), name: String(found) });
    return found;
  }

  override u32(what: string): number {
    const offset = this.offset;
    const value = super.u32(what);
    if (this.#inside === undefined) this.#note(what, offset, this.offset, { value });
    return value;
  }

  override i32(what: string): number {
    const offset = this.offset;
    const value = this.#within('value', () => super.i32(what));
    this.#note(what, offset, this.offset, { value });
    return value;
  }

  override bool(what: string): boolean {
    const offset = this.offset;
    const value = super.bool(what);
    this.#note(what, offset, this.offset, { value });
    return value;
  }

  override bytes(what: string): Slices {
    const before = this.#inside;
    const offset = this.offset;
    const slices = this.#within('value', () => super.bytes(what));
    if (before === undefined) this.#vector(what, offset, joined(slices));
    else if (before === 'list') this.#item(what, offset, joined(slices));
    return slices;
  }

  override text(what: string): string {
    const offset = this.offset;
    const value = this.#within('value', () => super.text(what));
    this.#vector(what, offset, value);
    return value;
  }

  override uuid(what: string): string {
    const offset = this.offset;
    const value = this.#within('value', () => super.uuid(what));
    this.#vector(what, offset, value);
    return value;
  }

  override list(what: string): Slices[] {
    const offset = this.offset;
    const at = this.fields.length;
    this.#items = 0;
    let count: number | undefined;
    try {
      const items = this.#within('list', () => super.list(what));
      count = items.length;
      return items;
    } finally {
      // The count stands before the items, and is known to be sound once one of them was read.
      if (count !== undefined || this.#items > 0) {
        const { length } = LENGTH;
        this.fields.splice(at, 0, { field: `${what} (count)`, offset, length, ...(count !== undefined && { value: count }) });
      }
    }
  }

  #within<T>(inside: 'value' | 'list', work: () => T): T {
    const before = this.#inside;
    this.#inside = inside;
    try {
      return work();
    } finally {
      this.#inside = before;
    }
  }

  #item(what: string, offset: number, value: Buffer): void {
    if (++this.#items <= MAX_ITEM_FIELDS) {
      this.#vector(what, offset, value);
      return;
    }
    const first = this.#items === MAX_ITEM_FIELDS + 1;
    const from = first ? offset : (this.fields.pop() as Recorded).offset;
    this.#note('more items', from, this.offset, { value: this.#items - MAX_ITEM_FIELDS });
  }

  /** A length, and that many bytes. */
  #vector(what: string, offset: number, value: Buffer | string): void {
    const start = offset + LENGTH.length;
    this.#note(`${what} (length)`, offset, start, { value: this.offset - start });
    this.#note(what, start, this.offset, { value });
  }

  #note(what: string, offset: number, end: number, remarks: Remarks): void {
    this.fields.push({ field: what.replace(/^the /, ''), offset, length: end - offset, ...remarks });
  }
}

/** A length or count is a u64 (wire spec §D). */
const LENGTH = { length: 8 } as const;
