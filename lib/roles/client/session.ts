import type { KeyObject } from 'node:crypto';
import { definedOf, integerInRange } from '../../core/check.js';
import { clock } from '../../core/clock.js';
import {
  AbortedError,
  asVeracruzError,
  ClosedError,
  LinkError,
  OutcomeUnknownError,
  PeerRejectedError,
  RequestFailedError,
  SessionUnknownError,
  TimeoutError,
  type VeracruzError,
} from '../../core/errors.js';
import type { Received, Sent } from '../../layers/protobuf/index.js';
import { HTTP_EXCHANGE_DEFAULTS } from '../../transports/http-client.js';
import { CLIENT_DEFAULTS, type ClientOptions } from './options.js';
import { type ClientChannel, openConnection, type ServerConnection, type ServerConnectionOptions } from './server-connection.js';
import { noServer } from './transfer.js';
import type { Trust } from './trust.js';
import { type OpenBody, Turns } from './turns.js';

const LAYER = 'client';
/** Milliseconds that a client which has ended its side of the session waits for the peer to end too. */
const PEER_END_MS = 1000;

export type Request = Sent<'RuntimeManagerRequest'>;
export type Response = Received<'RuntimeManagerResponse'>;

/** What a session's connection is made of, but for what it asks the session. */
export function connectionOf(
  options: ClientOptions,
  key: KeyObject,
  { url, authority, cipherSuite, verifyPeer }: Trust,
): Omit<ServerConnectionOptions, 'awaiting' | 'running'> {
  const { dialect, maxMessageBytes, identity, handshakeTimeoutMs, answerTimeoutMs, computeTimeoutMs, maxInFlight, signal } = {
    ...CLIENT_DEFAULTS,
    ...definedOf(options),
  };
  return {
    url,
    dialect,
    maxMessageBytes,
    tls: { role: 'client', ...identity, key, authority, ...definedOf({ cipherSuite, verifyPeer, handshakeTimeoutMs }) },
    answerTimeoutMs,
    computeTimeoutMs,
    maxInFlight,
    signal,
  };
}

/**
 * A client's TLS session with a Runtime Manager: requests in their turns, each with its answer, and what it means for a request
 * when the session fails.
 */
export class ClientSession {
  /** Set by `open`. */
  #connection!: ServerConnection;
  #channel!: ClientChannel;
  readonly #turns: Turns;
  /** Takes the answer to the request that is under way. */
  #onAnswer: ((response: Response) => void) | undefined;
  #onFailure: ((error: VeracruzError) => void) | undefined;
  /** Ends the wait for a source. No request is under way then, so `#onFailure` is not set. */
  #onBreak: ((error: VeracruzError) => void) | undefined;
  /** An answer is due, or its body is still arriving. The client then polls the Server. */
  #awaiting = false;
  /** The answer that is due is a program's, so it may take as long as the program runs. */
  #running = false;
  /** The manager has answered once, so it has accepted the client's certificate. */
  #accepted = false;
  #failure: VeracruzError | undefined;

