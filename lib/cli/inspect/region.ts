/** What inspect says about bytes: rows, one after the other, and at most one fault at the end. */
import { asVeracruzError, type VeracruzError } from '../../core/errors.js';

/** Byte strings are views of the input. */
export type Value = number | string | boolean | Buffer;

/** What a row may say besides where it is. */
export interface Remarks {
  /** What the bytes mean. */
  readonly value?: Value;
  /** The name of a number that stands for something. */
  readonly name?: string;
  /** What is odd about it, though no fault. */
  readonly note?: string;
}

/**
 * One field, or the head of a group: the rows after it that are deeper are its parts. The fields of an input lie side by
 * side and cover it; so do those of decoded bytes, whose offsets begin at 0 again.
 */
export interface Row extends Remarks {
  readonly kind: 'group' | 'field';
  /** The layer's own name, as it stands in errors. */
  readonly layer: string;
  readonly field: string;
  readonly offset: number;
  readonly length: number;
  readonly depth: number;
  /** The bytes are not those of the input but what a text in it decodes to. */
  readonly decoded: boolean;
  readonly bytes: Buffer;
}

/** The first thing that is wrong. */
export interface Fault {
  readonly kind: 'fault';
  readonly layer: string;
  /** Of the first bad byte; the length of the bytes when what is wrong is that they end. */
  readonly offset: number;
  readonly decoded: boolean;
  readonly error: VeracruzError;
  /** The bytes that `offset` counts in. */
  readonly bytes: Buffer;
}

/** Ends a reading. Thrown by annotators, never seen outside. */
export class FaultFound extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.error.message);
    this.fault = fault;
  }
}

/** Rows, as they are found. */
export type Rows<Result = void> = Generator<Row, Result, undefined>;

/** A run of bytes that one layer reads. Makes rows and faults with offsets that count from the start of all bytes. */
export class Region {
  readonly bytes: Buffer;
  readonly #all: Buffer;
  readonly #from: number;
  readonly #depth: number;
  readonly #decoded: boolean;

  constructor(all: Buffer, from = 0, to = all.length, depth = 0, decoded = false) {
    this.bytes = all.subarray(from, to);
    this.#all = all;
    this.#from = from;
    this.#depth = depth;
    this.#decoded = decoded;
  }

  /** Where it begins. */
  get offset(): number {
    return this.#from;
  }

  /** The row of a field: `length` bytes at `at` of this region. */
  field(layer: string, field: string, at: number, length: number, remarks: Remarks = {}): Row {
    return this.#row('field', layer, field, at, length, remarks);
  }

  /** The row that opens a group of rows, which are made with `within` or `part`. */
  group(layer: string, field: string, at: number, length: number, remarks: Remarks = {}): Row {
    return this.#row('group', layer, field, at, length, remarks);
  }

  /** The same bytes, one level deeper. */
  within(): Region {
    return new Region(this.#all, this.#from, this.#from + this.bytes.length, this.#depth + 1, this.#decoded);
  }

  /** `length` bytes at `at`, one level deeper. */
  part(at: number, length: number): Region {
    return new Region(this.#all, this.#from + at, this.#from + at + length, this.#depth + 1, this.#decoded);
  }

  /** What this region decodes to. */
  decodedTo(bytes: Buffer): Region {
    return new Region(bytes, 0, bytes.length, this.#depth, true);
  }

  /**
   * The fault that `error` is. `at` counts in this region and holds where the error has no offset itself; `unitAt` is where
   * the unit begins that an error's own offset counts from.
   */
  fault(error: VeracruzError, at: number, unitAt = 0): FaultFound {
    const offset = this.#from + (error.offset === undefined ? at : unitAt + error.offset);
    return new FaultFound({
      kind: 'fault',
      layer: error.layer ?? 'unknown',
      offset,
      decoded: this.#decoded,
      error,
      bytes: this.#all,
    });
  }

  #row(kind: Row['kind'], layer: string, field: string, at: number, length: number, remarks: Remarks): Row {
    const bytes = this.bytes.subarray(at, at + length);
    const offset = this.#from + at;
    return { kind, layer, field, offset, length, depth: this.#depth, decoded: this.#decoded, bytes, ...remarks };
  }
}

/** Asks a real decoder. Gives the error that it raises, with `layer` where it has none. */
export function verdict(layer: string, work: () => void): VeracruzError | undefined {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return asVeracruzError(thrown, { layer });
  }
}

/**
 * Goes on with a layer above as far as it goes. That it does not go on to the end is no fault of the layer below, which
 * takes any bytes: the rest is one more field, with a note.
 */
export function* asFarAsItGoes(rows: Rows<unknown>, region: Region, layer: string, field: string, note?: string): Rows {
  let done = 0;
  let why = note;
  try {
    for (const row of rows) {
      if (row.kind === 'field') done = row.offset + row.length - region.offset;
      yield row;
    }
  } catch (thrown) {
    if (!(thrown instanceof FaultFound)) throw thrown;
    why ??= thrown.message;
  }
  const rest = region.bytes.length - done;
  if (rest > 0)
    yield region.field(layer, field, done, rest, { value: region.bytes.subarray(done), ...(why !== undefined && { note: why }) });
}
