/**
 * The golden vectors and the schema, for whoever checks an implementation of the wire: `veracruz-streams/wire`. They are
 * files, so other languages need nothing of this module; `fixtures/wire/README.md` says what each file holds. Nothing is read
 * before it is asked for.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NegativeVector, VectorBytes, VectorDialect, VectorOf, VectorText, VectorWire, WireLayer } from './vector.js';

export type * from './vector.js';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));

/** The folder of the vectors: a JSON file a layer, and `negative.json`. */
export const VECTORS_FOLDER: string = join(PACKAGE, 'fixtures', 'wire');

/** The path of the `.proto` file of all messages (wire spec §A), for protoc and its like. */
export const SCHEMA: string = join(PACKAGE, 'proto', 'transport_protocol.proto');

/** The layers that have vectors: `prefix` is the length prefix, `session` the HTTP body with its base64. */
export const WIRE_LAYERS: readonly WireLayer[] = Object.freeze(['bincode', 'protobuf', 'prefix', 'frame', 'session']);

const read = (folder: string, file: string): unknown => JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8'));

/** An argument that is none. The vectors know nothing of this library, and so not its errors. */
function wrong(name: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${name} is ${expected}, got ${value === null ? 'null' : typeof value}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function checkFile(layer: unknown, folder: unknown): void {
  if (!WIRE_LAYERS.includes(layer as WireLayer)) throw wrong('layer', `one of ${WIRE_LAYERS.join(', ')}`, layer);
  if (typeof folder !== 'string') throw wrong('folder', 'a path', folder);
}

/** What each layer writes for a value, and reads from it. From another `folder`, if the vectors are elsewhere. */
export function vectors<L extends WireLayer>(layer: L, folder: string = VECTORS_FOLDER): Array<VectorOf<L>> {
  checkFile(layer, folder);
  return read(folder, layer) as Array<VectorOf<L>>;
}

/** Input that is broken, odd, or taken where one might not expect it, with what the original makes of it. */
export function negativeVectors<L extends WireLayer>(layer: L, folder: string = VECTORS_FOLDER): Array<NegativeVector<L>> {
  checkFile(layer, folder);
  const all = read(folder, 'negative') as NegativeVector[];
  return all.filter((vector) => vector.layer === layer) as unknown as Array<NegativeVector<L>>;
}

/** The bytes that a byte string inside a `value` stands for. */
export function vectorBytes(value: VectorBytes): Buffer {
  if (!isRecord(value)) throw wrong('value', 'a byte string of a vector', value);
  if ('hex' in value) return Buffer.from(value.hex, 'hex');
  const rule = /^i\*(\d+)\+(\d+)$/.exec(value.rule);
  if (rule === null) throw new TypeError(`value has the rule ${value.rule}, which is unknown`);
  const [factor, summand] = [Number(rule[1]), Number(rule[2])];
  const bytes = Buffer.allocUnsafe(value.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * factor + summand) % 256;
  return bytes;
}

/** The text that a text inside a `value` stands for. */
export function vectorText(value: VectorText): string {
  if (typeof value === 'string') return value;
  if (!isRecord(value) || typeof value.repeat !== 'string') throw wrong('value', 'a text of a vector', value);
  return value.repeat.repeat(value.times);
}

/** What `bytes` looks like in the form of `wire`: deeply equal to `wire` exactly when the bytes are those of the vector. */
export function asWire(bytes: Uint8Array, wire: VectorWire): VectorWire {
  if (!(bytes instanceof Uint8Array)) throw wrong('bytes', 'a Uint8Array', bytes);
  if (!isRecord(wire)) throw wrong('wire', 'that of a vector', wire);
  const hex = (part: Uint8Array) => Buffer.from(part).toString('hex');
  if ('hex' in wire) return { hex: hex(bytes) };
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { length: bytes.length, sha256, head: hex(bytes.subarray(0, 64)), tail: hex(bytes.subarray(-64)) };
}

/** The dialect of a vector, as options of this library take it: `2207`, `2207-nitro` or `head`. */
export function dialectOf(dialect: VectorDialect): '2207' | '2207-nitro' | 'head' {
  if (typeof dialect !== 'string' || !dialect.startsWith('veracruz-')) throw wrong('dialect', 'that of a vector', dialect);
  return dialect.slice('veracruz-'.length) as '2207' | '2207-nitro' | 'head';
}
