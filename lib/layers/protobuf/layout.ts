/** The way out: checks a message and lays out its bytes, all but those of a streamed body. */
import { Writer } from 'protobufjs/minimal.js';
import { InvalidArgumentError, LimitError } from '../../core/errors.js';
import { IncomingBody } from './incoming-body.js';
import type { BodySource } from './messages.js';
import type { ProtobufLimits } from './options.js';
import { DELIMITED, FILE_NAME, type Field, type MessageTable, statusNumber } from './schema.js';
import { asBuffer } from './wire.js';

/** The bytes of one message: `head`, then `body`, `total` together. */
export interface Layout {
  readonly total: number;
  readonly head: Buffer;
  readonly body: Uint8Array | BodySource | undefined;
}

type Limits = Readonly<Required<ProtobufLimits>>;
type Plain = Readonly<Record<string, unknown>>;

/**
 * Lays out `message` as the original does: scalars of the envelope in front (so `context`, field 8, stands before
 * `result`, field 4), then the arm even if it is empty, defaults left out, fields by number; the bulk field is last.
 *
 * Throws `InvalidArgumentError` for what the schema or dialect does not have, `LimitError` for what passes a limit.
 */
export function layOut(table: MessageTable, message: object, limits: Limits): Layout {
  if (typeof message !== 'object' || message === null) throw refused(table.name, 'a message', message);
  const { oneof, fields, ...rest } = message as { oneof?: unknown; fields?: unknown };
  const scalars = encode(table, checkScalars(table, rest));
  let layout: Layout = { total: scalars.length, head: scalars, body: undefined };
  if (oneof !== null) layout = layOutArm(armOf(table, oneof), (fields ?? {}) as Plain, scalars, limits);
  if (layout.total > limits.maxMessageBytes) {
    throw new LimitError(`a message of ${layout.total} bytes, at most ${limits.maxMessageBytes} are sent`, {
      limit: limits.maxMessageBytes,
      got: layout.total,
    });
  }
  return layout;
}

function armOf(table: MessageTable, oneof: unknown): Field & { table: MessageTable } {
  const arm = typeof oneof === 'string' ? table.byName.get(oneof) : undefined;
  if (arm?.table === undefined) throw refused(`${table.name}.oneof`, 'null or an arm of the dialect', oneof);
  return arm as Field & { table: MessageTable };
}

function layOutArm(arm: Field & { table: MessageTable }, fields: Plain, scalars: Buffer, limits: Limits): Layout {
  const { table } = arm;
  const plain: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    const field = table.byName.get(name);
    if (field === undefined && fields[name] !== undefined) throw refused(`${arm.name}.fields`, 'fields of the dialect', name);
    if (field !== undefined && !field.bulk) plain[name] = checkValue(`${arm.name}.${name}`, field, fields[name], limits);
  }
  const inner = encode(table, plain);
  if (inner.length > limits.maxBufferedMessageBytes) {
    const limit = limits.maxBufferedMessageBytes;
    throw new LimitError(`${arm.name} has ${inner.length} bytes, at most ${limit} are sent`, { limit, got: inner.length });
  }
  const bulk = table.bulk;
  const { body, length } = bulk === undefined ? { body: undefined, length: 0 } : checkBody(`${arm.name}.${bulk.name}`, fields[bulk.name]);
  const bodyHead = bulk === undefined || length === 0 ? Buffer.alloc(0) : tagAndLength(bulk, length);
  const armLength = inner.length + bodyHead.length + length;
  const head = Buffer.concat([scalars, tagAndLength(arm, armLength), inner, bodyHead]);
  const total = head.length + length;
  if (!Number.isSafeInteger(total)) throw refused(`${arm.name}.${bulk?.name}`, 'a body of less than 2^53 bytes, head included', length);
  return { total, head, body };
}

function tagAndLength(field: Field, length: number): Buffer {
  return asBuffer(
    Writer.create()
      .uint32(((field.number << 3) | DELIMITED) >>> 0)
      .uint64(length)
      .finish(),
  );
}

function encode(table: MessageTable, plain: Plain): Buffer {
  return asBuffer(table.coder.encode(plain).finish());
}

function checkScalars(table: MessageTable, given: Plain): Plain {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const field = table.byName.get(name);
    if (field === undefined || field.table !== undefined) throw refused(table.name, 'its scalars, oneof and fields', name);
    const path = `${table.name}.${name}`;
    if (field.type !== 'enum') plain[name] = checkInteger(path, value, 0, 0xffffffff);
    else {
      plain[name] = typeof value === 'string' ? statusNumber(value) : undefined;
      if (plain[name] === undefined) throw refused(path, 'the name of a status', value);
    }
  }
  return plain;
}

function checkValue(path: string, field: Field, value: unknown, limits: Limits): unknown {
  if (value === undefined) return undefined;
  if (field.type === 'int32') return checkInteger(path, value, -0x80000000, 0x7fffffff);
  if (field.type === 'bytes') {
    if (!(value instanceof Uint8Array)) throw refused(path, 'a Buffer or Uint8Array', value);
    return value;
  }
  if (typeof value !== 'string') throw refused(path, 'a string', value);
  // Encoders write U+FFFD for half a pair, so that another name than the caller's would be sent.
  if (/\p{Surrogate}/u.test(value)) throw new InvalidArgumentError(`${path} has a lone surrogate`, { expected: 'well-formed text' });
  const bytes = Buffer.byteLength(value);
  if (field.name === FILE_NAME && bytes > limits.maxFileNameBytes) {
    throw new LimitError(`${path} has ${bytes} bytes, at most ${limits.maxFileNameBytes} are sent`, {
      limit: limits.maxFileNameBytes,
      got: bytes,
    });
  }
  return value;
}

function checkInteger(path: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) throw refused(path, `${min}..${max}`, value);
  return value;
}

function checkBody(path: string, value: unknown): { body: Uint8Array | BodySource | undefined; length: number } {
  if (value === undefined) return { body: undefined, length: 0 };
  if (value instanceof Uint8Array) return { body: value.length === 0 ? undefined : value, length: value.length };
  const body: Partial<BodySource> = value instanceof IncomingBody ? { length: value.length, source: value } : (value as BodySource);
  const source: unknown = body?.source;
  if (typeof source !== 'object' || source === null || !(Symbol.asyncIterator in source)) {
    throw refused(path, 'a Buffer, or a length and a source', value);
  }
  return { body: body as BodySource, length: checkInteger(`${path}.length`, body.length, 0, Number.MAX_SAFE_INTEGER) };
}

/** Names the kind of what was given, and its value only where that is a name or a figure. */
function refused(path: string, expected: string, got: unknown): InvalidArgumentError {
  const shown = typeof got === 'number' || typeof got === 'bigint' ? got : typeof got === 'string' ? got.slice(0, 64) : typeof got;
  return new InvalidArgumentError(`${path} takes ${expected}, got ${shown}`, { expected, got: shown });
}
