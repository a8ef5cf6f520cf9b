import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { drained } from '../core/drained.js';
import { TransportError } from '../core/errors.js';
import { BOUNDARY, type BoundedChunk } from '../core/unit.js';
import { HTTP_LAYER, tooLong } from './http-faults.js';

/** An answer up to this size goes out in one piece, with its length; a longer one is streamed in chunks. */
const WHOLE_ANSWER_BYTES = 16_384;
/** An answer up to this size is copied to be one piece with its head. */
const TEXT_ANSWER_BYTES = 4096;

/** What of a body was read to route its request. */
export interface BegunBody {
  /** From the first byte on. */
  readonly pieces: readonly Buffer[];
  /** There is no more of it. */
  readonly whole: boolean;
}

/** One POST and its answer. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly begun: BegunBody;
  bodyBytes: number;
  /** Called once when the answer is out, or cannot be sent any more. */
  readonly settled: () => void;
}

/**
 * The server's end of an HTTP exchange: the bodies of one session's POSTs, strictly first in, first out, and their
 * answers in the same order (wire spec §C).
 *
 *     read:   <bytes> <bytes> BOUNDARY          the body of a POST
 *     write:  <bytes> … BOUNDARY                200 and the body of its answer
 *
 * The next body is read as soon as the one before it is through, its answer pending or not. A body over `maxBodyBytes`,
 * or one whose client went away in the middle, ends the exchange.
 */
export class HttpBodies extends Duplex {
  readonly #maxBodyBytes: number;
  readonly #headers: Readonly<Record<string, string>>;
  /** POSTs whose bodies are not through yet; the first is being read. */
  #bodies: Exchange[] = [];
  /** POSTs whose answers are not through yet; the first is being written. */
  #answers: Exchange[] = [];
  #reading: Exchange | undefined;
  /** The connection of the POSTs under way. A response that waits behind others does not hear that it is closed. */
  #socket: Socket | undefined;
  readonly #onGone = () => {
    this.destroy(new TransportError('the client went away with a POST under way', { layer: HTTP_LAYER }));
  };
  /** What of the first answer is held back to see whether it is all. */
  #held: Buffer[] = [];
  #heldBytes = 0;

  /**
   * @param maxBodyBytes bytes that a body may have
   * @param headers sent with each answer
   */
  constructor(maxBodyBytes: number, headers: Readonly<Record<string, string>> = {}) {
    super({ objectMode: true, readableHighWaterMark: 4, writableHighWaterMark: 4 });
    this.#maxBodyBytes = maxBodyBytes;
    this.#headers = headers;
  }

  /** POSTs whose answer is not out yet. */
  get pending(): number {
    return this.#answers.length;
  }

  /** Takes a POST of which `begun` was read already. `settled` is called once, when it is over. */
  accept(request: IncomingMessage, response: ServerResponse, begun: BegunBody, settled: () => void): void {
    const exchange: Exchange = { request, response, begun, bodyBytes: 0, settled };
    response.once('close', () => {
      settled();
      if (!response.writableFinished && this.#answers.includes(exchange)) this.#onGone();
    });
    this.#bodies.push(exchange);
    this.#answers.push(exchange);
    this.#watch(request.socket);
    if (request.socket.destroyed) this.#onGone();
    else this.#nextBody();
  }

  /** Answers every POST under way with an error, as far as that can still be told, and forgets them. */
  refuse(status: number, text: string): void {
    const refused = this.#answers;
    this.#answers = [];
    this.#bodies = [];
    this.#watch(undefined);
    for (const { request, response, begun } of refused) {
      if (response.headersSent) response.destroy();
      else {
        // What is left of a body that nobody reads would stand in the way of the next request.
        const through = request.complete || begun.whole;
        const headers = { 'content-type': 'text/plain; charset=utf-8', ...(through ? {} : { connection: 'close' }) };
        response.writeHead(status, headers).end(`${text}\n`);
        request.resume();
      }
    }
  }

  override _read(): void {
    this.#reading?.request.resume();
  }

  override _write(chunk: BoundedChunk, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const response = this.#answers[0]?.response;
    if (response === undefined || response.destroyed) {
      done(new TransportError('there is no POST to answer', { layer: HTTP_LAYER }));
    } else if (chunk === BOUNDARY) {
      this.#endAnswer(response);
      done();
    } else if (!response.headersSent && this.#heldBytes + chunk.length <= WHOLE_ANSWER_BYTES) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      done();
    } else {
      this.#stream(response, chunk, done);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#reading?.request.pause();
    this.#reading = undefined;
    this.#watch(undefined);
    done(error);
  }

  /** Minds the end of a connection, instead of that of the one before. */
  #watch(socket: Socket | undefined): void {
    if (socket === this.#socket) return;
    this.#socket?.off('close', this.#onGone);
    this.#socket = socket;
    socket?.once('close', this.#onGone);
  }

  #endAnswer(response: ServerResponse): void {
    this.#answers.shift();
    if (this.#answers.length === 0) this.#watch(undefined);
    if (response.headersSent) response.end();
    else {
      const [first] = this.#held;
      const body = this.#held.length === 1 ? (first as Buffer) : Buffer.concat(this.#held);
      response.writeHead(200, { ...this.#headers, 'content-type': 'text/plain', 'content-length': this.#heldBytes });
      // As text it is one string with the head, and one piece to write.
      if (body.length <= TEXT_ANSWER_BYTES) response.end(body.toString('latin1'), 'latin1');
      else response.end(body);
    }
    this.#held = [];
    this.#heldBytes = 0;
  }

  #stream(response: ServerResponse, chunk: Buffer, done: () => void): void {
    if (!response.headersSent) {
      response.writeHead(200, { ...this.#headers, 'content-type': 'text/plain' });
      for (const held of this.#held) response.write(held);
      this.#held = [];
      this.#heldBytes = 0;
    }
    if (response.write(chunk)) {
      done();
      return;
    }
    void drained(response).then(done);
  }

  #nextBody(): void {
    if (this.#reading !== undefined || this.destroyed) return;
    const exchange = this.#bodies.shift();
    if (exchange === undefined) return;
    this.#reading = exchange;
    const { request, begun } = exchange;
    if (!begun.whole) {
      request.on('data', (piece: Buffer) => this.#piece(exchange, piece));
      request.on('end', () => this.#bodyEnd(exchange));
      request.resume();
    }
    for (const piece of begun.pieces) this.#piece(exchange, piece);
    if (begun.whole) this.#bodyEnd(exchange);
  }

  #piece(exchange: Exchange, piece: Buffer): void {
    if (this.#reading !== exchange) return;
    exchange.bodyBytes += piece.length;
    if (exchange.bodyBytes > this.#maxBodyBytes) {
      this.destroy(tooLong('a body', exchange.bodyBytes, this.#maxBodyBytes));
      return;
    }
    if (!this.push(piece)) exchange.request.pause();
  }

  #bodyEnd(exchange: Exchange): void {
    if (this.#reading !== exchange) return;
    this.#reading = undefined;
    this.push(BOUNDARY);
    this.#nextBody();
  }
}
