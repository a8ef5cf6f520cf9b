import { ByteQueue } from '../../core/byte-queue.js';
import type { Codec } from '../../core/codec.js';
import type { Connection } from '../../core/connection.js';
import { LimitError, ProtobufError, TruncatedError } from '../../core/errors.js';
import { Announce, type MessageChunk } from '../../core/unit.js';
import { BodyFeed } from './incoming-body.js';
import type { Received } from './messages.js';
import type { ProtobufLimits } from './options.js';
import { MessageParser, type PlainMessage } from './parser.js';
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
  /** The message that is being read. */
  #parser: MessageParser | undefined;
  #feed: BodyFeed | undefined;
  /** Bytes of the message that have not come yet. */
  #due = 0;
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
      this.#parser = new MessageParser(this.#table, chunk.length, this.#limits);
      this.#due = chunk.length;
      return;
    }
    if (chunk.length > this.#due) {
      throw new ProtobufError(`${chunk.length} bytes where ${this.#due} are left of the announced message`, {
        expected: this.#due,
        got: chunk.length,
      });
    }
    this.#due -= chunk.length;
    this.#queue.push(chunk);
  }

  next(): Received<E> | undefined | Promise<Received<E> | undefined> {
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
    this.#feed = undefined;
    this.#parser = undefined;
    return undefined;
  }

  end(): void {
    const parser = this.#parser;
    if (parser === undefined) return;
    throw this.#truncated(parser, 'the input ended');
  }

  destroy(error: Error | null): void {
    const parser = this.#parser;
    this.#parser = undefined;
    if (parser !== undefined) this.#feed?.fail(error ?? this.#truncated(parser, 'the stack was closed'));
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
      const whole = fields[name] as Buffer;
      const feed = new BodyFeed(parser.bodyLeft > 0 ? parser.bodyLeft : whole.length);
      if (parser.bodyLeft > 0) this.#feed = feed;
      else {
        feed.write(whole);
        feed.end();
      }
      fields[name] = feed.body;
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
    this.#parser = undefined;
    return undefined;
  }

  #truncated(parser: MessageParser, what: string): TruncatedError {
    const got = parser.length - this.#due;
    return new TruncatedError(`${what} after ${got} of the ${parser.length} bytes of a message`, { expected: parser.length, got });
  }
}
