import { asBuffer } from '../../core/as-buffer.js';
import type { Codec } from '../../core/codec.js';
import { Announce, type MessageChunk } from '../../core/unit.js';
import { type Layout, layOut } from './layout.js';
import type { Sent } from './messages.js';
import type { ProtobufLimits } from './options.js';
import type { EnvelopeName, MessageTable } from './schema.js';
import { destroySource, SourceReader } from './source-reader.js';

/** A longer chunk of a body goes out in slices, so that no layer below has to process hundreds of MiB at once. */
const MAX_CHUNK_BYTES = 262_144;
/** A body in memory that is no longer than this is copied behind its head: one chunk costs less than two. */
const JOIN_BYTES = 4096;

/**
 * Messages in, announced bytes out. The body of a message is passed on as it comes and never collected.
 *
 *     { oneof: 'write_file', fields: { file_name: 'in.bin', data: { length: 700000, source } } }
 *       ──▶  Announce(700016) <16 bytes> <65536 bytes> <65536 bytes> …
 *
 * The source is read one chunk at a time, when the neighbour has room. It must give exactly `length` bytes; otherwise the
 * error is `LengthMismatchError`. The source is destroyed when the stack is destroyed or refuses the message. If a message
 * still waits in the buffer of this stream, its source is left to the caller, whose write fails.
 * @see ProtobufDecoder
 */
export class ProtobufEncoder<E extends EnvelopeName> implements Codec<Sent<E>, MessageChunk> {
  readonly #table: MessageTable;
  readonly #limits: Readonly<Required<ProtobufLimits>>;
  /** Next to go out: first `#announce`, then `#head`. */
  #announce: Announce | undefined;
  #head: Buffer | undefined;
  /** The rest of a long chunk that goes out in slices. */
  #rest: Buffer | undefined;
  #source: SourceReader | undefined;

  constructor(table: MessageTable, limits: Readonly<Required<ProtobufLimits>>) {
    this.#table = table;
    this.#limits = limits;
  }

  push(message: Sent<E>): void {
    const { total, head, body } = this.#layOut(message);
    this.#announce = new Announce(total);
    if (head.length > 0) this.#head = head;
    if (body instanceof Uint8Array) this.#rest = asBuffer(body);
    else if (body !== undefined) this.#source = new SourceReader(body);
  }

  next(): MessageChunk | undefined | Promise<MessageChunk | undefined> {
    const announce = this.#announce;
    if (announce !== undefined) {
      this.#announce = undefined;
      return announce;
    }
    const head = this.#head;
    if (head !== undefined) {
      this.#head = undefined;
      return head;
    }
    if (this.#rest !== undefined) return this.#slice(this.#rest);
    if (this.#source === undefined) return undefined;
    return this.#source.read().then((chunk) => {
      if (chunk !== undefined) return this.#slice(chunk);
      this.#source = undefined;
      return undefined;
    });
  }

  /** Nothing to do: the stream calls `end` only after each message has gone out completely. */
  end(): void {}

  destroy(error: Error | null): void {
    this.#source?.destroy(error);
    this.#source = undefined;
    this.#announce = undefined;
    this.#head = undefined;
    this.#rest = undefined;
  }

  #layOut(message: Sent<E>): Layout {
    try {
      return layOut(this.#table, message, this.#limits, JOIN_BYTES);
    } catch (thrown) {
      // The message belongs to this codec now, so an open file in it must be closed.
      destroySource((message as { fields?: { data?: unknown } } | null)?.fields?.data, thrown as Error);
      throw thrown;
    }
  }

  #slice(chunk: Buffer): Buffer {
    this.#rest = chunk.length > MAX_CHUNK_BYTES ? chunk.subarray(MAX_CHUNK_BYTES) : undefined;
    return this.#rest === undefined ? chunk : chunk.subarray(0, MAX_CHUNK_BYTES);
  }
}
