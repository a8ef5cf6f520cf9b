import { joined, SliceReader, type Slices } from '../../layers/bincode/index.js';
import type { Remarks } from './region.js';

/** Most items of a list that are shown as fields of their own. All later items share one field. */
const MAX_ITEM_FIELDS = 1000;

/** One field that was read. */
export interface Recorded extends Remarks {
  readonly field: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * The real reader of bincode, which also records each field that it reads. So inspect shows exactly the fields that the
 * decoder read, up to the field where it failed.
 */
export class RecordingReader extends SliceReader {
  readonly fields: Recorded[] = [];
  /** Set while a method reads its value by means of other methods, which then record nothing. */
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
      // The row of the count comes before its items. It is recorded if the list, or at least one item, was read without
      // error.
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

  /** Records a length, and the bytes after it. */
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
