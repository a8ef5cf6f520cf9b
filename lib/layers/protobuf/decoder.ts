import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import { Announce, type MessageChunk } from '../../core/unit.js';
import { cutOff, faultOfMessage, type Label, malformedMessage, type OnMalformed, tooLong } from './faults.js';
import { BodyFeed, IncomingBody } from './incoming-body.js';
import type { Received } from './messages.js';
import type { ProtobufLimits } from './options.js';
import { checkMessageLength, MessageParser, type PlainMessage } from './parser.js';
import { readPlain } from './plain.js';
import type { EnvelopeName, MessageTable } from './schema.js';

/**
 * Announced bytes in, messages out. A message with a long body is given as soon as its head is read.
 *
 *     Announce(700016) <16 bytes> <65536 bytes> …
 *       ──▶  { context: 0, oneof: 'write_file', fields: { file_name: 'in.bin', data: IncomingBody(700000) } }
 *
 * Raises `ProtobufError`, `LimitError`, and `TruncatedError` when the input ends inside a message.
 * @see ProtobufEncoder
 */
export class ProtobufDecoder<E extends EnvelopeName> implements Codec<MessageChunk, Received<E>> {
  readonly #table: MessageTable;
  readonly #limits: Readonly<Required<ProtobufLimits>>;
  readonly #onMalformed: OnMalformed;
  readonly #label: Label;
  readonly #queue = new ByteQueue();
  /** Length of the current message; undefined between messages. */
  #length: number | undefined;
  /** Bytes of the current message that have not come yet. */
  #due = 0;
  /** Reads the current message, unless `readPlain` could read it in one pass. */
  #parser: MessageParser | undefined;
  #plain: Received<E> | undefined;
  #feed: BodyFeed | undefined;
  /** The current message is malformed, and the rest of it is discarded. */
  #discarding = false;

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
      this.#length = this.#due = chunk.length;
      if (chunk.length === 0) this.#parser = new MessageParser(this.#table, 0, this.#limits);
      return;
    }
    if (chunk.length > this.#due) throw tooLong(this.#due, chunk.length);
    if (chunk.length === 0) return;
    this.#due -= chunk.length;
    if (chunk.length === this.#length) {
      this.#plain = this.#readPlain(chunk);
      if (this.#plain !== undefined) return;
    }
    this.#parser ??= new MessageParser(this.#table, this.#length as number, this.#limits);
    this.#queue.push(chunk);
  }

  next(): Received<E> | undefined | Promise<Received<E> | undefined> {
    const plain = this.#plain;
    if (plain !== undefined) {
      this.#over();
      return plain;
    }
    const parser = this.#parser;
    if (parser === undefined) return undefined;
    if (this.#discarding) return this.#discard();
    while (!parser.done) {
      if (parser.bodyLeft > 0) {
        const room = this.#moveBody(parser);
        if (room !== undefined) return room.then(() => this.next());
        if (parser.bodyLeft > 0) return undefined;
      }
      let message: PlainMessage | undefined;
      try {
        message = parser.step(this.#queue);
      } catch (thrown) {
        return this.#malformed(thrown);
      }
      if (message !== undefined) return this.#withBody(message, parser);
      if (!parser.done && parser.bodyLeft === 0) return undefined;
    }
    this.#feed?.end();
    this.#over();
    return undefined;
  }

  end(): void {
    if (this.#length !== undefined) throw cutOff('the input ended', this.#length, this.#length - this.#due);
  }

  destroy(error: Error | null): void {
    if (this.#length !== undefined) this.#feed?.fail(error ?? cutOff('the stack was closed', this.#length, this.#length - this.#due));
    this.#over();
  }

  /** The current message was read, or is given up. */
  #over(): void {
    this.#length = undefined;
    this.#parser = undefined;
    this.#plain = undefined;
    this.#feed = undefined;
  }

  #readPlain(chunk: Buffer): Received<E> | undefined {
    const message = readPlain(this.#table, chunk, this.#limits);
    if (message?.fields === undefined) return message as Received<E> | undefined;
    const bulk = this.#table.byName.get(message.oneof as string)?.table?.bulk;
    if (bulk !== undefined) message.fields[bulk.name] = IncomingBody.whole(message.fields[bulk.name] as Buffer);
    return message as unknown as Received<E>;
  }

  /** Passes on the bytes of the body that have come. Returns a promise when the body's reader must catch up first. */
  #moveBody(parser: MessageParser): Promise<void> | undefined {
    const feed = this.#feed as BodyFeed;
    while (!feed.abandoned && this.#queue.length > 0 && parser.bodyLeft > 0) {
      const room = feed.write(parser.takeBody(this.#queue));
      if (!room && parser.bodyLeft > 0) return feed.room();
    }
    if (feed.abandoned) parser.skipBody();
    return undefined;
  }

  /** Puts a body into the bulk field: one that is still arriving, or one that is complete. */
  #withBody(message: PlainMessage, parser: MessageParser): Received<E> {
    const { fields } = message;
    const name = parser.bulkName;
    if (fields !== undefined && name !== undefined) {
      if (parser.bodyLeft > 0) this.#feed = new BodyFeed(parser.bodyLeft);
      fields[name] = this.#feed?.body ?? IncomingBody.whole(fields[name] as Buffer);
    }
    return message as unknown as Received<E>;
  }

  #malformed(thrown: unknown): Received<E> | undefined {
    const fault = this.#onMalformed === 'give' ? faultOfMessage(thrown, this.#label) : undefined;
    if (fault === undefined) throw thrown;
    this.#discarding = true;
    const feed = this.#feed;
    this.#feed = undefined;
    feed?.fail(fault);
    // If a body was given already, it fails with the error, and no second item is given.
    return feed !== undefined ? this.#discard() : malformedMessage<E>(this.#table, fault);
  }

  #discard(): undefined {
    this.#queue.skip(this.#queue.length);
    if (this.#due > 0) return undefined;
    this.#discarding = false;
    this.#over();
    return undefined;
  }
}
