import { connect as netConnect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type buildConnector, Client } from 'undici';
import { Backoff } from '../core/backoff.js';
import { integerInRange } from '../core/check.js';
import { clock, type Timer } from '../core/clock.js';
import type { DeferredBytes } from '../core/deferred-bytes.js';
import { HttpStatusError, LimitError, OutcomeUnknownError, SessionBusyError, SessionUnknownError, TransportError } from '../core/errors.js';
import { messageOf } from '../core/message-of.js';
import { BOUNDARY, type BoundedChunk } from '../core/unit.js';
import { BodyBuffer, BufferPool, type GatheredBody } from './body-buffer.js';
import { HTTP_LAYER, Refusal } from './http-faults.js';
import { parseHttpUrl } from './http-url.js';

/** Milliseconds between polls while an answer is awaited: the wait doubles from the first to the last. */
const POLL_FIRST_MS = 2;
const POLL_LAST_MS = 500;
/** An answer without data has at most this many bytes: an id of ten digits and a blank (wire spec §C). It is no progress. */
const EMPTY_ANSWER_BYTES = 11;
/** A server of this library announces its limit in this header of every answer. */
const MAX_BODY_HEADER = 'x-veracruz-max-body-bytes';
/** Complete bodies that may wait for their turn at such a server, so that the layers can work while the server is busy. */
const MAX_READY_BODIES = 2;
/** Bytes that an original server accepts in a body (wire spec §C). */
const ORIGINAL_MAX_BODY_BYTES = 262_144;

export interface HttpExchangeOptions {
  /** The URL that every body is posted to: `http://host:port/path`. */
  url: string;
  /** POSTs that may be open at once, on one connection, if the server announces that it can. Default 4. Otherwise 1. */
  maxInFlight?: number;
  /** Milliseconds to wait for a TCP connection. Default 10,000. */
  connectTimeoutMs?: number;
  /** Milliseconds within which the answer must begin, and between two pieces of it. Default 60,000; 0 waits for ever. */
  answerTimeoutMs?: number;
  /**
   * Called when no POST is open. Returns the body of a POST that only fetches output if the caller awaits an answer, and
   * `undefined` if it awaits none. Default: never polls.
   */
  poll?: () => Buffer | undefined;
}

/** Defaults of `HttpExchangeOptions`. */
export const HTTP_EXCHANGE_DEFAULTS = Object.freeze({ maxInFlight: 4, connectTimeoutMs: 10_000, answerTimeoutMs: 60_000 });

/**
 * The client's end of an HTTP exchange. Each unit written is the body of one POST. The bodies of the answers are read in the
 * order of the POSTs, with a BOUNDARY after each (wire spec §C).
 *
 *     write:  <bytes> <bytes> BOUNDARY          POST url  Content-Length: …
 *     read:   <bytes> … BOUNDARY                200
 *
 * `DeferredBytes` may be written: they write themselves into the body.
 *
 * All POSTs go over one connection at a time, in order, because TLS bytes are a stream. A POST is never sent twice: if the
 * connection is lost while a POST is open, the exchange ends with `ERR_VC_OUTCOME_UNKNOWN`. A status other than 200
 * ends it with `ERR_VC_HTTP_STATUS` (404: `ERR_VC_SESSION_UNKNOWN`, 409: `ERR_VC_SESSION_BUSY`, 413: `ERR_VC_LIMIT`).
 */
