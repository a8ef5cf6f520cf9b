/** Outbound: checks a message and lays out its bytes, except those of a streamed body. */
import { InvalidArgumentError, LimitError } from '../../core/errors.js';
import { IncomingBody } from './incoming-body.js';
import type { BodySource } from './messages.js';
import type { ProtobufLimits } from './options.js';
import { FILE_NAME, type Field, type MessageTable, PROTOBUF, statusNumber } from './schema.js';
import { type Part, partOf, sizeOf, sizeOfHead, writeHead, writeParts } from './write-fields.js';

/** The bytes of one message: `head`, then `body`; `total` is the length of both. */
export interface Layout {
  readonly total: number;
  readonly head: Buffer;
  readonly body: Uint8Array | BodySource | undefined;
}

type Limits = Readonly<Required<ProtobufLimits>>;
type Plain = Readonly<Record<string, unknown>>;
type Body = Uint8Array | BodySource | undefined;
type Named = Readonly<{ name: string }>;

const NO_BODY = Object.freeze({ body: undefined, length: 0 });

/** The arm of a message, after its check. */
interface Arm {
  readonly field: Field;
  /** All fields except the bulk field, and their total length. */
  readonly parts: Part[];
  readonly partsBytes: number;
  readonly bulk: Field | undefined;
  readonly body: Body;
  readonly bodyBytes: number;
}

/**
 * Lays out `message` in the order of the original: first the scalars of the envelope (so `context`, field 8, stands before
 * `result`, field 4), then the arm, even if it is empty. In the arm, fields are in the order of their numbers, fields with
 * default values are left out, and the bulk field is last.
 *
 * A body in memory of up to `joinBytes` is copied behind the head, into the same Buffer.
 *
 * Throws `InvalidArgumentError` for a value that the schema or dialect does not have, `LimitError` for a limit exceeded.
 */
export function layOut(table: MessageTable, message: object, limits: Limits, joinBytes: number): Layout {
  if (typeof message !== 'object' || message === null) throw refused(table.name, 'a message', message);
  const { oneof, fields } = message as { oneof?: unknown; fields?: unknown };
  const scalars = checkScalars(table, message as Plain);
  if (fields !== undefined && (typeof fields !== 'object' || fields === null || oneof === null)) {
    throw refused(`${table.name}.fields`, oneof === null ? 'nothing where oneof is null' : 'an object', fields);
  }
  const arm = oneof === null ? undefined : checkArm(armOf(table, oneof), (fields ?? {}) as Plain, limits);
  const scalarsBytes = sizeOf(scalars);
  if (arm === undefined) {
    checkTotal(scalarsBytes, limits);
    const head = Buffer.allocUnsafe(scalarsBytes);
    writeParts(head, 0, scalars);
    return { total: scalarsBytes, head, body: undefined };
  }
  const { field, parts, bulk, body, bodyBytes } = arm;
  const bodied = bulk !== undefined && bodyBytes > 0;
  const restBytes = arm.partsBytes + (bodied ? sizeOfHead(bulk, bodyBytes) : 0);
  const headBytes = scalarsBytes + sizeOfHead(field, restBytes + bodyBytes) + restBytes;
  const total = headBytes + bodyBytes;
  if (!Number.isSafeInteger(total)) {
    throw refused(`${field.name}.${bulk?.name}`, 'a body of less than 2^53 bytes, head included', bodyBytes);
  }
  checkTotal(total, limits);
  const joined = body instanceof Uint8Array && bodyBytes <= joinBytes;
  const head = Buffer.allocUnsafe(joined ? total : headBytes);
  let at = writeParts(head, 0, scalars);
  at = writeHead(head, at, field, restBytes + bodyBytes);
  at = writeParts(head, at, parts);
  if (bodied) at = writeHead(head, at, bulk, bodyBytes);
  if (!joined) return { total, head, body };
  head.set(body, at);
  return { total, head, body: undefined };
}

function checkTotal(total: number, limits: Limits): void {
  if (total <= limits.maxMessageBytes) return;
  throw new LimitError(`a message of ${total} bytes, at most ${limits.maxMessageBytes} are sent`, {
    layer: PROTOBUF,
    limit: limits.maxMessageBytes,
    got: total,
  });
}

function armOf(table: MessageTable, oneof: unknown): Field & { table: MessageTable } {
  const arm = typeof oneof === 'string' ? table.byName.get(oneof) : undefined;
  if (arm?.table === undefined) throw refused(`${table.name}.oneof`, 'null or an arm of the dialect', oneof);
  return arm as Field & { table: MessageTable };
}

