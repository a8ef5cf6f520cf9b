import type { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { TransportError } from '../../core/errors.js';
import { tooLong } from '../../transports/http-faults.js';

/**
 * One POST as a byte pipe. The readable side gives the request's body. The writable side takes the answer's body, which is
 * sent with status 200 and its length when that side ends. If the pipe is destroyed earlier, the caller must answer.
 *
 * It fails with LimitError for a body over `maxBodyBytes`, and with TransportError when the client disconnects in the middle
 * of its body.
 */
export class PostBody extends Duplex {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #answer: Buffer[] = [];

  constructor(request: IncomingMessage, response: ServerResponse, maxBodyBytes: number) {
    super();
    this.#request = request;
    this.#response = response;
    let bytes = 0;
    request.on('data', (piece: Buffer) => {
      if (this.destroyed) return;
      bytes += piece.length;
      if (bytes > maxBodyBytes) this.destroy(tooLong('a body', bytes, maxBodyBytes));
      else if (!this.push(piece)) request.pause();
    });
    request.on('end', () => this.push(null));
    request.on('close', () => {
      if (!request.complete) this.destroy(new TransportError('the client went away in the middle of its body', { layer: 'http' }));
    });
  }

  override _read(): void {
    this.#request.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#answer.push(chunk);
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    const response = this.#response;
    if (response.destroyed) {
      done(new TransportError('the client went away before its answer', { layer: 'http' }));
      return;
    }
    response.once('close', () => done());
    answerOk(response, Buffer.concat(this.#answer));
  }
}

/** Answers exactly `HTTP/1.1 200 OK`, because the original's client compares that line (wire spec §F). */
export function answerOk(response: ServerResponse, body: Buffer | string, type = 'text/plain'): void {
  response.writeHead(200, 'OK', { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
