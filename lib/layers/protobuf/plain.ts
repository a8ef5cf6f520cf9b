/** The fast inbound path, for a message that is complete and written as encoders usually write it. */
import { isUtf8 } from 'node:buffer';
import type { ProtobufLimits } from './options.js';
import { type PlainMessage, plainMessage, STREAM_FROM_BYTES } from './parser.js';
import { FILE_NAME, type Field, type MessageTable, statusName, VARINT } from './schema.js';
import { sizeOfVarint } from './wire.js';

type Limits = Readonly<Required<ProtobufLimits>>;
type Fields = Record<string, unknown>;

/** No message has more fields than this if each comes at most once: 15 with tags of one byte, and 15 in its arm. */
const MOST_FIELDS = 30;
/** Text of up to this many bytes is checked here, because the call into Node costs more. */
const SHORT_TEXT_BYTES = 64;

/**
 * Reads a whole message in one pass. Returns `undefined` for any message that is out of the ordinary: then `MessageParser`
 * must read or refuse it. This function refuses nothing itself, and accepts nothing that the parser would refuse.
 *
 *     taken      known fields, each once, tags of one byte, varints of one to four, text in UTF-8, within all limits
 *     left       everything else: what is unknown, repeated, negative, cut off, overlong, too long, or no message at all
 *
 * Fields of type `bytes`, the bulk field included, are views of `bytes`.
 */
export function readPlain(table: MessageTable, bytes: Buffer, limits: Limits): PlainMessage | undefined {
  if (limits.maxFields < MOST_FIELDS) return undefined;
  let context = 0;
  let status = 'UNSET';
  let arm: Field | undefined;
  let fields: Fields | undefined;
  let seen = 0;
  for (let at = 0; at < bytes.length; ) {
    const field = table.byTag[bytes[at] as number];
    const value = readShort(bytes, at + 1);
    if (field === undefined || value < 0 || (seen & (1 << field.number)) !== 0) return undefined;
    seen |= 1 << field.number;
    at += 1 + sizeOfVarint(value);
    if (field.table !== undefined) {
      if (arm !== undefined) return undefined;
      arm = field;
      fields = readArm(field.table, bytes, at, at + value, limits);
      if (fields === undefined) return undefined;
      at += value;
    } else if (field.type === 'enum') {
      const name = statusName(value);
      if (name === undefined) return undefined;
      status = name;
    } else {
      context = value;
    }
  }
  const message = plainMessage(table, context, status, arm);
  if (fields !== undefined) message.fields = fields;
  return message;
}

function readArm(table: MessageTable, bytes: Buffer, start: number, end: number, limits: Limits): Fields | undefined {
  if (end > bytes.length) return undefined;
  const fields: Fields = { ...table.defaults };
  const { maxBufferedMessageBytes, maxFileNameBytes } = limits;
  const length = end - start;
  // The parser would not keep such a long arm whole. It is taken here only if it ends with a body and has little before it.
  const long = length > maxBufferedMessageBytes || (table.bulk !== undefined && length > STREAM_FROM_BYTES);
  let bodied = false;
  let seen = 0;
  for (let at = start; at < end; ) {
    const field = table.byTag[bytes[at] as number];
    const value = readShort(bytes, at + 1);
    if (field === undefined || value < 0 || (seen & (1 << field.number)) !== 0) return undefined;
    seen |= 1 << field.number;
    const from = at + 1 + sizeOfVarint(value);
    if (field.wire === VARINT) {
      fields[field.name] = value;
      at = from;
      continue;
    }
    const to = from + value;
    if (to > end) return undefined;
    if (field.type === 'string') {
      if (field.name === FILE_NAME && value > maxFileNameBytes) return undefined;
      const text = readText(bytes, from, to);
      if (text === undefined) return undefined;
      fields[field.name] = text;
    } else {
      fields[field.name] = bytes.subarray(from, to);
      bodied = field.bulk && to === end && value > 0 && at - start <= maxBufferedMessageBytes;
    }
    at = to;
  }
  return long && !bodied ? undefined : fields;
}

/** Reads a varint below 2^28 that has no needless bytes. -1 for any other varint, and when `bytes` ends inside it. */
function readShort(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return -1;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return byte === 0 && i > 0 ? -1 : value;
  }
  return -1;
}

function readText(bytes: Buffer, from: number, to: number): string | undefined {
  if (to - from <= SHORT_TEXT_BYTES && isAscii(bytes, from, to)) return bytes.toString('latin1', from, to);
  return isUtf8(bytes.subarray(from, to)) ? bytes.toString('utf8', from, to) : undefined;
}

function isAscii(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}
