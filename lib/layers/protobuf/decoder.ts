import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import type { Connection } from '../../core/connection.js';
import { LimitError, ProtobufError, TruncatedError } from '../../core/errors.js';
import { Announce, type MessageChunk } from '../../core/unit.js';
import { BodyFeed, IncomingBody } from './incoming-body.js';
import type { Received } from './messages.js';
import type { ProtobufLimits } from './options.js';
import { checkMessageLength, MessageParser, type PlainMessage } from './parser.js';
import { readPlain } from './plain.js';
import type { EnvelopeName, MessageTable } from './schema.js';

/** What becomes of a message that is no message: the end of the stream, or an item that says so. */
export type OnMalformed = 'fail' | 'give';

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
  readonly #label: { layer: string; connection: Connection | undefined };
  readonly #queue = new ByteQueue();
  /** Length of the message that is being read; undefined between messages. */
  #length: number | undefined;
  /** Bytes of it that have not come yet. */
  #due = 0;
  /** Reads the message, unless all of it came at once and was plain. */
  #parser: MessageParser | undefined;
  #plain: Received<E> | undefined;
  #feed: BodyFeed | undefined;
  /** The message is malformed, and its rest is thrown away. */
  #discarding = false;

  constructor(
    table: MessageTable,
    limits: Readonly<Required<ProtobufLimits>>,
    onMalformed: OnMalformed,
    label: { layer: string; connection: Connection | undefined },
  ) {
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
    if (chunk.length > this.#due) {
      throw new ProtobufError(`${chunk.length} bytes where ${this.#due} are left of the announced message`, {
        expected: this.#due,
        got: chunk.length,
      });
    }
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
    if (this.#length !== undefined) throw this.#truncated(this.#length, 'the input ended');
  }

  destroy(error: Error | null): void {
    if (this.#length !== undefined) this.#feed?.fail(error ?? this.#truncated(this.#length, 'the stack was closed'));
    this.#over();
  }

  /** The message was read, or nobody wants it. */
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

  /** Hands on what came of the body. A promise when its reader must catch up first. */
  #moveBody(parser: MessageParser): Promise<void> | undefined {
    const feed = this.#feed as BodyFeed;
    while (!feed.abandoned && this.#queue.length > 0 && parser.bodyLeft > 0) {
      const room = feed.write(parser.takeBody(this.#queue));
      if (!room && parser.bodyLeft > 0) return feed.room();
    }
    if (feed.abandoned) parser.skipBody();
    return undefined;
  }

  /** Puts a body in the place of the bulk field: one that is arriving, or one that is all there. */
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
    const answerable = thrown instanceof ProtobufError || thrown instanceof LimitError;
    if (this.#onMalformed === 'fail' || !answerable) throw thrown;
    thrown.layer ??= this.#label.layer;
    thrown.session ??= this.#label.connection?.session;
    this.#discarding = true;
    const feed = this.#feed;
    this.#feed = undefined;
    feed?.fail(thrown);
    // A body that was given already carries the error itself.
    if (feed !== undefined) return this.#discard();
    const status = this.#table.byName.has('status') ? { status: 'UNSET' } : {};
    return { context: 0, ...status, oneof: null, malformed: thrown } as unknown as Received<E>;
  }

  #discard(): undefined {
    this.#queue.skip(this.#queue.length);
    if (this.#due > 0) return undefined;
    this.#discarding = false;
    this.#over();
    return undefined;
  }

  #truncated(length: number, what: string): TruncatedError {
    const got = length - this.#due;
    return new TruncatedError(`${what} after ${got} of the ${length} bytes of a message`, { expected: length, got });
  }
}
