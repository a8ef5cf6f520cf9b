/** The golden vectors that cases are made of, by dialect and message. */
import type { Dialect } from '../layers/formats/dialect.js';
import { dialectOf, type NegativeVector, negativeVectors as negative, type VectorOf, vectors } from '../wire/index.js';

type Negative = NegativeVector<'bincode' | 'protobuf'>;

/** A message and all of its bytes, in hexadecimal digits. */
export interface MessageVector {
  readonly name: string;
  readonly arm: string | null;
  readonly hex: string;
}

/** Bytes that are broken or odd, and what the original makes of them. */
export interface OddVector {
  readonly name: string;
  readonly hex: string;
  /** The original refuses them. */
  readonly refused: boolean;
  /** The canonical bytes of what the original reads; those of the vector where they are canonical. */
  readonly canonical: string;
  /** The parser of head does otherwise. */
  readonly otherwiseInHead: boolean;
}

/** The vectors of messages of an envelope. Long ones have a digest only, and are left out. */
export function messageVectors(dialect: Dialect, type: string): MessageVector[] {
  return vectors('protobuf')
    .filter((vector) => isOf(vector, dialect) && vector.value.type === type)
    .flatMap(({ name, value, wire }) => ('hex' in wire ? [{ name, arm: value.oneof, hex: wire.hex }] : []));
}

/** The broken and odd vectors of a layer that are read as `target`. */
export function negativeVectors(dialect: Dialect, layer: 'bincode' | 'protobuf', target: string): OddVector[] {
  const all: Negative[] = layer === 'bincode' ? negative('bincode') : negative('protobuf');
  return all.filter((vector) => isOf(vector, dialect) && vector.target === target).map(oddOf);
}

function oddOf({ name, wire: { hex }, expect, reencoded, rust_protobuf_3_2_0: head }: Negative): OddVector {
  return { name, hex, refused: expect === 'error', canonical: reencoded?.hex ?? hex, otherwiseInHead: head !== undefined };
}

/** The vectors have no requests of 2207-nitro, because they are those of 2207. */
function isOf({ dialect }: Pick<VectorOf<'protobuf'>, 'dialect'>, wanted: Dialect): boolean {
  return dialectOf(dialect) === (wanted === '2207-nitro' ? '2207' : wanted);
}