  private constructor({ answerTimeoutMs, readTimeoutMs }: ClientOptions) {
    this.#turns = new Turns({
      waitMs: answerTimeoutMs ?? HTTP_EXCHANGE_DEFAULTS.answerTimeoutMs,
      readTimeoutMs: integerInRange('readTimeoutMs', readTimeoutMs ?? CLIENT_DEFAULTS.readTimeoutMs, 0, 2 ** 31 - 1),
      onUnread: (error) => this.#channel.destroy(error),
    });
  }

  /** @param onClose called once, with the fault that ended the session if it was one */
  static async open(
    options: ClientOptions,
    key: KeyObject,
    trust: Trust,
    onClose: (error: VeracruzError | undefined) => void,
  ): Promise<ClientSession> {
    const session = new ClientSession(options);
    await session.#connect(options, key, trust);
    const channel = session.#channel;
    channel.on('data', (response: Response) => session.#answered(response));
    channel.on('error', (error) => session.#failed(asVeracruzError(error)));
    channel.on('close', () => {
      session.#failed(new ClosedError('the session is closed', { layer: LAYER }));
      onClose(session.#failure instanceof ClosedError ? undefined : session.#failure);
    });
    return session;
  }

  async #connect(options: ClientOptions, key: KeyObject, trust: Trust): Promise<void> {
    this.#connection = await openConnection({
      ...connectionOf(options, key, trust),
      awaiting: () => this.#awaiting,
      running: () => this.#running,
    });
    this.#channel = this.#connection.channel;
  }

  get connection(): ServerConnection {
    return this.#connection;
  }

  get channel(): ClientChannel {
    return this.#channel;
  }

  /** The session's id at the Server, as text; undefined before the first answer. */
  get id(): string | undefined {
    return this.#channel.connection.session;
  }

  /** The turn of the present request lasts until this body was read. */
  reading(open: OpenBody): void {
    this.#turns.reading(open);
  }

  /** Whether requests wait until this body was read. */
  holds(body: unknown): OpenBody | undefined {
    return this.#turns.holds(body);
  }

  /** The rest of an answer's body has come. */
  arrived(): void {
    this.#awaiting = false;
  }

  /** Ends the session after the requests before it. */
  async close(): Promise<void> {
    const left = this.#connection.left();
    const ending = this.during(undefined, () => {
      // The last POST carries the client's close_notify, and its answer usually carries the manager's.
      this.#channel.end(() => this.#leave());
      return left;
    });
    // This rejects when the session fails before its turn. The session has ended then, which is all that `close` is for.
    ending.catch((error: unknown) => {
      // Somebody has left a body unread: nothing is lost with the session that he could still read.
      if (error instanceof TimeoutError) this.#channel.destroy();
    });
    await left;
  }

  /** Destroys the channel when the peer has ended its side too, or after `PEER_END_MS`. */
  #leave(): void {
    const channel = this.#channel;
    const leave = () => void channel.destroy();
    if (channel.readableEnded) leave();
    else {
      const late = clock.setTimeout(leave, PEER_END_MS);
      channel.once('end', leave).once('close', () => clock.clear(late));
    }
  }

  /** Runs a request whose answer comes when a program has ended. */
  running<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    return this.during(signal, async () => {
      this.#running = true;
      try {
        return await work();
      } finally {
        this.#running = false;
      }
    });
  }

  /**
   * Runs `work` after the requests before it; later requests wait until it settles. If `signal` fires while `work` runs, the
   * session ends. If it fires earlier, only this request fails. `unwatch` stops watching the signal before `work` settles.
   */
  async during<T>(signal: AbortSignal | undefined, work: (unwatch: () => void) => Promise<T>): Promise<T> {
    let late: unknown;
    const release = await Promise.resolve(this.#turns.take(signal)).catch((error: unknown) => {
      late = error;
    });
    if (release === undefined || signal?.aborted === true || this.#failure !== undefined) {
      release?.();
      throw this.#notBegun(signal, late);
    }
    // There must be no await between the check of `aborted` and this listener, or an abort in between would be missed.
    const abort = () => this.#channel.destroy(new AbortedError('the transfer was aborted', { layer: LAYER, cause: signal?.reason }));
    signal?.addEventListener('abort', abort, { once: true });
    const unwatch = () => signal?.removeEventListener('abort', abort);
    try {
      return await work(unwatch);
    } finally {
      unwatch();
      this.#awaiting = false;
      release();
    }
  }

  /** Why a request did not begin: what the session failed of, if it has, or what ended the wait for its turn. */
  #notBegun(signal: AbortSignal | undefined, late: unknown): VeracruzError {
    if (this.#failure !== undefined) return this.#failure;
    if (late instanceof TimeoutError && signal?.aborted !== true) return late;
    return new AbortedError('the request was aborted before it began', { layer: LAYER, cause: signal?.reason });
  }

  /** A promise that rejects when the session ends, so that the wait for a silent source ends too. */
  broken(): Promise<never> {
    const broken = new Promise<never>((_, reject) => {
      this.#onBreak = reject;
      if (this.#failure !== undefined) reject(this.#failure);
    });
    broken.catch(() => {});
    return broken;
  }

  /** Nobody waits for `broken` any more. */
  unbroken(): void {
    this.#onBreak = undefined;
  }

  /** Sends a request and returns its answer. Throws RequestFailedError unless the status is SUCCESS. */
  async request(request: Request): Promise<Response> {
    // The session may have ended while the source of this request was read.
    if (this.#failure !== undefined) throw this.#failure;
    let sent = false;
    const answer = new Promise<Response>((resolve, reject) => {
      const fail = (error: VeracruzError) => reject(this.#judge(error, sent));
      this.#onAnswer = resolve;
      this.#onFailure = fail;
      this.#channel.write(request, (error) => {
        // The manager ignores an incomplete message, so the outcome of this request is known.
        if (error) {
          fail(this.#failure ?? asVeracruzError(this.#channel.errored ?? error));
          return;
        }
        sent = true;
        if (this.#onAnswer === undefined) return;
        this.#awaiting = true;
        this.#connection.expectAnswer();
      });
    });
    const response = await answer;
    if (response.status !== 'SUCCESS') {
      throw new RequestFailedError(`the manager answered ${response.status} to ${asked(request)}${doubt(request, response)}`, {
        layer: LAYER,
        session: this.id,
        expected: 'SUCCESS',
        got: response.status ?? 'UNSET',
      });
    }
    return response;
  }

  #answered(response: Response): void {
    const onAnswer = this.#onAnswer;
    if (onAnswer === undefined) {
      this.#channel.destroy(new LinkError('the manager answered what was not asked', { layer: LAYER }));
      return;
    }
    this.#onAnswer = undefined;
    this.#onFailure = undefined;
    this.#accepted = true;
    // While the body of a result is still arriving, the client goes on polling the Server.
    this.#awaiting = response.oneof === 'result' && !response.fields.data.complete;
    onAnswer(response);
  }

  #failed(error: VeracruzError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#onFailure?.(error);
    this.#onBreak?.(error);
    this.#onAnswer = undefined;
    this.#onFailure = undefined;
  }

  /** The error of the request under way, when the session fails with `error`. */
  #judge(error: VeracruzError, sent: boolean): VeracruzError {
    const figures = { layer: LAYER, session: this.id, cause: error };
    if (error instanceof AbortedError) return error;
    if (!this.#accepted) {
      // Without a session id, no Server or manager has answered at all.
      if (this.id === undefined) return noServer(error);
      return error instanceof SessionUnknownError
        ? new PeerRejectedError('the manager ended the session before its first answer: it refused our certificate', figures)
        : error;
    }
    if (!sent || error instanceof OutcomeUnknownError) return error;
    return new OutcomeUnknownError(`the session ended before the answer came: ${error.message}`, figures);
  }
}

/** A request in words: what is asked, and of which file. The status alone does not tell which one is not there. */
function asked({ oneof, fields }: Request): string {
  return fields !== undefined && 'file_name' in fields ? `${oneof} ${JSON.stringify(fields.file_name)}` : String(oneof);
}

/** A manager of another dialect takes a pipeline for a request that it does not know. One of ours says the same of a wrong name. */
function doubt({ oneof }: Request, { status }: Response): string {
  if (oneof !== 'request_pipeline' || status !== 'FAILED_INVALID_REQUEST') return '';
  return ': the policy has no such pipeline, or the manager does not speak the dialect head';
}
