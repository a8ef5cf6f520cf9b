import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import { Announce, type MessageChunk } from '../../core/unit.js';
import { cutOff, faultOfMessage, type Label, malformedMessage, type OnMalformed, tooLong } from './faults.js';
import { readWhole } from './message.js';
import type { WholeMessage } from './messages.js';
import type { ProtobufLimits } from './options.js';
import { checkMessageLength } from './parser.js';
import type { EnvelopeName, MessageTable } from './schema.js';

/**
 * Announced bytes in, messages out. Each message is given when all of it has come, so there is no body to read.
 *
 *     Announce(26) <26 bytes>
 *       ──▶  { context: 0, oneof: 'write_file', fields: { file_name: 'in.bin', data: <14 bytes> } }
 *
 * It keeps at most one message of `maxMessageBytes` and the last chunk. Errors are those of `ProtobufDecoder`.
 * @see ProtobufEncoder
 */
export class WholeProtobufDecoder<E extends EnvelopeName> implements Codec<MessageChunk, WholeMessage<E>> {
  readonly #table: MessageTable;
  readonly #limits: Readonly<Required<ProtobufLimits>>;
  readonly #onMalformed: OnMalformed;
  readonly #label: Label;
  readonly #queue = new ByteQueue();
  /** Length of the current message; undefined between messages. */
  #length: number | undefined;
  #message: WholeMessage<E> | undefined;

  constructor(table: MessageTable, limits: Readonly<Required<ProtobufLimits>>, onMalformed: OnMalformed, label: Label) {
    this.#table = table;
    this.#limits = limits;
    this.#onMalformed = onMalformed;
    this.#label = label;
  }

  push(chunk: MessageChunk): void {
    if (chunk instanceof Announce) {
      this.end();
      checkMessageLength(chunk.length, this.#limits);
      this.#length = chunk.length;
      if (chunk.length === 0) this.#read(Buffer.alloc(0));
      return;
    }
    if (chunk.length === 0) return;
    const due = (this.#length ?? 0) - this.#queue.length;
    if (chunk.length > due) throw tooLong(due, chunk.length);
    if (chunk.length === this.#length) {
      this.#read(chunk);
      return;
    }
    this.#queue.push(chunk);
    if (chunk.length === due) this.#read(this.#queue.take(this.#queue.length));
  }

  next(): WholeMessage<E> | undefined {
    const message = this.#message;
    this.#message = undefined;
    return message;
  }

  end(): void {
    if (this.#length !== undefined) throw cutOff('the input ended', this.#length, this.#queue.length);
  }

  #read(bytes: Buffer): void {
    this.#length = undefined;
    try {
      this.#message = readWhole(this.#table, bytes, this.#limits) as unknown as WholeMessage<E>;
    } catch (thrown) {
      const fault = this.#onMalformed === 'give' ? faultOfMessage(thrown, this.#label) : undefined;
      if (fault === undefined) throw thrown;
      this.#message = malformedMessage<E>(this.#table, fault);
    }
  }
}
