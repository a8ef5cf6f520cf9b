import type { Dispatcher } from 'undici';
import { clock } from '../core/clock.js';
import { HttpStatusError, LimitError, SessionBusyError, SessionUnknownError, type VeracruzError } from '../core/errors.js';
import type { GatheredBody } from './body-buffer.js';
import { HTTP_LAYER, MIN_BODY_BYTES, Refusal, SESSION_SECRET_HEADER } from './http-faults.js';
import { type PostConnection, UsedUpError } from './post-connection.js';

/** A server of this library announces its limit in this header of every answer. */
const MAX_BODY_HEADER = 'x-veracruz-max-body-bytes';
/** Bytes of a refusal that are read to its end, so that the POSTs behind it can go on. */
const MAX_REFUSAL_BYTES = 64 * 1024;

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** The limit that a server of this library announces. Undefined for any other server. */
  readonly maxBodyBytes: number | undefined;
  /** The secret that a server of this library gives with the session. Undefined for any other answer. */
  readonly sessionSecret: string | undefined;
  /** The answer is the last one on its connection: what was sent behind it was not read (RFC 9112 §9.6). */
  readonly closes: boolean;
}

/** What becomes of a POST. One of the last four is called, once. */
export interface PostEvents {
  onHead(post: Post, head: AnswerHead): void;
  /** A piece of the answer. False when the reader has no room: nothing more comes until `resume` is called. */
  onPiece(piece: Buffer, resume: () => void): boolean;
  /** The answer is complete. */
  onAnswered(post: Post): void;
  /**
   * The answer has a status other than 200. `through`: it has come to its end and leaves the connection, and the POSTs behind
   * it, in a known state.
   */
  onRefused(post: Post, error: VeracruzError, through: boolean): void;
  /** The server has not read the POST, because the connection ended with the answer to an earlier one. */
  onUnread(post: Post): void;
  /** The connection was lost. Nobody knows whether the server has read the POST. */
  onLost(post: Post, cause: Error): void;
}

/** One POST on its way: what undici tells of it, put in order for `HttpExchange`. */
export class Post implements Dispatcher.DispatchHandlers {
  readonly body: GatheredBody;
  /** It only fetches output. */
  readonly isPoll: boolean;
  readonly connection: PostConnection;
  /** Some of it may have left. */
  begun = false;
  /** When it began to leave, `clock.monotonic()`. */
  begunAt = 0;
  readonly #events: PostEvents;
  #head: AnswerHead | undefined;
  #resume: () => void = () => {};
  /** Set for a status other than 200. */
  #refusal: Refusal | undefined;
  #refusalBytes = 0;
  #over = false;

  constructor(body: GatheredBody, isPoll: boolean, connection: PostConnection, events: PostEvents) {
    this.body = body;
    this.isPoll = isPoll;
    this.connection = connection;
    this.#events = events;
  }

  /** Somebody on the way, and not the server, takes no body of this length. */
  get tooLongOnTheWay(): boolean {
    return this.#head?.status === 413 && this.#head.maxBodyBytes === undefined;
  }

  /** @param headers sent with it, beside those of HTTP */
  send(path: string, headers: Readonly<Record<string, string>>): void {
    // undici pipelines only requests that are marked `idempotent`. It would also send them again on a new connection, which
    // `PostConnection` prevents.
    this.connection.client.dispatch({ method: 'POST', path, headers, body: this.body.bytes, idempotent: true }, this);
  }

  /** Called before the first byte goes out. */
  onConnect(): void {
    this.begun = true;
    this.begunAt = clock.monotonic();
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void): boolean {
    // Of a status below 200 another head follows.
    if (status < 200) return true;
    if (status > 200) this.#refusal = new Refusal(status);
    this.#head = { status, maxBodyBytes: maxBodyOf(headers), sessionSecret: secretOf(headers), closes: closes(headers) };
    this.#resume = resume;
    this.#events.onHead(this, this.#head);
    return true;
  }

  onData(piece: Buffer): boolean {
    if (this.#refusal !== undefined) {
      this.#refusalBytes += piece.length;
      const enough = this.#refusal.push(piece) && !(this.tooLongOnTheWay && this.#refusalBytes <= MAX_REFUSAL_BYTES);
      if (enough) this.#refused(false);
      return true;
    }
    // After a pause undici parses zero bytes and gives them as a piece. If that piece paused it again, it would never read from
    // the socket.
    return piece.length === 0 || this.#events.onPiece(piece, this.#resume);
  }

  onComplete(): void {
    this.connection.answers++;
    if (this.#refusal !== undefined) this.#refused(true);
    else if (this.#settle()) this.#events.onAnswered(this);
  }

  onError(cause: Error): void {
    // A refusal counts even if its body is cut off.
    if (this.#refusal !== undefined) this.#refused(this.#head?.closes === true);
    else if (!this.#settle()) return;
    else if (cause instanceof UsedUpError) this.#events.onUnread(this);
    else this.#events.onLost(this, cause);
  }

  onUpgrade(): void {}

  #refused(through: boolean): void {
    if (!this.#settle()) return;
    const { status, maxBodyBytes } = this.#head as AnswerHead;
    const { message } = this.#refusal as Refusal;
    this.#events.onRefused(this, statusError(status, message, maxBodyBytes), through);
  }

  #settle(): boolean {
    const first = !this.#over;
    this.#over = true;
    return first;
  }
}

function statusError(status: number, message: string, limit: number | undefined): VeracruzError {
  const figures = { layer: HTTP_LAYER, expected: 200, got: status };
  if (status === 404) return new SessionUnknownError(message, figures);
  if (status === 409) return new SessionBusyError(message, figures);
  if (status === 413) return new LimitError(message, limit === undefined ? figures : { ...figures, limit });
  return new HttpStatusError(message, figures);
}

/** The limit that the server announces. `headers` is undici's raw list of names and values. */
function maxBodyOf(headers: readonly Buffer[]): number | undefined {
  const value = Number(headerOf(headers, MAX_BODY_HEADER));
  return Number.isInteger(value) && value >= MIN_BODY_BYTES ? value : undefined;
}

/** The secret that the server gives: 128 to 512 bits of base64url. Anything else is none, because it would be sent back. */
function secretOf(headers: readonly Buffer[]): string | undefined {
  const value = headerOf(headers, SESSION_SECRET_HEADER);
  return value !== undefined && /^[\w-]{22,86}$/.test(value) ? value : undefined;
}

/** Whether the header `connection` has the option `close`. */
function closes(headers: readonly Buffer[]): boolean {
  return /(?:^|,)\s*close\s*(?:,|$)/i.test(headerOf(headers, 'connection') ?? '');
}

function headerOf(headers: readonly Buffer[], name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const found = headers[i] as Buffer;
    if (found.length === name.length && found.toString('latin1').toLowerCase() === name) return headers[i + 1]?.toString('latin1');
  }
  return undefined;
}
