import { ByteQueue } from '../../core/byte-queue.js';
import type { VeracruzError } from '../../core/errors.js';
import {
  envelopeTable,
  type Field,
  FieldCounter,
  type FieldHead,
  MessageParser,
  type MessageTable,
  type PlainMessage,
  PROTOBUF_DEFAULTS,
  readFieldHead,
  statusName,
} from '../../layers/protobuf/index.js';
import type { Reading } from './reading.js';
import type { Region, Remarks, Row, Rows } from './region.js';
import { verdict } from './region.js';

const LAYER = 'protobuf';
/** The largest limits that the options allow. Inspect also shows messages that a role would refuse by its own limits. */
const LIMITS = Object.freeze({
  maxMessageBytes: Number.MAX_SAFE_INTEGER,
  maxBufferedMessageBytes: 2 ** 30,
  maxFileNameBytes: 2 ** 30,
  maxFields: 2 ** 20,
});

/** Progress through the fields of one message. */
interface Walk {
  readonly region: Region;
  /** Length that was announced for the message, in bytes. More than `region` has when the message is cut short. */
  readonly announced: number;
  /** Offset of the fault that the real parser found. */
  readonly stop: number | undefined;
  readonly counter: FieldCounter;
  at: number;
}

/**
 * The rows of one message, which is all of `region` and should have `announced` bytes. A message that is cut short is not a
 * fault here, since the layer that announced its length reports that.
 */
export function* protobufRows(region: Region, reading: Reading, announced = region.bytes.length): Rows {
  const table = envelopeTable(reading.type, reading.dialect);
  const { message, error } = parse(table, region.bytes, announced);
  yield region.group(LAYER, reading.type, 0, region.bytes.length, { name: message?.oneof ?? 'no arm' });
  const walk: Walk = { region, announced, stop: error?.offset, counter: new FieldCounter(LIMITS.maxFields), at: 0 };
  try {
    yield* fieldRows(walk, table, region.within(), announced);
  } catch (thrown) {
    if (error === undefined) throw thrown;
  }
  if (error !== undefined) throw region.fault(error, walk.at);
}

/** Runs the real parser on the bytes. Gives the message, and the error if there is one. */
function parse(
  table: MessageTable,
  bytes: Buffer,
  announced: number,
): { message: PlainMessage | undefined; error: VeracruzError | undefined } {
  let message: PlainMessage | undefined;
  const error = verdict(LAYER, () => {
    const queue = new ByteQueue();
    queue.push(bytes);
    const parser = new MessageParser(table, announced, LIMITS);
    message = parser.step(queue);
    while (parser.bodyLeft > 0 && queue.length > 0) parser.takeBody(queue);
    if (parser.bodyLeft === 0) parser.step(queue);
  });
  return { message, error };
}

/** The rows of the fields from `walk.at` to `end`. `region` covers the whole message, at the depth of these fields. */
function* fieldRows(walk: Walk, table: MessageTable, region: Region, end: number): Rows {
  const bytes = region.bytes.subarray(0, end);
  while (walk.at < bytes.length && walk.at !== walk.stop) {
    const { at } = walk;
    const head = readFieldHead(bytes, at, 0);
    if (head === undefined || at + head.headBytes + head.restBytes > end) return;
    walk.counter.add();
    const value = at + head.headBytes;
    const got = Math.min(head.restBytes, bytes.length - value);
    const field = table.byNumber.get(head.number);
    if (field?.table !== undefined) {
      yield region.group(LAYER, field.name, at, head.headBytes + got);
      yield region.within().field(LAYER, 'tag and length', at, head.headBytes, { value: head.restBytes });
      walk.at = value;
      yield* fieldRows(walk, field.table, region.within(), value + head.restBytes);
      if (walk.at < value + got) return;
    } else {
      yield* plainRows(region, field, head, at, got);
      walk.at = value + got;
    }
  }
}

/** The rows of a field without nested fields: its head, and the bytes after the head. */
function* plainRows(region: Region, field: Field | undefined, head: FieldHead, at: number, got: number): Generator<Row> {
  if (field === undefined) {
    yield region.field(LAYER, `field ${head.number}`, at, head.headBytes + got, { note: 'not in the schema of the dialect: skipped' });
  } else if (field.type === 'string' || field.type === 'bytes') {
    const value = at + head.headBytes;
    const content = region.bytes.subarray(value, value + got);
    const cut = got < head.restBytes ? `${got} of ${head.restBytes} bytes` : undefined;
    const long = field.name === 'file_name' && head.restBytes > PROTOBUF_DEFAULTS.maxFileNameBytes;
    const note = cut ?? (long ? `more than maxFileNameBytes by default, ${PROTOBUF_DEFAULTS.maxFileNameBytes}` : undefined);
    yield region.field(LAYER, `${field.name} (tag and length)`, at, head.headBytes, { value: head.restBytes });
    yield region.field(LAYER, field.name, value, got, {
      value: field.type === 'string' ? content.toString('utf8') : content,
      ...(note !== undefined && { note }),
    });
  } else {
    yield region.field(LAYER, field.name, at, head.headBytes, scalar(field, head));
  }
}

function scalar(field: Field, head: FieldHead): Remarks {
  if (field.type === 'enum') {
    const name = statusName(head.value);
    return name === undefined ? { value: head.value, note: 'not in the enum: ignored' } : { value: head.value, name };
  }
  if (field.type === 'int32') return { value: head.value };
  const value = head.value >>> 0;
  // This is the envelope's `context`, the only uint32 of the schema.
  return value === 0 ? { value } : { value, note: 'never set by an original peer' };
}
