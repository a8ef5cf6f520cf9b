/** The results of inspect: rows that describe bytes, and at most one fault at the end. */
import { asVeracruzError, type VeracruzError } from '../../core/errors.js';

/** The value of a field. Buffers are views of the input. */
export type Value = number | string | boolean | Buffer;

/** Optional parts of a row. */
export interface Remarks {
  /** What the bytes mean. */
  readonly value?: Value;
  /** The name of a numeric value, e.g. of an enum. */
  readonly name?: string;
  /** An unusual property that is not a fault. */
  readonly note?: string;
}

/**
 * One field, or the head of a group. The parts of a group are the rows after it with a greater depth. The fields of an input
 * cover it without gaps. Decoded bytes have fields of their own, whose offsets begin at 0 again.
 */
export interface Row extends Remarks {
  readonly kind: 'group' | 'field';
  /** Name of the layer, as in errors. */
  readonly layer: string;
  readonly field: string;
  readonly offset: number;
  readonly length: number;
  readonly depth: number;
  /** True for bytes that were decoded from a text in the input; `offset` then counts decoded bytes. */
  readonly decoded: boolean;
  readonly bytes: Buffer;
}

/** The first error in the input. */
export interface Fault {
  readonly kind: 'fault';
  readonly layer: string;
  /** Offset of the first bad byte, or the length of `bytes` when they end too early. */
  readonly offset: number;
  readonly decoded: boolean;
  readonly error: VeracruzError;
  /** The bytes in which `offset` counts. */
  readonly bytes: Buffer;
}

/** Thrown by annotators to end a reading. `annotate` catches it. */
export class FaultFound extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.error.message);
    this.fault = fault;
  }
}

/** A generator of rows. */
export type Rows<Result = void> = Generator<Row, Result, undefined>;

/** A range of bytes that one layer reads. It makes rows and faults whose offsets count from the start of all bytes. */
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

  /** Offset of its first byte. */
  get offset(): number {
    return this.#from;
  }

  /** A field row for `length` bytes at offset `at` of this region. */
  field(layer: string, field: string, at: number, length: number, remarks: Remarks = {}): Row {
    return this.#row('field', layer, field, at, length, remarks);
  }

  /** A row that opens a group. The rows of the group are made by the regions that `within` or `part` return. */
  group(layer: string, field: string, at: number, length: number, remarks: Remarks = {}): Row {
    return this.#row('group', layer, field, at, length, remarks);
  }

  /** The same bytes, one level deeper. */
  within(): Region {
    return new Region(this.#all, this.#from, this.#from + this.bytes.length, this.#depth + 1, this.#decoded);
  }

  /** `length` bytes at offset `at`, on the same level. */
  slice(at: number, length: number): Region {
    return new Region(this.#all, this.#from + at, this.#from + at + length, this.#depth, this.#decoded);
  }

  /** `length` bytes at offset `at`, one level deeper. */
  part(at: number, length: number): Region {
    return new Region(this.#all, this.#from + at, this.#from + at + length, this.#depth + 1, this.#decoded);
  }

  /** A region for the bytes that were decoded from this one. */
  decodedTo(bytes: Buffer): Region {
    return new Region(bytes, 0, bytes.length, this.#depth, true);
  }

  /**
   * Makes a fault from `error`. `at` is the offset in this region, used if the error has none of its own. `unitAt` is the
   * offset from which the error's own offset counts.
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

/** Runs a real decoder. Returns the error that it throws, with `layer` added if the error names none. */
export function verdict(layer: string, work: () => void): VeracruzError | undefined {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return asVeracruzError(thrown, { layer });
  }
}

/** Whether rows have no fault. */
export function isSound(rows: Rows<unknown>): boolean {
  try {
    for (const _ of rows);
    return true;
  } catch (thrown) {
    if (thrown instanceof FaultFound) return false;
    throw thrown;
  }
}

/**
 * Yields the rows of a layer above, up to its first fault. Such a fault is not one of the layer below, which carries any
 * bytes. The remaining bytes become one more field, with a note.
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
