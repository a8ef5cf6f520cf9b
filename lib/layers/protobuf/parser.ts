import { asBuffer } from '../../core/as-buffer.js';
import type { ByteQueue } from '../../core/byte-queue.js';
import { givenRecord } from '../../core/check.js';
import { LimitError, ProtobufError } from '../../core/errors.js';
import { checkHead, checkText, cutOff, FieldCounter, knownFields } from './check-fields.js';
import type { ProtobufLimits } from './options.js';
import { type Field, type MessageTable, PROTOBUF, statusName } from './schema.js';
import { type FieldHead, MAX_HEAD_BYTES, readFieldHead } from './wire.js';

/** An arm with a bulk field is kept whole up to this size (or the limit, if lower). A larger arm is read field by field. */
export const STREAM_FROM_BYTES = 65_536;
/** Lengths from here on are refused, except for a bulk field and the arm around it. */
const MAX_PLAIN_LENGTH = 2 ** 32;

/** A message without static types. It is a `WholeMessage` for the compiler once its envelope is known. */
export interface PlainMessage {
  context: number;
  status?: string;
  oneof: string | null;
  fields?: Record<string, unknown>;
}

/** Throws `LimitError` when an announced length passes `maxMessageBytes`. */
export function checkMessageLength(length: number, limits: Readonly<Required<ProtobufLimits>>): void {
  if (length > limits.maxMessageBytes) {
    throw new LimitError(`a message of ${length} bytes, at most ${limits.maxMessageBytes} are taken`, {
      layer: PROTOBUF,
      limit: limits.maxMessageBytes,
      got: length,
    });
  }
}

/**
 * Reads one envelope of known length from a queue that is still being filled.
 *
 *     ┌─────────┬──────────────────────────────────────────────┬─────────┐
 *     │ scalars │ arm: tag length ┊ file_name ┊ data: tag length │ scalars │
 *     └─────────┴──────────────────────────────────────────────┴─────────┘
 *       read       kept whole up to 64 KiB; above, field by field,  read
 *                  data handed out as it comes if the arm ends with it
 *
 * If there are several arms, only the last one counts, as in the original. If a scalar or an inner field is repeated, its last
 * value counts. Unknown fields are skipped and not kept. The kept fields of an arm are decoded by the generated code.
 */
export class MessageParser {
  /** Bytes of the message. */
  readonly length: number;
  readonly #table: MessageTable;
  readonly #limits: Readonly<Required<ProtobufLimits>>;
  readonly #counter: FieldCounter;
  /** The scalars of the envelope. */
  #context = 0;
  #status = 'UNSET';
  #arm: Field | undefined;
  /** The kept fields of the arm, in the order in which they came. */
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** The offset where the arm ends, while the arm is read field by field. */
  #armEnd: number | undefined;
  #offset = 0;
  #skip = 0;
  #collect: { bytes: number; keep: (bytes: Buffer, base: number) => void } | undefined;
  #bodyLeft = 0;
  #done = false;
  /** The message, if it was given before its body had come. */
  #early: PlainMessage | undefined;

  /** Throws `LimitError` when the announced length passes `maxMessageBytes`. */
  constructor(table: MessageTable, length: number, limits: Readonly<Required<ProtobufLimits>>) {
    checkMessageLength(length, givenRecord('limits', limits));
    this.#table = givenRecord('table', table);
    this.length = length;
    this.#limits = limits;
    this.#counter = new FieldCounter(limits.maxFields);
  }

  /** True when the message is complete and valid. */
  get done(): boolean {
    return this.#done;
  }

  /** Bytes of the body that the caller must take with `takeBody`. Until then `step` gives nothing. */
  get bodyLeft(): number {
    return this.#bodyLeft;
  }

  /** Name of the arm's bulk field, if the last arm has one. */
  get bulkName(): string | undefined {
    return this.#arm?.table?.bulk?.name;
  }

