import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { DeferredBytes } from '../core/deferred-bytes.js';
import { drained } from '../core/drained.js';
import { TransportError } from '../core/errors.js';
import { BOUNDARY, type BoundedChunk, isMark, type Mark, type MarkedPipe } from '../core/unit.js';
import { BodyBuffer, BufferPool } from './body-buffer.js';
import { HTTP_LAYER, tooLong } from './http-faults.js';

/** An answer of up to this size is sent in one piece, with its length. A longer one is streamed in chunks. */
const WHOLE_ANSWER_BYTES = 16_384;
/** An answer of up to this size is sent as text, so that it is one piece with its head. */
const TEXT_ANSWER_BYTES = 4096;
/** The most bytes of a longer answer that are sent together. Less is sent when no more has been written yet. */
const PIECE_BYTES = 256 * 1024;

/** The part of a body that was read to find out where its request belongs. */
export interface BegunBody {
  /** The pieces, from the first byte of the body on. */
  readonly pieces: readonly Buffer[];
  /** The pieces are the whole body. */
  readonly whole: boolean;
}

/** One POST and its answer. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly begun: BegunBody;
  bodyBytes: number;
  /** Called once, when the answer is out or cannot be sent any more. */
  readonly settled: () => void;
}

/**
 * The server's end of an HTTP exchange: the bodies of one session's POSTs, strictly first in, first out, and their
 * answers in the same order (wire spec §C).
 *
 *     read:   <bytes> <bytes> BOUNDARY          the body of a POST
 *     write:  <bytes> … BOUNDARY                200 and the body of its answer
 *
 * `DeferredBytes` may be written: they write themselves into the buffer that is sent. Bytes that are written while the stream
 * is corked are sent together.
 *
 * The next body is read as soon as the one before it was read, even if that one is not answered yet. The exchange ends when a
 * body is over `maxBodyBytes`, or when its client goes away in the middle of it.
 */
export class HttpBodies extends Duplex implements MarkedPipe {
  readonly takesMarks = true;
  readonly #maxBodyBytes: number;
  readonly #headers: Readonly<Record<string, string>>;
  /** POSTs whose bodies were not begun yet. */
  #bodies: Exchange[] = [];
  /** POSTs that were not answered yet. The answer to the first is being written. */
  #answers: Exchange[] = [];
  #reading: Exchange | undefined;
  /** The connection of the open POSTs. A response that waits behind others is not told when the connection closes. */
  #socket: Socket | undefined;
  readonly #onGone = () => {
    this.destroy(new TransportError('the client went away with a POST under way', { layer: HTTP_LAYER }));
  };
  /** The part of the first answer that was not sent yet. It may be the whole answer. */
  readonly #text: BodyBuffer;
  /** Called when the first answer is out, or cannot be sent any more. */
  readonly #onAnswered: (() => void)[] = [];

  /**
   * @param maxBodyBytes bytes that a body may have
   * @param headers sent with each answer
   * @param pool the Buffers that answers are collected in; several exchanges may share one
   */
  constructor(maxBodyBytes: number, headers: Readonly<Record<string, string>> = {}, pool: BufferPool = new BufferPool(0)) {
    super({ objectMode: true, readableHighWaterMark: 4, writableHighWaterMark: 4 });
    this.#maxBodyBytes = maxBodyBytes;
    this.#headers = headers;
    this.#text = new BodyBuffer(pool);
  }

  /** Number of POSTs whose answer is not out yet. */
  get pending(): number {
    return this.#answers.length;
  }

  /** True while the body of a POST is not read to its end. */
  get reading(): boolean {
    return this.#reading !== undefined || this.#bodies.length > 0;
  }

  /** Settles when the answer that is being written was handed to HTTP, or cannot be sent any more. */
  answered(): Promise<void> {
    if (this.#answers.length === 0 || this.destroyed) return Promise.resolve();
    return new Promise((resolve) => this.#onAnswered.push(resolve));
  }

  /** Takes a POST whose first part, `begun`, was read already. `settled` is called once, when the POST is over. */
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

  /** Answers every open POST with an error if that is still possible, and forgets them. */
  refuse(status: number, text: string): void {
    const refused = this.#answers;
    this.#answers = [];
    this.#bodies = [];
    this.#text.take();
    this.#watch(undefined);
    this.#tellAnswered();
    for (const { request, response, begun } of refused) {
      if (response.headersSent) response.destroy();
      else {
        // The rest of a body that nobody reads would stand before the next request on the connection.
        const through = request.complete || begun.whole;
        const headers = { ...this.#headers, 'content-type': 'text/plain; charset=utf-8', ...(through ? {} : { connection: 'close' }) };
        response.writeHead(status, headers).end(`${text}\n`);
        request.resume();
      }
    }
  }

  override _read(): void {
    this.#reading?.request.resume();
  }

  override _write(chunk: BoundedChunk | DeferredBytes | Mark, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const response = this.#answers[0]?.response;
    if (response === undefined || response.destroyed) {
      done(new TransportError('there is no POST to answer', { layer: HTTP_LAYER }));
    } else if (chunk === BOUNDARY) {
      this.#endAnswer(response);
      done();
    } else if (isMark(chunk)) {
      if (response.headersSent) this.#flush(response, done);
      else done();
    } else {
      this.#text.append(chunk);
      if (this.#text.length > WHOLE_ANSWER_BYTES && !response.headersSent) {
        response.writeHead(200, { ...this.#headers, 'content-type': 'text/plain' });
      }
      // If more was written already, the next call sends it together with this.
      const last = this.writableLength <= 1;
      if (response.headersSent && (last || this.#text.length >= PIECE_BYTES)) this.#flush(response, done);
      else done();
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#reading?.request.pause();
    this.#reading = undefined;
    this.#watch(undefined);
    this.#tellAnswered();
    done(error);
  }

  #tellAnswered(): void {
    for (const resolve of this.#onAnswered.splice(0)) resolve();
  }

  /** Watches for the close of this connection, and no longer for that of the last one. */
  #watch(socket: Socket | undefined): void {
    if (socket === this.#socket) return;
    this.#socket?.off('close', this.#onGone);
    this.#socket = socket;
    socket?.once('close', this.#onGone);
  }

  #endAnswer(response: ServerResponse): void {
    this.#answers.shift();
    if (this.#answers.length === 0) this.#watch(undefined);
    this.#tellAnswered();
    const { bytes, release } = this.#text.take();
    if (response.headersSent) {
      response.end(bytes, release);
      return;
    }
    response.writeHead(200, { ...this.#headers, 'content-type': 'text/plain', 'content-length': bytes.length });
    if (bytes.length > TEXT_ANSWER_BYTES) response.end(bytes, release);
    else {
      // As text it becomes one string with the head, so one write.
      response.end(bytes.toString('latin1'), 'latin1');
      release();
    }
  }

  /** Sends the written part of a long answer. `done` is called when there is room for more. */
  #flush(response: ServerResponse, done: () => void): void {
    if (this.#text.length > 0) {
      const { bytes, release } = this.#text.take();
      response.write(bytes, release);
    }
    if (response.writableNeedDrain) void drained(response).then(done);
    else done();
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
