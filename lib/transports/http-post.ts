import { type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http';
import { Duplex } from 'node:stream';
import { given, integerInRange } from '../core/check.js';
import { clock, type Timer } from '../core/clock.js';
import { HttpStatusError, TimeoutError, TransportError } from '../core/errors.js';
import { messageOf } from '../core/message-of.js';
import { HTTP_LAYER, Refusal, tooLong } from './http-faults.js';
import { parseHttpUrl } from './http-url.js';

const MAX_HEAD_BYTES = 8192;

/** Options of `HttpPost`. */
export interface HttpPostOptions {
  /** `http://host:port/path` */
  url: string;
  /** Bytes that the body may have. It is kept until it is complete, because the original needs its length. Default 524,288. */
  maxBodyBytes?: number;
  /** Bytes that the body of the answer may have. Default 262,144. */
  maxAnswerBytes?: number;
  /** Milliseconds from the end of the body to the end of the answer, time to connect included. Default 30,000. */
  timeoutMs?: number;
}

/** Defaults of `HttpPostOptions`. */
export const HTTP_POST_DEFAULTS = Object.freeze({ maxBodyBytes: 512 * 1024, maxAnswerBytes: 256 * 1024, timeoutMs: 30_000 });

/**
 * One POST as a byte pipe: its body is written, and the body of its answer is read. The POST is sent once, over a connection of
 * its own, when the writing side ends.
 *
 *     write … end()     POST url  Content-Type: application/octet-stream  Content-Length: …
 *     read  … end       200
 *
 * It fails with HttpStatusError for a status other than 200 (redirections are not followed), LimitError for a body or
 * answer over its limit, TimeoutError at the deadline, TransportError when the connection fails or is lost.
 */
export class HttpPost extends Duplex {
  readonly #url: URL;
  readonly #options: Required<Omit<HttpPostOptions, 'url'>>;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #answerBytes = 0;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #deadline: Timer | undefined;

  constructor(options: HttpPostOptions) {
    super();
    this.#url = parseHttpUrl(given('options', options).url);
    const { maxBodyBytes, maxAnswerBytes, timeoutMs } = HTTP_POST_DEFAULTS;
    this.#options = {
      maxBodyBytes: integerInRange('maxBodyBytes', options.maxBodyBytes ?? maxBodyBytes, 0, 2 ** 31 - 1),
      maxAnswerBytes: integerInRange('maxAnswerBytes', options.maxAnswerBytes ?? maxAnswerBytes, 0, 2 ** 31 - 1),
      timeoutMs: integerInRange('timeoutMs', options.timeoutMs ?? timeoutMs, 1, 2 ** 31 - 1),
    };
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { maxBodyBytes } = this.#options;
    const bytes = this.#bodyBytes + chunk.length;
    if (bytes > maxBodyBytes) {
      done(tooLong('a body', bytes, maxBodyBytes));
      return;
    }
    this.#body.push(chunk);
    this.#bodyBytes = bytes;
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    const { timeoutMs } = this.#options;
    const request = openRequest(this.#url, {
      method: 'POST',
      agent: false,
      maxHeaderSize: MAX_HEAD_BYTES,
      headers: { 'content-type': 'application/octet-stream', 'content-length': this.#bodyBytes },
    });
    this.#request = request;
    this.#deadline = clock.setTimeout(() => {
      this.destroy(new TimeoutError(`no answer after ${timeoutMs} ms`, { layer: HTTP_LAYER, limit: timeoutMs }));
    }, timeoutMs);
    request.on('response', (response) => this.#answer(response));
    request.on('error', (cause) => this.#lost(cause));
    // Node does not report every loss as an error: after a switch of protocols, for example, there is no error and no answer.
    request.on('close', () => this.#lost(new Error('the connection was closed before the answer was complete')));
    request.end(Buffer.concat(this.#body, this.#bodyBytes));
    this.#body = [];
    done();
  }

  override _read(): void {
    this.#response?.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clock.clear(this.#deadline);
    this.#body = [];
    this.#request?.destroy();
    done(error);
  }

  #answer(response: IncomingMessage): void {
    this.#response = response;
    if (response.statusCode !== 200) {
      this.#refused(response);
      return;
    }
    response.on('error', (cause) => this.#lost(cause));
    const { maxAnswerBytes } = this.#options;
    const announced = Number(response.headers['content-length'] ?? 0);
    if (announced > maxAnswerBytes) {
      this.destroy(tooLong('an answer', announced, maxAnswerBytes));
      return;
    }
    response.on('data', (chunk: Buffer) => {
      this.#answerBytes += chunk.length;
      if (this.#answerBytes > maxAnswerBytes) this.destroy(tooLong('an answer', this.#answerBytes, maxAnswerBytes));
      else if (!this.push(chunk)) response.pause();
    });
    response.on('end', () => {
      clock.clear(this.#deadline);
      this.push(null);
    });
  }

  /** A status other than 200. The first line of the answer's body is the reason. */
  #refused(response: IncomingMessage): void {
    const got = response.statusCode as number;
    const refusal = new Refusal(got);
    const fail = () => this.destroy(new HttpStatusError(refusal.message, { layer: HTTP_LAYER, expected: 200, got }));
    response.on('data', (chunk: Buffer) => {
      if (refusal.push(chunk)) fail();
    });
    response.on('end', fail);
    response.on('error', fail);
  }

  #lost(cause: Error): void {
    // A refusal raises its own error, which says more.
    const response = this.#response;
    if (this.destroyed || response?.complete === true || (response?.statusCode ?? 200) !== 200) return;
    this.destroy(new TransportError(`the POST failed: ${messageOf(cause)}`, { layer: HTTP_LAYER, cause }));
  }
}
