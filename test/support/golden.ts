/** Reads the golden vectors: `fixtures/wire`, or the folder that `WIRE_FIXTURES` names. Shapes: fixtures/wire/README.md. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT_ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = process.env.WIRE_FIXTURES ?? join(PROJECT_ROOT, 'fixtures', 'wire');

export type GoldenDialect = 'veracruz-2207' | 'veracruz-2207-nitro' | 'veracruz-head';
export type GoldenBytes = { hex: string } | { rule: string; length: number };
export type GoldenWire = { hex: string } | { length: number; sha256: string; head: string; tail: string };

export interface Vector {
  name: string;
  dialect: GoldenDialect;
  layer: 'bincode' | 'protobuf' | 'prefix' | 'frame' | 'session';

  value: any;
  wire: GoldenWire;
  note?: string;
}

export interface NegativeVector extends Omit<Vector, 'wire'> {
  target: string;
  wire?: { hex: string };
  chunks?: { hex: string }[];
  steps?: { result: 'accept' | 'error' | 'incomplete'; value?: unknown; error?: string }[];
  expect: 'error' | 'accept' | 'incomplete';
  error?: string;
  reencoded?: { hex: string };
  quirk?: boolean;
  rust_protobuf_3_2_0?: string;
}

export function vectors(layer: Vector['layer']): Vector[] {
  return JSON.parse(readFileSync(join(FOLDER, `${layer}.json`), 'utf8')) as Vector[];
}

export function negativeVectors(layer: Vector['layer']): NegativeVector[] {
  const all = JSON.parse(readFileSync(join(FOLDER, 'negative.json'), 'utf8')) as NegativeVector[];
  return all.filter((vector) => vector.layer === layer);
}

/** The bytes of a byte string inside `value`. */
export function goldenBytes(value: GoldenBytes): Buffer {
  if ('hex' in value) return Buffer.from(value.hex, 'hex');
  const rule = /^i\*(\d+)\+(\d+)$/.exec(value.rule);
  if (rule === null) throw new Error(`unknown rule ${value.rule}`);
  const [factor, summand] = [Number(rule[1]), Number(rule[2])];
  const bytes = Buffer.allocUnsafe(value.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * factor + summand) % 256;
  return bytes;
}

/** The text of a text inside `value`. */
export function goldenText(value: string | { repeat: string; times: number }): string {
  return typeof value === 'string' ? value : value.repeat.repeat(value.times);
}

/** What `bytes` looks like in the form of `wire`; equal to `wire` exactly when the bytes are those of the vector. */
export function asWire(bytes: Buffer, wire: GoldenWire): GoldenWire {
  if ('hex' in wire) return { hex: bytes.toString('hex') };
  return {
    length: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    head: bytes.subarray(0, 64).toString('hex'),
    tail: bytes.subarray(-64).toString('hex'),
  };
}
