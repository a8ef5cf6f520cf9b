/** The short inbound path: a message that is all there, and as an encoder writes it. */
import { isUtf8 } from 'node:buffer';
import type { ProtobufLimits } from './options.js';
import { type PlainMessage, plainMessage, STREAM_FROM_BYTES } from './parser.js';
import { FILE_NAME, type Field, type MessageTable, statusName, VARINT } from './schema.js';
import { sizeOfVarint } from './wire.js';

type Limits = Readonly<Required<ProtobufLimits>>;
type Fields = Record<string, unknown>;

/** More fields than a message can have when each comes at most once: 15 with tags of one byte, and 15 in its arm. */
const MOST_FIELDS = 30;
/** Text up to this long is looked at here: cheaper than the call into Node and back. */
const SHORT_TEXT_BYTES = 64;

/**
 * Reads a whole message in one pass. Gives `undefined` for all that needs a second look, and leaves it to `MessageParser`,
 * which reads everything and words every refusal: this refuses nothing, and takes nothing that the parser would not take.
 *
 *     taken      known fields, each once, tags of one byte, varints of one to four, text in UTF-8, within all limits
 *     left       everything else: what is unknown, repeated, negative, cut off, overlong, too long, or no message at all
 *
 * Fields of bytes are views of `bytes`, the bulk field too.
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
  // The parser would not keep such an arm as a whole: it must be one that ends with a body, behind little else.
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

/** A varint below 2^28 in as few bytes as it needs; -1 for any other, and where `bytes` end. */
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
