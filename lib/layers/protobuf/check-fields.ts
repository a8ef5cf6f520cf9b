/** Checks the fields of a message that is in memory, before the generated code decodes it. */
import { isUtf8 } from 'node:buffer';
import { LimitError, ProtobufError } from '../../core/errors.js';
import type { ProtobufLimits } from './options.js';
import { FILE_NAME, type Field, type MessageTable, PROTOBUF } from './schema.js';
import { type FieldHead, readFieldHead } from './wire.js';

type Limits = Readonly<Required<ProtobufLimits>>;

/** Counts the fields of one message, those of its arm included. Throws `LimitError` when there are too many. */
export class FieldCounter {
  #count = 0;
  readonly #max: number;
  constructor(max: number) {
    this.#max = max;
  }
  /** Counts one more field. */
  add(): void {
    if (++this.#count > this.#max) {
      throw new LimitError(`more than ${this.#max} fields in a message`, { layer: PROTOBUF, limit: this.#max, got: this.#count });
    }
  }
}

/** The error for a field that is longer than the message around it. */
export function cutOff(offset: number, figures: { expected?: number; got?: number } = {}): ProtobufError {
  return new ProtobufError(`the field at offset ${offset} reaches past the end of its message`, { layer: PROTOBUF, ...figures, offset });
}

/** Refuses a known field of another wire type and a file name over its limit. The head of the field is enough to tell. */
export function checkHead(field: Field, head: FieldHead, offset: number, limits: Limits): void {
  if (field.wire !== head.wire) {
    throw new ProtobufError(`${field.name} at offset ${offset} has wire type ${head.wire} in place of ${field.wire}`, {
      layer: PROTOBUF,
      expected: field.wire,
      got: head.wire,
      offset,
    });
  }
  if (field.name === FILE_NAME && head.restBytes > limits.maxFileNameBytes) {
    throw new LimitError(`a file name of ${head.restBytes} bytes, at most ${limits.maxFileNameBytes} are taken`, {
      layer: PROTOBUF,
      limit: limits.maxFileNameBytes,
      got: head.restBytes,
      offset,
    });
  }
}

/** Refuses text that is not UTF-8. A lenient reader would turn two different names into the same one. */
export function checkText(field: Field, bytes: Buffer, offset: number): void {
  if (field.type === 'string' && !isUtf8(bytes)) {
    throw new ProtobufError(`${field.name} at offset ${offset} is not UTF-8`, { layer: PROTOBUF, got: bytes.length, offset });
  }
}

/**
 * Checks all fields of a message that has no sub-messages. Returns the fields that the table has, as slices of `bytes`; the
 * generated decoder gets nothing else. `base` is the offset of `bytes` in the whole message.
 */
export function knownFields(table: MessageTable, bytes: Buffer, base: number, limits: Limits, counter: FieldCounter): Buffer[] {
  const known: Buffer[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const offset = base + at;
    const head = readFieldHead(bytes, at, base);
    if (head === undefined) throw cutOff(offset);
    counter.add();
    const value = at + head.headBytes;
    if (head.restBytes > bytes.length - value) throw cutOff(offset, { expected: head.restBytes, got: bytes.length - value });
    const next = value + head.restBytes;
    const field = table.byNumber.get(head.number);
    if (field === undefined) {
      if (at > start) known.push(bytes.subarray(start, at));
      start = next;
    } else {
      checkHead(field, head, offset, limits);
      checkText(field, bytes.subarray(value, next), offset);
    }
    at = next;
  }
  if (start < bytes.length) known.push(bytes.subarray(start));
  return known;
}
