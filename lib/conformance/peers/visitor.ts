/** A client whose ciphertext the kit carries over a link, request by request, as a Server does (wire spec §D.8). */
import type { Duplex } from 'node:stream';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { ByteQueue } from '../../core/byte-queue.js';
import { clock } from '../../core/clock.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import { encodePrefix, PREFIX_BYTES } from '../../layers/frame/index.js';
import { decodeMessage, encodeMessage, type Sent, type WholeMessage } from '../../layers/protobuf/index.js';
import { memoryPipe } from '../../transports/memory.js';
import { CaseFailed, shown } from '../case.js';
import type { Link } from './link.js';
import { piecesOf } from './pipe.js';
import { tlsClient } from './tls.js';

export type Ask = Sent<'RuntimeManagerRequest', Uint8Array>;
export type Told = WholeMessage<'RuntimeManagerResponse'>;

/** An answer, or why there is none: the session or the link is over. */
export type Reply = { readonly message: Told; readonly bytes: Buffer; readonly refused?: undefined } | { readonly refused: string };

/** How a visitor's ciphertext is cut into SendTlsData. Default: 32,768 bytes at most, what an original Server reads at once. */
export type Cut = (ciphertext: Buffer) => Iterable<Buffer>;

const READ_BYTES = 32_768;
/** Milliseconds between two looks for output. */
const LOOK_MS = 2;
/** Bytes of an answer that are taken, and of all that have come and were not taken. */
const MAX_ANSWER_BYTES = 32 * 2 ** 20;

export class Visitor {
  readonly link: Link;
  readonly id: number;
  readonly tls: TLSSocket;
  readonly #far: Duplex;
  readonly #cut: Cut;
  readonly #plaintext = new ByteQueue();
  #secure = false;
  #over: string | undefined;
  /** The peer's close_notify came. */
  #goodbye = false;
  /** What the last TlsData said. */
  active = true;
  /** The last session ticket. */
  ticket: Buffer | undefined;

  private constructor(link: Link, id: number, options: ConnectionOptions, cut: Cut) {
    const [near, far] = memoryPipe({ highWaterMark: 2 ** 26 });
    this.link = link;
    this.id = id;
    this.#cut = cut;
    this.#far = far;
    far.on('error', () => {});
    this.tls = tlsClient(near, options);
    this.tls.on('data', (chunk: Buffer) => {
      if (this.#plaintext.length <= MAX_ANSWER_BYTES) this.#plaintext.push(chunk);
    });
    this.tls.on('secureConnect', () => {
      this.#secure = true;
    });
    this.tls.on('end', () => {
      this.#goodbye = true;
    });
    this.tls.on('session', (ticket: Buffer) => {
      this.ticket = ticket;
    });
    this.tls.on('error', (error: Error) => this.#end(`TLS: ${error.message}`));
    this.tls.on('close', () => this.#end('TLS was closed'));
    link.scope.onEnd(() => this.tls.destroy());
  }

  /** A session of its own, whose handshake is still to come. */
  static async open(link: Link, options: ConnectionOptions, cut: Cut = (bytes) => piecesOf(bytes, READ_BYTES)): Promise<Visitor> {
    return new Visitor(link, await link.open(), options, cut);
  }

  get secure(): boolean {
    return this.#secure;
  }

  get goodbye(): boolean {
    return this.#goodbye;
  }

  /** Why the session is over; undefined while it is not. */
  get over(): string | undefined {
    return this.#over;
  }

  /** The bytes of a message with its prefix. */
  bytesOf(message: Ask): Buffer {
    return prefixed(encodeMessage('RuntimeManagerRequest', message, { dialect: this.#dialect }));
  }

  async ask(message: Ask): Promise<Reply> {
    return this.tell(this.bytesOf(message));
  }

  /** The answer to these bytes of plaintext. @throws CaseFailed when nothing comes of them */
  async tell(...pieces: readonly Buffer[]): Promise<Reply> {
    await this.say(...pieces);
    return this.reply();
  }

  /** Sends plaintext, each piece in records of its own. */
  async say(...pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      this.tls.write(piece);
      await this.turn();
    }
  }

  /** The next answer. @throws CaseFailed when none comes */
  async reply(): Promise<Reply> {
    let whole: Buffer | undefined;
    const came = await this.comes(() => {
      whole = this.#take();
      return whole !== undefined;
    });
    if (came && whole !== undefined) return this.#read(whole);
    if (this.#over !== undefined) return { refused: this.#over };
    throw new CaseFailed('no answer, the manager hangs');
  }

  /** Carries ciphertext until `holds` or the session is over. False when it does not come about. */
  async comes(holds: () => boolean, ms: number = this.link.scope.waitMs): Promise<boolean> {
    const deadline = clock.monotonic() + ms;
    for (;;) {
      await this.turn();
      if (holds()) return true;
      if (this.#over !== undefined || clock.monotonic() > deadline) return false;
      await clock.sleep(LOOK_MS);
    }
  }

  /** Takes what the client has to say to the manager, and brings back what it has. */
  async turn(): Promise<void> {
    await clock.sleep(0);
    const bytes = (this.#far.read() as Buffer | null) ?? Buffer.alloc(0);
    for (const data of bytes.length === 0 ? [] : this.#cut(bytes)) {
      const answer = await this.link.call({ kind: 'SendTlsData', session: this.id, data });
      if (answer.kind !== 'Status') throw new CaseFailed(`SendTlsData was answered with ${answer.kind}`);
      if (answer.status !== 'Success') this.#end(`Status ${answer.status}`);
    }
    const output = await this.link.fetch(this.id);
    if (output === undefined) return this.#end('Status Fail');
    this.active = output.active;
    if (output.bytes.length === 0) return;
    this.#far.write(output.bytes);
    await clock.sleep(0);
  }

  get #dialect(): Dialect {
    return this.link.settings.dialect;
  }

  #end(why: string): void {
    this.#over ??= why;
  }

  #take(): Buffer | undefined {
    const plaintext = this.#plaintext;
    if (plaintext.length < PREFIX_BYTES) return undefined;
    const prefix = plaintext.peek(PREFIX_BYTES);
    const length = Number(prefix.readBigUInt64BE());
    if (length > MAX_ANSWER_BYTES) throw new CaseFailed(`an answer with a prefix of ${length}: ${shown(prefix)}`);
    if (plaintext.length > MAX_ANSWER_BYTES) throw new CaseFailed(`more than ${MAX_ANSWER_BYTES} bytes of answers at once`);
    if (plaintext.length < PREFIX_BYTES + length) return undefined;
    plaintext.skip(PREFIX_BYTES);
    return plaintext.take(length);
  }

  #read(bytes: Buffer): Reply {
    try {
      return { message: decodeMessage('RuntimeManagerResponse', bytes, { dialect: this.#dialect }), bytes };
    } catch (error) {
      throw new CaseFailed(`an answer that is no RuntimeManagerResponse: ${shown(bytes)} (${(error as Error).message})`);
    }
  }
}

/** A message behind its length. */
export function prefixed(message: Buffer): Buffer {
  return Buffer.concat([encodePrefix(message.length), message]);
}

/** The status of an answer, or why there is none. */
export function statusOf(reply: Reply): string {
  return reply.refused ?? reply.message.status;
}