  /**
   * Reads on with the bytes in `queue`. Gives the message once: at its end, or when its body begins (then `bodyLeft` is
   * not 0 and the bulk field is missing). Otherwise it returns `undefined`: the message is done, or there is a body to take, or
   * more input is needed.
   */
  step(queue: ByteQueue): PlainMessage | undefined {
    while (this.#bodyLeft === 0 && !this.#done) {
      if (this.#skip > 0) {
        const count = Math.min(this.#skip, queue.length);
        queue.skip(count);
        this.#skip -= count;
        this.#offset += count;
        if (this.#skip > 0) return undefined;
      }
      if (this.#collect !== undefined) {
        const { bytes, keep } = this.#collect;
        if (queue.length < bytes) return undefined;
        this.#collect = undefined;
        this.#offset += bytes;
        keep(queue.take(bytes), this.#offset - bytes);
      } else if (this.#offset === this.#armEnd) {
        this.#armEnd = undefined;
      } else if (this.#offset === this.length) {
        this.#done = true;
        return this.#finish();
      } else if (!this.#field(queue)) {
        return undefined;
      } else if (this.#bodyLeft > 0) {
        this.#early = this.#build();
        return this.#early;
      }
    }
    /* c8 ignore next 2 -- both callers look at `done` and `bodyLeft` first */
    return undefined;
  }

  /** Takes the next bytes of the body that are in one piece, without a copy. */
  takeBody(queue: ByteQueue): Buffer {
    const chunk = queue.takeSome(this.#bodyLeft);
    this.#bodyLeft -= chunk.length;
    this.#offset += chunk.length;
    return chunk;
  }

  /** The rest of the body is to be skipped. */
  skipBody(): void {
    this.#skip = this.#bodyLeft;
    this.#bodyLeft = 0;
  }

  #pass(queue: ByteQueue, count: number): void {
    this.#offset += count;
    queue.skip(count);
  }

  /** Reads the head of one field and decides what happens to its rest. False when more input is needed. */
  #field(queue: ByteQueue): boolean {
    const left = (this.#armEnd ?? this.length) - this.#offset;
    const view = queue.peek(Math.min(MAX_HEAD_BYTES, queue.length, left));
    const head = readFieldHead(view, 0, this.#offset);
    if (head === undefined) {
      if (view.length === left) throw cutOff(this.#offset);
      return false;
    }
    const room = left - head.headBytes;
    if (head.restBytes > room) throw cutOff(this.#offset, { expected: head.restBytes, got: room });
    const field = (this.#armEnd === undefined ? this.#table : this.#arm?.table)?.byNumber.get(head.number);
    if (field !== undefined) checkHead(field, head, this.#offset, this.#limits);
    if (head.restBytes >= MAX_PLAIN_LENGTH && field?.bulk !== true && field?.table?.bulk === undefined) {
      throw new ProtobufError(`field ${head.number} at offset ${this.#offset} has ${head.restBytes} bytes`, {
        layer: PROTOBUF,
        expected: `less than ${MAX_PLAIN_LENGTH}`,
        got: head.restBytes,
        offset: this.#offset,
      });
    }
    if (field?.bulk) this.#bulk(queue, head, room);
    else {
      this.#counter.add();
      if (field === undefined) this.#skipField(queue, head);
      else if (field.table !== undefined) this.#openArm(queue, field, field.table, head);
      else if (this.#armEnd === undefined) this.#scalar(queue, field, head);
      else this.#innerField(field, head);
    }
    return true;
  }

  #skipField(queue: ByteQueue, head: FieldHead): void {
    this.#pass(queue, head.headBytes);
    this.#skip = head.restBytes;
  }

  #scalar(queue: ByteQueue, field: Field, head: FieldHead): void {
    // All scalars of the envelopes have wire type 0, so the head is the whole field.
    this.#pass(queue, head.headBytes);
    // For a number outside of the enum, the original leaves the status as it was.
    if (field.type === 'enum') this.#status = statusName(head.value) ?? this.#status;
    else this.#context = head.value >>> 0;
  }

  #openArm(queue: ByteQueue, field: Field, table: MessageTable, head: FieldHead): void {
    if (this.#early !== undefined) {
      throw new ProtobufError(`a second arm, ${field.name}, at offset ${this.#offset}: the first one's body was handed on already`, {
        layer: PROTOBUF,
        got: field.name,
        offset: this.#offset,
      });
    }
    const bulk = table.bulk !== undefined && head.restBytes > Math.min(STREAM_FROM_BYTES, this.#limits.maxBufferedMessageBytes);
    if (!bulk) this.#checkKept(field, head.restBytes);
    this.#pass(queue, head.headBytes);
    this.#arm = field;
    this.#kept = [];
    this.#keptBytes = 0;
    if (bulk) this.#armEnd = this.#offset + head.restBytes;
    else this.#collectRest(table, head.restBytes);
  }

  /** A field of an arm that is read field by field, but not the bulk field. */
  #innerField(field: Field, head: FieldHead): void {
    const bytes = head.headBytes + head.restBytes;
    this.#checkKept(field, this.#keptBytes + bytes);
    this.#collect = {
      bytes,
      keep: (whole, base) => {
        checkText(field, whole.subarray(head.headBytes), base);
        this.#kept.push(whole);
        this.#keptBytes += bytes;
      },
    };
  }

  /** The bulk field. It becomes a streamed body if the arm ends with it. Otherwise the rest of the arm is kept in memory. */
  #bulk(queue: ByteQueue, head: FieldHead, room: number): void {
    if (head.restBytes === room && room > 0) {
      this.#counter.add();
      this.#pass(queue, head.headBytes);
      this.#bodyLeft = room;
      return;
    }
    const arm = this.#arm as Field;
    this.#checkKept(arm, this.#keptBytes + head.headBytes + room);
    this.#armEnd = undefined;
    this.#collectRest(arm.table as MessageTable, head.headBytes + room);
  }

  #collectRest(table: MessageTable, bytes: number): void {
    const keep = (rest: Buffer, base: number) => {
      // One at a time: there may be more parts than a call can take as arguments.
      for (const part of knownFields(table, rest, base, this.#limits, this.#counter)) this.#kept.push(part);
    };
    this.#collect = { bytes, keep };
  }

  #checkKept(field: Field, bytes: number): void {
    const limit = this.#limits.maxBufferedMessageBytes;
    if (bytes <= limit) return;
    throw new LimitError(`${field.name} needs ${bytes} bytes in memory, at most ${limit} are kept`, {
      layer: PROTOBUF,
      limit,
      got: bytes,
      offset: this.#offset,
    });
  }

  #finish(): PlainMessage | undefined {
    const early = this.#early;
    if (early === undefined) return this.#build();
    early.context = this.#context;
    if (early.status !== undefined) early.status = this.#status;
    return undefined;
  }

  #build(): PlainMessage {
    const arm = this.#arm;
    const message = plainMessage(this.#table, this.#context, this.#status, arm);
    if (arm?.table === undefined) return message;
    const decoded = decode(arm.table, this.#kept);
    const fields: Record<string, unknown> = {};
    for (const { name, type } of arm.table.fields) fields[name] = type === 'bytes' ? asBuffer(decoded[name] as Uint8Array) : decoded[name];
    message.fields = fields;
    return message;
  }
}

/** A message without the fields of its arm. */
export function plainMessage(table: MessageTable, context: number, status: string, arm: Field | undefined): PlainMessage {
  const oneof = arm === undefined ? null : arm.name;
  return table.defaults.status === undefined ? { context, oneof } : { context, status, oneof };
}

function decode(table: MessageTable, parts: readonly Buffer[]): Readonly<Record<string, unknown>> {
  const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  try {
    return table.coder.decode(bytes) as Record<string, unknown>;
    /* c8 ignore next 3 -- every field of it has been checked: this guards against a fault of the generated code */
  } catch (cause) {
    throw new ProtobufError(`${table.name} cannot be decoded`, { layer: PROTOBUF, got: bytes.length, cause });
  }
}
