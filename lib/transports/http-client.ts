import { Duplex } from 'node:stream';
import { layerChunk } from '../core/as-buffer.js';
import type { DeferredBytes } from '../core/deferred-bytes.js';
import { InvalidArgumentError, OutcomeUnknownError, TimeoutError, TransportError, type VeracruzError } from '../core/errors.js';
import { messageOf } from '../core/message-of.js';
import { StallWatch } from '../core/stall-watch.js';
import { BOUNDARY, type BoundedChunk } from '../core/unit.js';
import { BodyBuffer, BufferPool, type GatheredBody } from './body-buffer.js';
import { BodySize } from './body-size.js';
import { type CompleteExchangeOptions, completeExchangeOptions, type HttpExchangeOptions } from './http-exchange-options.js';
import { HTTP_LAYER, SESSION_SECRET_HEADER } from './http-faults.js';
import { Polls } from './polls.js';
import { type AnswerHead, Post, type PostEvents } from './post.js';
import { PostConnection } from './post-connection.js';

/** An answer without data has at most this many bytes: an id of ten digits and a blank (wire spec §C). It is no progress. */
const EMPTY_ANSWER_BYTES = 11;

export { HTTP_EXCHANGE_DEFAULTS, type HttpExchangeOptions } from './http-exchange-options.js';

/** Complete bodies that may wait for their turn at a server of this library, so that the layers can work while it is busy. */
const MAX_READY_BODIES = 2;
/** Bytes that an original server accepts in a body (wire spec §C). */
const ORIGINAL_MAX_BODY_BYTES = 262_144;
/** A connection that carries this many answers before the peer closes it may be pipelined on: a close costs little then. */
const MANY_ANSWERS = 100;

/** A body that waits for its turn. */
interface ReadyBody {
  readonly body: GatheredBody;
  readonly isPoll: boolean;
}

/**
 * The client's end of an HTTP exchange. Each unit written is the body of one POST. The bodies of the answers are read in the
 * order of the POSTs, with a BOUNDARY after each (wire spec §C).
 *
 *     write:  <bytes> <bytes> BOUNDARY          POST url  Content-Length: …
 *     read:   <bytes> … BOUNDARY                200
 *
 * `DeferredBytes` may be written: they write themselves into the body.
 *
 * All POSTs go over one connection at a time, in order, because TLS bytes are a stream. Each is kept until it is answered, but
 * only a POST that was certainly not processed is sent again:
 *
 *     what is seen                                               what is done
 *     an answer closes its connection, POSTs are open behind it  they are sent again, in order (RFC 9112 §9.6)
 *     413 that does not come from a server of this library       the body is sent again in smaller ones
 *     the connection is lost in any other way                    ERR_VC_OUTCOME_UNKNOWN
 *
 * A status other than 200 ends the exchange with `ERR_VC_HTTP_STATUS` (404: `ERR_VC_SESSION_UNKNOWN`, 409:
 * `ERR_VC_SESSION_BUSY`, 413: `ERR_VC_LIMIT`).
 */