export class HttpExchange extends Duplex {
  readonly #origin: string;
  readonly #path: string;
  readonly #options: Required<Omit<HttpExchangeOptions, 'poll' | 'url'>>;
  readonly #poll: () => Buffer | undefined;
  #client: Client | undefined;
  /** The unit that is being written. It must be one Buffer, because undici pipelines no other bodies. */
  readonly #body: BodyBuffer;
  #inFlight = 0;
  /** One of the open POSTs is a poll. */
  #polling = false;
  /** Complete bodies that wait for an earlier POST to end. */
  readonly #ready: GatheredBody[] = [];
  /** The callback of a write that waits until one of the complete bodies is sent. */
  #blocked: (() => void) | undefined;
  /** The callback of `_final`, which waits for the last answer. */
  #ending: (() => void) | undefined;
  /** Continues an answer that was paused because the reader had no room. */
  #resumeAnswer: (() => void) | undefined;
  #pollTimer: Timer | undefined;
  readonly #pollDelay = new Backoff({ firstMs: POLL_FIRST_MS, lastMs: POLL_LAST_MS });
  /** A poll is due, but waits until the reader has room. */
  #pollAwaitsReader = false;
  /** The limit that the server has announced, if it has. */
  #announcedMaxBodyBytes: number | undefined;
  /** Number of POSTs sent so far. */
  posts = 0;
  /** Bytes on the closed TCP connections, HTTP heads included. */
  #wire = { bytesOut: 0, bytesIn: 0 };
  #socket: Socket | undefined;
  /** The socket of a connection that is not established yet. */
  #connecting: Socket | undefined;