function checkArm(field: Field & { table: MessageTable }, fields: Plain, limits: Limits): Arm {
  const { table } = field;
  const parts: Part[] = [];
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (value === undefined) continue;
    const inner = table.byName.get(name);
    if (inner === undefined) throw refused(`${field.name}.fields`, 'fields of the dialect', name);
    if (!inner.bulk) add(parts, inner, checkValue(field, inner, value, limits));
  }
  const partsBytes = sizeOf(parts);
  if (partsBytes > limits.maxBufferedMessageBytes) {
    const limit = limits.maxBufferedMessageBytes;
    throw new LimitError(`${field.name} has ${partsBytes} bytes, at most ${limit} are sent`, { layer: PROTOBUF, limit, got: partsBytes });
  }
  const bulk = table.bulk;
  const { body, length } = bulk === undefined ? NO_BODY : checkBody(field, bulk, fields[bulk.name]);
  return { field, parts, partsBytes, bulk, body, bodyBytes: length };
}

function checkScalars(table: MessageTable, message: Plain): Part[] {
  const parts: Part[] = [];
  for (const name of Object.keys(message)) {
    if (name === 'oneof' || name === 'fields') continue;
    const value = message[name];
    if (value === undefined) continue;
    const field = table.byName.get(name);
    if (field === undefined || field.table !== undefined) throw refused(table.name, 'its scalars, oneof and fields', name);
    add(parts, field, field.type === 'enum' ? checkStatus(table, field, value) : checkInteger(table, field, value, 0, 0xffffffff));
  }
  return parts;
}

function add(parts: Part[], field: Field, value: number | string | Uint8Array): void {
  const part = partOf(field, value);
  if (part !== undefined) parts.push(part);
}

function checkStatus(table: MessageTable, field: Field, value: unknown): number {
  const number = typeof value === 'string' ? statusNumber(value) : undefined;
  if (number === undefined) throw refused(pathOf(table, field), 'the name of a status', value);
  return number;
}

function checkValue(arm: Named, field: Field, value: unknown, limits: Limits): number | string | Uint8Array {
  if (field.type === 'int32') return checkInteger(arm, field, value, -0x80000000, 0x7fffffff);
  if (field.type === 'bytes') {
    if (!(value instanceof Uint8Array)) throw refused(pathOf(arm, field), 'a Buffer or Uint8Array', value);
    return value;
  }
  if (typeof value !== 'string') throw refused(pathOf(arm, field), 'a string', value);
  // An encoder writes U+FFFD for a lone surrogate, so the name that is sent would differ from the caller's.
  if (!value.isWellFormed()) {
    throw new InvalidArgumentError(`${pathOf(arm, field)} has a lone surrogate`, { layer: PROTOBUF, expected: 'well-formed text' });
  }
  // A UTF-16 code unit takes at most three bytes of UTF-8, so most names need no exact count.
  if (field.name === FILE_NAME && value.length * 3 > limits.maxFileNameBytes) checkNameLength(arm, field, value, limits);
  return value;
}

function checkNameLength(arm: Named, field: Field, value: string, limits: Limits): void {
  const bytes = Buffer.byteLength(value);
  if (bytes <= limits.maxFileNameBytes) return;
  throw new LimitError(`${pathOf(arm, field)} has ${bytes} bytes, at most ${limits.maxFileNameBytes} are sent`, {
    layer: PROTOBUF,
    limit: limits.maxFileNameBytes,
    got: bytes,
  });
}

function checkInteger(owner: Named, field: Field, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw refused(pathOf(owner, field), `${min}..${max}`, value);
}

function checkBody(arm: Named, bulk: Field, value: unknown): { body: Body; length: number } {
  if (value === undefined) return NO_BODY;
  if (value instanceof Uint8Array) return value.length === 0 ? NO_BODY : { body: value, length: value.length };
  const body: Partial<BodySource> = value instanceof IncomingBody ? { length: value.length, source: value } : (value as BodySource);
  const source: unknown = body?.source;
  const path = pathOf(arm, bulk);
  if (typeof source !== 'object' || source === null || !(Symbol.asyncIterator in source)) {
    throw refused(path, 'a Buffer, or a length and a source', value);
  }
  const { length } = body;
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
    throw refused(`${path}.length`, `0..${Number.MAX_SAFE_INTEGER}`, length);
  }
  return { body: body as BodySource, length };
}

/** The path of a field in the messages of errors. */
function pathOf(owner: Named, field: Field): string {
  return `${owner.name}.${field.name}`;
}

/** Shows numbers and the first 64 characters of strings; of any other value only its type. */
function refused(path: string, expected: string, got: unknown): InvalidArgumentError {
  const shown = typeof got === 'number' || typeof got === 'bigint' ? got : typeof got === 'string' ? got.slice(0, 64) : typeof got;
  return new InvalidArgumentError(`${path} takes ${expected}, got ${shown}`, { layer: PROTOBUF, expected, got: shown });
}
