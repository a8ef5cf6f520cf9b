import { connect as netConnect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { type buildConnector, Client } from 'undici';
import { Backoff } from '../core/backoff.js';
import { integerInRange } from '../core/check.js';
import type { DeferredBytes } from '../core/deferred-bytes.js';
import { HttpStatusError, LimitError, OutcomeUnknownError, SessionBusyError, SessionUnknownError, TransportError } from '../core/errors.js';
import { messageOf } from '../core/message-of.js';
import { BOUNDARY, type BoundedChunk } from '../core/unit.js';
import { BodyBuffer, BufferPool, type GatheredBody } from './body-buffer.js';
import { HTTP_LAYER, Refusal } from './http-faults.js';
import { parseHttpUrl } from './http-url.js';

/** Milliseconds between polls while an answer is awaited: doubled from the first to the last. */
const POLL_FIRST_MS = 2;
const POLL_LAST_MS = 500;
/** Bytes of an answer that has no data at most: an id of ten digits and a blank (wire spec §C). It is no sign of progress. */
const EMPTY_ANSWER_BYTES = 11;
/** What a server of ours says of itself in every answer. */
const MAX_BODY_HEADER = 'x-veracruz-max-body-bytes';
/** Bodies that may be complete and wait for their turn, likewise: while the server is at work on others, the layers go on. */
const MAX_READY_BODIES = 2;
/** Bytes that an original server takes in a body (wire spec §C). */
const ORIGINAL_MAX_BODY_BYTES = 262_144;

export interface HttpExchangeOptions {
  /** `http://host:port/path` that every body is posted to. */
  url: string;
  /** POSTs that may be under way at once, on one connection, at a server that says it can. Default 4; else 1. */
  maxInFlight?: number;
  /** Milliseconds to wait for a TCP connection. Default 10,000. */
  connectTimeoutMs?: number;
  /** Milliseconds between two signs of life of an answer. Default 60,000; 0 waits for ever. */
  answerTimeoutMs?: number;
  /**
   * Asked when nothing is under way: the body of a POST that only fetches output, while the caller awaits an answer,
   * or `undefined` when it awaits none. Default: never.
   */
  poll?: () => Buffer | undefined;
}

/** Defaults of `HttpExchangeOptions`. */
export const HTTP_EXCHANGE_DEFAULTS = Object.freeze({ maxInFlight: 4, connectTimeoutMs: 10_000, answerTimeoutMs: 60_000 });

/**
 * The client's end of an HTTP exchange: each unit written is the body of one POST; what is read are the bodies of the
 * answers, each closed by a BOUNDARY, in the order of the POSTs (wire spec §C).
 *
 *     write:  <bytes> <bytes> BOUNDARY          POST url  Content-Length: …
 *     read:   <bytes> … BOUNDARY                200
 *
 * Bytes may be `DeferredBytes`: they are written into the body where they belong.
 *
 * All POSTs go over one connection at a time, in order, because TLS bytes are a stream. A POST is never sent twice: when
 * the connection is lost with a POST under way the exchange ends with `ERR_VC_OUTCOME_UNKNOWN`. A status other than 200
 * ends it with `ERR_VC_HTTP_STATUS` (404: `ERR_VC_SESSION_UNKNOWN`, 409: `ERR_VC_SESSION_BUSY`, 413: `ERR_VC_LIMIT`).
 */
export class HttpExchange extends Duplex {
  readonly #origin: string;
  readonly #path: string;
  readonly #options: Required<Omit<HttpExchangeOptions, 'poll' | 'url'>>;
  readonly #poll: () => Buffer | undefined;
  #client: Client | undefined;
  /** The unit that is being written: undici pipelines bodies of one Buffer only. */
  readonly #body: BodyBuffer;
  #inFlight = 0;
  /** One of them is a poll. */
  #polling = false;
  /** Bodies that wait for a POST to end. */
  readonly #ready: GatheredBody[] = [];
  /** The write that waits for such a body to leave. */
  #blocked: (() => void) | undefined;
  /** The end that waits for the last POST. */
  #ending: (() => void) | undefined;
  /** Goes on with the answer that the reader made wait. */
  #resumeAnswer: (() => void) | undefined;
  #pollTimer: NodeJS.Timeout | undefined;
  readonly #pollDelay = new Backoff({ firstMs: POLL_FIRST_MS, lastMs: POLL_LAST_MS });
  /** A poll that waits for the reader. */
  #pollAwaitsReader = false;
  /** What the server says it takes, once it has said so. */
  #announcedMaxBodyBytes: number | undefined;
  /** POSTs sent so far. */
  posts = 0;
  /** Bytes on the TCP connections so far, HTTP heads included. */
  #wire = { bytesOut: 0, bytesIn: 0 };
  #socket: Socket | undefined;
  /** The connection that is being made. */
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

  /** Bytes that the server takes in one body: 262,144, as the original does, until it says otherwise. */
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

  /** Bodies that were written have not all been answered. A poll does not count. */
  get sending(): boolean {
    return this.#ready.length > 0 || this.#inFlight > (this.#polling ? 1 : 0);
  }

  /** Says that the caller begins to await an answer: `poll` is asked from now on whenever nothing is under way. */
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
    clearTimeout(this.#pollTimer);
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
    clearTimeout(this.#pollTimer);
    const client = this.#client;
    this.#client = undefined;
    // Not within a call of undici's: while it tells us of a lost connection and has a second request, an assertion of its
    // own would fail in its socket's handler, and nobody could catch that.
    process.nextTick(() => {
      client?.destroy().catch(() => {});
    });
    // Of a connection that it does not have yet undici knows nothing.
    this.#connecting?.destroy(new Error('the exchange was closed'));
    done(error);
  }

  /** An original server might share two POSTs of one session out between its threads. */
  get #maxInFlight(): number {
    return this.#announcedMaxBodyBytes === undefined ? 1 : this.#options.maxInFlight;
  }

  /** Another body may be written. */
  get #hasRoom(): boolean {
    const maxReady = this.#announcedMaxBodyBytes === undefined ? 0 : MAX_READY_BODIES;
    return this.#inFlight + this.#ready.length < this.#maxInFlight + maxReady;
  }

  /** Sends what waits, as far as it may be under way. */
  #postReady(): void {
    while (this.#inFlight < this.#maxInFlight) {
      const body = this.#ready.shift();
      if (body === undefined) return;
      this.#post(body);
    }
  }

  #post(body: GatheredBody, isPoll = false): void {
    clearTimeout(this.#pollTimer);
    this.#pollTimer = undefined;
    this.posts++;
    this.#inFlight++;
    if (isPoll) this.#polling = true;
    this.#client ??= this.#connect();
    const client = this.#client;
    let begun = false;
    let status = 0;
    /** Of a status other than 200. */
    let refusal: Refusal | undefined;
    let resume: (() => void) | undefined;
    let answerBytes = 0;
    // `idempotent` is undici's word for "may be pipelined"; that it would also resend is what the connector that
    // connects once takes away.
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
          // undici goes on after a pause by parsing no bytes, and gives them as a piece: were that to pause it again, it
          // would never get to the socket.
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
            // A server that answers before it has read the body spoils the next one for itself alone: it sees what we send.
            body.release();
            this.#answered();
          } else this.destroy(statusError(status, refusal.message));
        },
        onError: (cause) => {
          if (cause instanceof UsedUpError && !begun) this.#postAgain(client, body, isPoll);
          // A refusal is one without its end as well.
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

  /** No further POST, so no further answer. */
  #end(): void {
    this.#ending?.();
    this.#ending = undefined;
    this.push(null);
  }

  #schedulePoll(): void {
    if (this.#inFlight > 0 || this.#pollTimer !== undefined || this.writableEnded || this.destroyed) return;
    this.#pollTimer = setTimeout(() => {
      this.#pollTimer = undefined;
      if (this.#inFlight > 0 || this.#body.length > 0 || this.writableEnded || this.destroyed) return;
      if (this.readableLength >= this.readableHighWaterMark) {
        // The reader has enough to do; more is fetched when it has read that.
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
   * A body that waited for a connection which the server has closed with the answer before it (`Connection: close`, HTTP/1.0,
   * a keep-alive that was too short): nothing of it has gone, so a new connection repeats nothing.
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

  /** A client that connects once: what it would send again on a second connection fails instead. */
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
      // With nothing under way a new connection repeats nothing.
      if (this.#client === client && this.#inFlight === 0) this.#client = undefined;
    });
    return client;
  }

  #open(host: string, port: number, timeoutMs: number, done: buildConnector.Callback): void {
    const socket = netConnect({ host, port, noDelay: true });
    this.#connecting = socket;
    const timer = setTimeout(() => socket.destroy(new Error(`no connection after ${timeoutMs} ms`)), timeoutMs);
    const failed = (cause: Error) => {
      clearTimeout(timer);
      this.#connecting = undefined;
      done(new TransportError(`cannot connect to ${host}:${port}: ${messageOf(cause)}`, { layer: HTTP_LAYER, cause }), null);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      clearTimeout(timer);
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

/** A client would connect a second time. */
class UsedUpError extends Error {}

function statusError(status: number, message: string): Error {
  const figures = { layer: HTTP_LAYER, expected: 200, got: status };
  if (status === 404) return new SessionUnknownError(message, figures);
  if (status === 409) return new SessionBusyError(message, figures);
  if (status === 413) return new LimitError(message, figures);
  return new HttpStatusError(message, figures);
}

/** The value of the server's header in undici's raw list of names and values. */
function maxBodyOf(headers: readonly Buffer[]): number | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toString('latin1').toLowerCase() !== MAX_BODY_HEADER) continue;
    const value = Number(headers[i + 1]?.toString('latin1'));
    return Number.isInteger(value) && value > 64 ? value : undefined;
  }
  return undefined;
}