  constructor(options: HttpExchangeOptions) {
    super({ objectMode: true, readableHighWaterMark: 8, writableHighWaterMark: 8 });
    const url = parseHttpUrl(options.url);
    this.#origin = url.origin;
    this.#path = url.pathname + url.search;
    this.#options = {
      maxInFlight: integerInRange('maxInFlight', options.maxInFlight ?? HTTP_EXCHANGE_DEFAULTS.maxInFlight, 1, 64),
      connectTimeoutMs: integerInRange(
        'connectTimeoutMs',
        options.connectTimeoutMs ?? HTTP_EXCHANGE_DEFAULTS.connectTimeoutMs,
        1,
        2 ** 31 - 1,
      ),
      answerTimeoutMs: integerInRange('answerTimeoutMs', options.answerTimeoutMs ?? HTTP_EXCHANGE_DEFAULTS.answerTimeoutMs, 0, 2 ** 31 - 1),
    };
    this.#poll = options.poll ?? (() => undefined);
    this.#body = new BodyBuffer(new BufferPool(this.#options.maxInFlight + MAX_READY_BODIES));
  }

  /** Bytes that the server accepts in one body: 262,144, as an original server does, until it announces another limit. */
  get maxBodyBytes(): number {
    return this.#announcedMaxBodyBytes ?? ORIGINAL_MAX_BODY_BYTES;
  }

  /** Bytes that went over TCP so far, in both directions, HTTP heads included. */
  get wireBytes(): { readonly bytesOut: number; readonly bytesIn: number } {
    return {
      bytesOut: this.#wire.bytesOut + (this.#socket?.bytesWritten ?? 0),
      bytesIn: this.#wire.bytesIn + (this.#socket?.bytesRead ?? 0),
    };
  }

  /** True while a written body was not answered yet. A poll does not count. */
  get sending(): boolean {
    return this.#ready.length > 0 || this.#inFlight > (this.#polling ? 1 : 0);
  }

  /** Tells that the caller awaits an answer from now on. `poll` is then called whenever no POST is open. */
  expectAnswer(): void {
    this.#pollDelay.reset();
    this.#schedulePoll();
  }

  override _write(chunk: BoundedChunk | DeferredBytes, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (chunk !== BOUNDARY) {
      this.#body.append(chunk);
      done();
      return;
    }
    this.#ready.push(this.#body.take());
    this.#postReady();
    if (this.#hasRoom) done();
    else this.#blocked = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    clock.clear(this.#pollTimer);
    if (this.#body.length > 0) this.#ready.push(this.#body.take());
    this.#ending = done;
    this.#postReady();
    if (this.#inFlight === 0) this.#end();
  }

  override _read(): void {
    const resume = this.#resumeAnswer;
    this.#resumeAnswer = undefined;
    resume?.();
    if (!this.#pollAwaitsReader) return;
    this.#pollAwaitsReader = false;
    this.#schedulePoll();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clock.clear(this.#pollTimer);
    const client = this.#client;
    this.#client = undefined;
    // Not in this call, because undici may be the caller: if it reports a lost connection and has a second request, a destroy
    // from within makes one of its assertions fail in a socket handler, where nobody can catch the error.
    process.nextTick(() => {
      client?.destroy().catch(() => {});
    });
    // undici does not know a connection before it is established, so it would not close this one.
    this.#connecting?.destroy(new Error('the exchange was closed'));
    done(error);
  }

  /** An original server may hand two open POSTs of one session to different threads, so it gets one at a time. */
  get #maxInFlight(): number {
    return this.#announcedMaxBodyBytes === undefined ? 1 : this.#options.maxInFlight;
  }

  /** Whether another body may be written. */
  get #hasRoom(): boolean {
    const maxReady = this.#announcedMaxBodyBytes === undefined ? 0 : MAX_READY_BODIES;
    return this.#inFlight + this.#ready.length < this.#maxInFlight + maxReady;
  }

  /** Sends the complete bodies, as many as may be open at once. */
  #postReady(): void {
    while (this.#inFlight < this.#maxInFlight) {
      const body = this.#ready.shift();
      if (body === undefined) return;
      this.#post(body);
    }
  }

  #post(body: GatheredBody, isPoll = false): void {
    clock.clear(this.#pollTimer);
    this.#pollTimer = undefined;
    this.posts++;
    this.#inFlight++;
    if (isPoll) this.#polling = true;
    this.#client ??= this.#connect();
    const client = this.#client;
    let begun = false;
    let status = 0;
    /** Set for a status other than 200. */
    let refusal: Refusal | undefined;
    let resume: (() => void) | undefined;
    let answerBytes = 0;
    // undici pipelines only requests that are marked `idempotent`. It would also send them again on a new connection, which
    // `#connect` prevents: its client connects only once.
    client.dispatch(
      {
        method: 'POST',
        path: this.#path,
        body: body.bytes,
        idempotent: true,
      },
      {
        // Called before the first byte goes out.
        onConnect: () => {
          begun = true;
        },
        onHeaders: (code, headers, go) => {
          status = code;
          if (code > 200) refusal = new Refusal(code);
          this.#announcedMaxBodyBytes ??= maxBodyOf(headers);
          resume = go;
          return true;
        },
        onData: (piece) => {
          if (refusal !== undefined) {
            if (refusal.push(piece)) this.destroy(statusError(status, refusal.message));
            return true;
          }
          // After a pause undici parses zero bytes and gives them as a piece. If that piece paused it again, it would never
          // read from the socket.
          if (piece.length === 0) return true;
          answerBytes += piece.length;
          if (answerBytes > EMPTY_ANSWER_BYTES) this.#pollDelay.reset();
          if (this.push(piece)) return true;
          this.#resumeAnswer = resume;
          return false;
        },
        onComplete: () => {
          this.#inFlight--;
          if (isPoll) this.#polling = false;
          if (this.destroyed) return;
          if (refusal === undefined) {
            // The Buffer may be used again now. A server that answers before it has read the body harms only itself.
            body.release();
            this.#answered();
          } else this.destroy(statusError(status, refusal.message));
        },
        onError: (cause) => {
          if (cause instanceof UsedUpError && !begun) this.#postAgain(client, body, isPoll);
          // A refusal counts even if its body is cut off.
          else if (refusal !== undefined) this.destroy(statusError(status, refusal.message));
          else this.#lost(cause);
        },
        onUpgrade: () => {},
      },
    );
  }

  #answered(): void {
    this.push(BOUNDARY);
    this.#postReady();
    if (this.#hasRoom) {
      const blocked = this.#blocked;
      this.#blocked = undefined;
      blocked?.();
    }
    if (this.#inFlight > 0) return;
    if (this.#ending === undefined) this.#schedulePoll();
    else this.#end();
  }

  /** All POSTs are answered, and no further one will be sent. */
  #end(): void {
    this.#ending?.();
    this.#ending = undefined;
    this.push(null);
  }

  #schedulePoll(): void {
    if (this.#inFlight > 0 || this.#pollTimer !== undefined || this.writableEnded || this.destroyed) return;
    this.#pollTimer = clock.setTimeout(() => {
      this.#pollTimer = undefined;
      if (this.#inFlight > 0 || this.#body.length > 0 || this.writableEnded || this.destroyed) return;
      if (this.readableLength >= this.readableHighWaterMark) {
        // The reader has enough to read. The poll follows when there is room again.
        this.#pollAwaitsReader = true;
        return;
      }
      const body = this.#poll();
      if (body === undefined) return;
      this.#pollDelay.lengthen();
      this.#post({ bytes: body, release: () => {} }, true);
    }, this.#pollDelay.ms);
  }

  /**
   * Sends a body whose connection the server closed with the answer before it (`Connection: close`, HTTP/1.0, or a keep-alive
   * that was too short). No byte of the body was sent, so a new connection repeats nothing.
   */
  #postAgain(client: Client, body: GatheredBody, isPoll: boolean): void {
    this.#inFlight--;
    if (this.destroyed) return;
    if (this.#client === client) this.#client = undefined;
    this.posts--;
    this.#post(body, isPoll);
  }

  #lost(cause: Error): void {
    this.#inFlight--;
    if (this.destroyed) return;
    const refused = cause instanceof TransportError;
    this.destroy(
      refused
        ? cause
        : new OutcomeUnknownError(`the connection was lost with a POST under way: ${messageOf(cause)}`, { layer: HTTP_LAYER, cause }),
    );
  }

  /** Makes a client that connects only once. A request that it would send again on a second connection fails instead. */
  #connect(): Client {
    let connected = false;
    const { connectTimeoutMs, answerTimeoutMs } = this.#options;
    const client = new Client(this.#origin, {
      pipelining: this.#options.maxInFlight,
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
      connect: ({ hostname, port }, done) => {
        if (connected) {
          done(new UsedUpError('the connection was lost'), null);
          return;
        }
        connected = true;
        this.#open(hostname, Number(port) || 80, connectTimeoutMs, done);
      },
    });
    client.on('disconnect', () => {
      // No POST is open, so a new connection repeats nothing.
      if (this.#client === client && this.#inFlight === 0) this.#client = undefined;
    });
    return client;
  }

  #open(host: string, port: number, timeoutMs: number, done: buildConnector.Callback): void {
    const socket = netConnect({ host, port, noDelay: true });
    this.#connecting = socket;
    const timer = clock.setTimeout(() => socket.destroy(new Error(`no connection after ${timeoutMs} ms`)), timeoutMs);
    const failed = (cause: Error) => {
      clock.clear(timer);
      this.#connecting = undefined;
      done(new TransportError(`cannot connect to ${host}:${port}: ${messageOf(cause)}`, { layer: HTTP_LAYER, cause }), null);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      clock.clear(timer);
      socket.off('error', failed);
      this.#connecting = undefined;
      this.#socket = socket;
      socket.once('close', () => {
        if (this.#socket === socket) this.#socket = undefined;
        this.#wire.bytesOut += socket.bytesWritten;
        this.#wire.bytesIn += socket.bytesRead;
      });
      done(null, socket);
    });
  }
}

/** The error of a client that would have to connect a second time. */
class UsedUpError extends Error {}

function statusError(status: number, message: string): Error {
  const figures = { layer: HTTP_LAYER, expected: 200, got: status };
  if (status === 404) return new SessionUnknownError(message, figures);
  if (status === 409) return new SessionBusyError(message, figures);
  if (status === 413) return new LimitError(message, figures);
  return new HttpStatusError(message, figures);
}

/** The limit that the server announces. `headers` is undici's raw list of names and values. */
function maxBodyOf(headers: readonly Buffer[]): number | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toString('latin1').toLowerCase() !== MAX_BODY_HEADER) continue;
    const value = Number(headers[i + 1]?.toString('latin1'));
    return Number.isInteger(value) && value > 64 ? value : undefined;
  }
  return undefined;
}
