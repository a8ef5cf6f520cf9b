/** CBOR (RFC 8949) for evidence: the package cborg, with stricter rules. */
import { decode, encode, type Token, Tokenizer, Type } from 'cborg';
import { EvidenceError } from '../../core/errors.js';

/** A CBOR tag and the value that it marks. */
export class Tagged {
  readonly tag: number;
  readonly value: unknown;

  constructor(tag: number, value: unknown) {
    this.tag = tag;
    this.value = value;
  }
}

/** The tag of COSE_Sign1 (RFC 9052 §4.2): the only one that evidence uses. */
export const COSE_SIGN1_TAG = 18;

const NOTHING = Buffer.alloc(0);

/** Accepts only one encoding of each value, and only the types that evidence uses: no float, no undefined. */
const STRICT = Object.freeze({
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowBigInt: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  retainStringBytes: true,
  tags: { [COSE_SIGN1_TAG]: (content: () => unknown) => new Tagged(COSE_SIGN1_TAG, content()) },
});

/** An array, map or tag whose values have not all been read. */
interface Open {
  /** Number of its values, and of its labels (keys) if it is a map; infinity for an indefinite length. */
  readonly size: number;
  taken: number;
  /** The labels so far, if it is a map. */
  readonly labels: Set<unknown> | undefined;
}

/**
 * cborg's reader with more rules:
 *
 * - The depth is limited, since cborg recurses as deep as the input says.
 * - Labels (keys of maps) are numbers or text, and no two are equal. cborg does not notice duplicates of other types.
 * - Text is valid UTF-8. cborg would replace bad bytes, and so make two different names equal.
 * - Only the outermost map may have an indefinite length, and only if the options allow it.
 */
class StrictTokenizer extends Tokenizer {
  readonly #open: Open[] = [];
  readonly #maxDepth: number;
  readonly #openEnd: boolean;

  constructor(bytes: Buffer, { maxDepth, openEnd = false }: CborOptions) {
    // cborg must get a plain Uint8Array, whose slices are copies. Slices of a Buffer would be views of the input.
    super(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), { ...STRICT, allowIndefinite: openEnd });
    this.#maxDepth = maxDepth;
    this.#openEnd = openEnd;
  }

  override next(): Token {
    const token = super.next();
    const { type, value } = token as { type: Type; value: unknown };
    const parent = this.#open.at(-1);
    if (type === Type.break) {
      // cborg itself would accept a break instead of a map's last value.
      if (parent?.size !== Number.POSITIVE_INFINITY || parent.taken % 2 !== 0) throw new Error('an end where there is none');
      this.#open.pop();
      return token;
    }
    if (type === Type.float) throw new Error('a floating-point number');
    if (type === Type.string && !Buffer.from(value as string).equals(token.byteValue ?? NOTHING)) throw new Error('text that is no UTF-8');
    if (parent !== undefined) {
      if (parent.labels !== undefined && parent.taken % 2 === 0) checkLabel(type, value, parent.labels);
      parent.taken++;
    }
    if (type === Type.array) this.#enter(value as number);
    else if (type === Type.map) this.#enter((value as number) * 2, new Set());
    else if (type === Type.tag) this.#enter(1);
    while (this.#isFull()) this.#open.pop();
    return token;
  }

  #isFull(): boolean {
    const last = this.#open.at(-1);
    return last !== undefined && last.taken === last.size;
  }

  #enter(size: number, labels?: Set<unknown>): void {
    const outermostMap = this.#openEnd && this.#open.length === 0 && labels !== undefined;
    if (size === Number.POSITIVE_INFINITY && !outermostMap) throw new Error('an indefinite length');
    this.#open.push({ size, taken: 0, labels });
    if (this.#open.length > this.#maxDepth) throw new Error(`more than ${this.#maxDepth} levels`);
  }
}

function checkLabel(type: Type, label: unknown, labels: Set<unknown>): void {
  if (type !== Type.uint && type !== Type.negint && type !== Type.string) throw new Error(`a label of type ${type.name}`);
  if (labels.has(label)) throw new Error('a label twice');
  labels.add(label);
}

export interface CborOptions {
  /** Most levels of arrays, maps and tags. */
  maxDepth: number;
  /** Accepts an outermost map of indefinite length, as in the documents of AWS since 2025. Default false. */
  openEnd?: boolean;
}

/**
 * Reads the one CBOR value in `bytes`. Maps become Map, byte strings Uint8Array (copies), tag 18 `Tagged`, and integers
 * beyond 2^53 - 1 bigint. `what` names the value in error messages.
 *
 * Throws `EvidenceError` for encodings that are not the shortest, indefinite lengths, duplicate labels, labels that are
 * neither numbers nor text, floats, undefined, other tags, invalid UTF-8, more than `maxDepth` levels, and bytes after the
 * value.
 */
export function readCbor(bytes: Buffer, what: string, options: CborOptions): unknown {
  try {
    return decode(bytes, { ...STRICT, tokenizer: new StrictTokenizer(bytes, options) });
  } catch (cause) {
    throw new EvidenceError(`${what} of ${bytes.length} bytes is no CBOR that is taken here: ${(cause as Error).message}`, {
      layer: 'cbor',
      got: bytes.length,
      cause,
    });
  }
}

/** Writes CBOR in the shortest form. The entries of a Map keep their order. */
export function writeCbor(value: unknown): Buffer {
  return Buffer.from(encode(value, { mapSorter: () => 0 }));
}