export class HttpExchange extends Duplex {
  readonly #options: CompleteExchangeOptions;
  #connection: PostConnection | undefined;
  /** The unit that is being written. It must be one Buffer, because undici pipelines no other bodies. */
  readonly #body: BodyBuffer;
  readonly #size = new BodySize();
  #inFlight = 0;
  /** One of the open POSTs is a poll. */
  #polling = false;
  /** Complete bodies that wait for an earlier POST to end. */
  #ready: ReadyBody[] = [];
  /** Bodies that must be sent again, as soon as no POST is open. */
  #again: ReadyBody[] = [];
  /** Why they must be, if it is that one of them was too long. */
  #tooLong: VeracruzError | undefined;
  /** The open POST has a longer body than any that was answered. */
  #trying = false;
  /** Connections live long enough for several open POSTs. */
  #pipelines = true;
  /** The callback of a write that waits until one of the complete bodies is sent. */
  #blocked: (() => void) | undefined;
  /** The callback of `_final`, which waits for the last answer. */
  #ending: (() => void) | undefined;
  /** Continues an answer that was paused because the reader had no room. */
  #resumeAnswer: (() => void) | undefined;
  readonly #polls: Polls;
  /** The limit that the server has announced, if it has. */
  #announcedMaxBodyBytes: number | undefined;
  /** The secret that the server has given, if it has. */
  #sessionSecret: string | undefined;
  /** Bytes of the answer that is arriving. */
  #answerBytes = 0;
  /** Number of POSTs sent so far. One that is sent again counts once. */
  posts = 0;
  /** Bytes on the closed TCP connections, HTTP heads included. */
  #wire = { bytesOut: 0, bytesIn: 0 };
  /** Number of signs of life of the server. */
  #signs = 0;
  readonly #watch: StallWatch;
  readonly #events: PostEvents = {
    onHead: (post, head) => this.#headCame(post, head),
    onPiece: (piece, resume) => this.#pieceCame(piece, resume),
    onAnswered: (post) => this.#answered(post),
    onRefused: (post, error, through) => this.#refused(post, error, through),
    onUnread: (post) => this.#unread(post),
    onLost: (_, cause) => this.#lost(cause),
  };

  constructor(options: HttpExchangeOptions) {
    super({ objectMode: true, readableHighWaterMark: 8, writableHighWaterMark: 8 });
    this.#options = completeExchangeOptions(options);
    this.#body = new BodyBuffer(new BufferPool(this.#options.maxInFlight + MAX_READY_BODIES));
    this.#polls = new Polls({
      body: this.#options.poll,
      possible: () => this.#inFlight === 0 && this.#body.length === 0 && !this.writableEnded && !this.destroyed,
      readerIsFull: () => this.readableLength >= this.readableHighWaterMark,
      post: (bytes) => this.#post({ body: { bytes, release: () => {} }, isPoll: true }),
    });
    this.#watch = new StallWatch({
      limitMs: this.#options.answerTimeoutMs,
      due: () => this.#inFlight > 0 && !this.destroyed,
      signs: () => this.#signsOfLife(),
      stalled: () => this.#stalled(),
    });
  }

  /**
   * Bytes that the way to the server takes in one body: 262,144, as an original server does, until it announces another limit,
   * and less where somebody on the way has refused a body as too long.
   */
  get maxBodyBytes(): number {
    return Math.min(this.#announcedMaxBodyBytes ?? ORIGINAL_MAX_BODY_BYTES, this.#size.limit);
  }

  /** Bytes that the next body should have, so that it is answered within a few seconds: at most `maxBodyBytes`. */
  get bodyBytes(): number {
    return Math.min(this.maxBodyBytes, this.#size.bytes);
  }

  /** Headers that go with each request for the session: its secret, once the server has given one. */
  get sessionHeaders(): Readonly<Record<string, string>> {
    return this.#sessionSecret === undefined ? {} : { [SESSION_SECRET_HEADER]: this.#sessionSecret };
  }

  /** Bytes that went over TCP so far, in both directions, HTTP heads included. */
  get wireBytes(): { readonly bytesOut: number; readonly bytesIn: number } {
    return {
      bytesOut: this.#wire.bytesOut + (this.#connection?.bytesOut ?? 0),
      bytesIn: this.#wire.bytesIn + (this.#connection?.bytesIn ?? 0),
    };
  }

  /** True while a written body was not answered yet. A poll does not count. */
  get sending(): boolean {
    return this.#ready.length > 0 || this.#inFlight > (this.#polling ? 1 : 0);
  }

  /** Tells that the caller awaits an answer from now on. `poll` is then called whenever no POST is open. */
  expectAnswer(): void {
    this.#polls.hurry();
    this.#polls.schedule();
  }

  override _write(given: BoundedChunk | DeferredBytes, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const chunk = layerChunk(given, encoding);
    if (chunk !== BOUNDARY) {
      if (canBeCopied(chunk)) {
        this.#body.append(chunk);
        done();
      } else done(new InvalidArgumentError(`a body is bytes, got ${typeof chunk}`, { layer: HTTP_LAYER }));
      return;
    }
    this.#ready.push({ body: this.#body.take(), isPoll: false });
    this.#postReady();
    if (this.#hasRoom) done();
    else this.#blocked = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#polls.cancel();
    if (this.#body.length > 0) this.#ready.push({ body: this.#body.take(), isPoll: false });
    this.#ending = done;
    this.#postReady();
    if (this.#inFlight === 0) this.#end();
  }

  override _read(): void {
    const resume = this.#resumeAnswer;
    this.#resumeAnswer = undefined;
    resume?.();
    this.#polls.roomMade();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#polls.cancel();
    this.#watch.end();
    this.#connection?.destroy();
    done(error);
  }

  /** An original server may hand two open POSTs of one session to different threads, so it gets one at a time. */
  get #maxInFlight(): number {
    return this.#announcedMaxBodyBytes === undefined || !this.#pipelines ? 1 : this.#options.maxInFlight;
  }

  /** Whether another body may be written. */
  get #hasRoom(): boolean {
    const maxReady = this.#announcedMaxBodyBytes === undefined ? 0 : MAX_READY_BODIES;
    return this.#inFlight + this.#ready.length < this.#maxInFlight + maxReady;
  }

  /** Sends the complete bodies, as many as may be open at once. */
  #postReady(): void {
    while (this.#inFlight < this.#maxInFlight && this.#again.length === 0 && !this.destroyed) {
      const next = this.#ready[0];
      if (next === undefined) return;
      const { length } = next.body.bytes;
      const untried = this.#size.untried(length);
      if (this.#inFlight > 0 && (untried || this.#trying)) return;
      this.#ready.shift();
      if (length > this.#size.limit) this.#cut(next);
      else {
        this.#trying = untried;
        this.#post(next);
      }
    }
  }

  /** Puts smaller bodies in the place of one that is too long for somebody on the way. */
  #cut({ body, isPoll }: ReadyBody): void {
    const parts = this.#options.split(body.bytes, this.#size.limit);
    if (parts === undefined) {
      this.destroy(this.#tooLong);
      return;
    }
    body.release();
    this.#ready.unshift(...parts.map((bytes) => ({ body: { bytes, release: () => {} }, isPoll })));
  }

  #post({ body, isPoll }: ReadyBody): void {
    this.#polls.cancel();
    this.posts++;
    if (this.#inFlight++ === 0) this.#watch.begin();
    if (isPoll) this.#polling = true;
    this.#connection ??= new PostConnection(this.#options, (closed) => {
      // No POST is open, so a new connection repeats nothing.
      if (this.#inFlight === 0) this.#leave(closed);
    });
    new Post(body, isPoll, this.#connection, this.#events).send(this.#options.path, this.sessionHeaders);
  }

  /** The next POST opens a new connection. */
  #leave(connection: PostConnection): void {
    if (this.#connection !== connection || this.destroyed) return;
    this.#wire = this.wireBytes;
    this.#connection = undefined;
  }

  #headCame({ connection }: Post, { maxBodyBytes, sessionSecret, closes }: AnswerHead): void {
    this.#signs++;
    this.#answerBytes = 0;
    this.#announcedMaxBodyBytes ??= maxBodyBytes;
    this.#sessionSecret ??= sessionSecret;
    if (closes) this.#notePeerCloses(connection);
  }

  #pieceCame(piece: Buffer, resume: () => void): boolean {
    this.#signs++;
    this.#answerBytes += piece.length;
    if (this.#answerBytes > EMPTY_ANSWER_BYTES) this.#polls.hurry();
    if (this.push(piece)) return true;
    this.#resumeAnswer = resume;
    return false;
  }

  #answered(post: Post): void {
    this.#settled(post);
    if (this.destroyed) return;
    if (this.#again.length > 0) {
      // What stood behind a refused body was taken: the server's stream has a gap now.
      this.destroy(this.#tooLong);
      return;
    }
    if (!post.isPoll) this.#size.answered(post.body.bytes.length, post.begunAt);
    // The Buffer may be used again now. A server that answers before it has read the body harms only itself.
    post.body.release();
    this.push(BOUNDARY);
    this.#postReady();
    if (this.#hasRoom) {
      const blocked = this.#blocked;
      this.#blocked = undefined;
      blocked?.();
    }
    if (this.#inFlight > 0) return;
    if (this.#ending === undefined) this.#polls.schedule();
    else this.#end();
  }

  #refused(post: Post, error: VeracruzError, through: boolean): void {
    this.#settled(post);
    if (this.destroyed) return;
    if (!through || !post.tooLongOnTheWay || !this.#size.refused(post.body.bytes.length)) {
      this.destroy(error);
      return;
    }
    this.#tooLong = error;
    this.#sendAgain(post);
  }

  #unread(post: Post): void {
    this.#settled(post);
    if (this.destroyed) return;
    this.#leave(post.connection);
    if (post.begun) this.#notePeerCloses(post.connection);
    this.#sendAgain(post);
  }

  /** Sends a POST again that was not processed: in its order, when those behind it are known to be unprocessed too. */
  #sendAgain({ body, isPoll }: Post): void {
    this.posts--;
    this.#again.push({ body, isPoll });
    if (this.#inFlight > 0) return;
    this.#ready.unshift(...this.#again);
    this.#again = [];
    this.#postReady();
  }

  #settled({ isPoll }: Post): void {
    this.#signs++;
    this.#inFlight--;
    if (isPoll) this.#polling = false;
  }

  /** Each POST behind a closing answer must be sent again, so there are none behind it from now on. */
  #notePeerCloses({ answers }: PostConnection): void {
    if (answers < MANY_ANSWERS) this.#pipelines = false;
  }

  /** All POSTs are answered, and no further one will be sent. */
  #end(): void {
    this.#ending?.();
    this.#ending = undefined;
    this.push(null);
  }

  #lost(cause: Error): void {
    this.#inFlight--;
    if (this.destroyed) return;
    // Nothing was sent yet where the connection was never there.
    if (cause instanceof TransportError) this.destroy(cause);
    else this.#outcomeUnknown(messageOf(cause), cause);
  }

  /** A reader that makes the peer wait, and a connection that is being made, have deadlines of their own. */
  #signsOfLife(): number {
    if (this.#resumeAnswer !== undefined || this.#connection?.connecting === true) this.#signs++;
    return this.#signs + this.#wire.bytesOut + (this.#connection?.bytesSent ?? 0);
  }

  #stalled(): void {
    const limit = this.#options.answerTimeoutMs;
    const cause = new TimeoutError(`neither a body nor an answer moved for ${limit} ms`, { layer: HTTP_LAYER, limit });
    this.#outcomeUnknown(cause.message, cause);
  }

  #outcomeUnknown(why: string, cause: Error): void {
    this.destroy(new OutcomeUnknownError(`the connection was lost with a POST under way: ${why}`, { layer: HTTP_LAYER, cause }));
  }
}

/** Buffers and deferred bytes; the stream is in object mode, so anything may be written to it. */
function canBeCopied(chunk: unknown): chunk is Buffer | DeferredBytes {
  return typeof (chunk as DeferredBytes).copy === 'function';
}
