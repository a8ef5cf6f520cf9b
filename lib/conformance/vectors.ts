/** The golden vectors of `fixtures/wire`: the one place that knows where they are. */
import { readFileSync } from 'node:fs';
import type { Dialect } from '../layers/formats/dialect.js';

const FOLDER = new URL('../../../fixtures/wire/', import.meta.url);

/** A vector of bytes that a parser takes. */
export interface Vector {
  readonly name: string;
  readonly dialect: `veracruz-${Dialect}`;
  readonly value: { readonly type?: string; readonly oneof?: string | null };
  /** Long ones have a digest only, and no `hex`. */
  readonly wire: { readonly hex?: string };
}

/** A vector of bytes that are broken or odd, and what the original makes of them. */
export interface NegativeVector {
  readonly name: string;
  readonly dialect: `veracruz-${Dialect}`;
  readonly layer: string;
  readonly target: string;
  readonly expect: 'error' | 'accept' | 'incomplete';
  readonly wire?: { readonly hex: string };
  /** What the parser of head does otherwise. */
  readonly rust_protobuf_3_2_0?: string;
  /** The canonical bytes of what the original reads. */
  readonly reencoded?: { readonly hex: string };
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'));
}

/** The vectors of messages of an envelope that have all of their bytes. */
export function messageVectors(dialect: Dialect, type: string): Vector[] {
  const all = read('protobuf.json') as Vector[];
  return all.filter(({ dialect: of, value, wire }) => of === nameOf(dialect) && value.type === type && wire.hex !== undefined);
}

/** The broken and odd vectors of a layer that are read as `target`. */
export function negativeVectors(dialect: Dialect, layer: string, target: string): NegativeVector[] {
  const all = read('negative.json') as NegativeVector[];
  return all.filter((vector) => vector.dialect === nameOf(dialect) && vector.layer === layer && vector.target === target);
}

/** The vectors have no requests of 2207-nitro, because they are those of 2207. */
function nameOf(dialect: Dialect): string {
  return `veracruz-${dialect === '2207-nitro' ? '2207' : dialect}`;
}
