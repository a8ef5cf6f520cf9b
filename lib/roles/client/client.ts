import type { KeyObject } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { definedOf, given, integerInRange } from '../../core/check.js';
import { clock } from '../../core/clock.js';
import { closed } from '../../core/closed.js';
import {
  AbortedError,
  asVeracruzError,
  CertificateError,
  ClosedError,
  InvalidArgumentError,
  LinkError,
  OutcomeUnknownError,
  PeerRejectedError,
  RequestFailedError,
  SessionUnknownError,
  type VeracruzError,
} from '../../core/errors.js';
import { Mutex } from '../../core/semaphore.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import type { IncomingBody, Received, Sent } from '../../layers/protobuf/index.js';
import type { LayerTraffic } from '../../pipeline/diagnostics.js';
import {
  CLIENT_DEFAULTS,
  type ClientOptions,
  type Progress,
  type SaveOptions,
  type TransferOptions,
  type WriteOptions,
} from './options.js';
import { type Piece, sendPieces } from './pieces.js';
import { type ClientChannel, openConnection, type ServerConnection } from './server-connection.js';
import { type FileSource, PieceReader } from './source.js';
import { absolute, exitCodeOf, fileOf, noServer, save, unexpected } from './transfer.js';
import { checkIdentity, type Trust, trustOf } from './trust.js';

const LAYER = 'client';
/** Milliseconds that a client which has ended its side of the session waits for the peer to end too. */
const PEER_END_MS = 1000;

type Request = Sent<'RuntimeManagerRequest'>;
type Response = Received<'RuntimeManagerResponse'>;

export {
  CLIENT_DEFAULTS,
  type ClientOptions,
  type Progress,
  type SaveOptions,
  type TransferOptions,
  type WriteOptions,
} from './options.js';

/**
 * The Veracruz Client: one TLS session with a Runtime Manager, through a Server that sees ciphertext only.
 *
 * Requests are carried out one after the other, in the order of the calls. A request that the manager answers with a failure
 * status leaves the session usable (`ERR_VC_REQUEST_FAILED`). Every other error ends the session. A request whose answer was
 * lost is never repeated: it fails with `ERR_VC_OUTCOME_UNKNOWN`.
 *
 * Emits `progress` (`Progress`) and, once, `close`.
 */
export class VeracruzClient extends EventEmitter<{ progress: [Progress]; close: [VeracruzError | undefined] }> {
  /** Set by `#open`, before `connect` returns the client. */
  #connection!: ServerConnection;
  #channel!: ClientChannel;
  readonly #dialect: Dialect;
  readonly #maxPieceBytes: number;
  /** Requests run one after the other. */
  readonly #requests = new Mutex();
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
  #policyHash: string | undefined;

  private constructor(options: ClientOptions) {
    super();
    const completed = { ...CLIENT_DEFAULTS, ...definedOf(options) };
    this.#dialect = completed.dialect;
    this.#maxPieceBytes = integerInRange('maxPieceBytes', completed.maxPieceBytes, 1, Number.MAX_SAFE_INTEGER);
  }

  async #open(options: ClientOptions, key: KeyObject, { url, authority, cipherSuite, verifyPeer }: Trust): Promise<void> {
    const { maxMessageBytes, identity, handshakeTimeoutMs, answerTimeoutMs, computeTimeoutMs, maxInFlight, signal } = {
      ...CLIENT_DEFAULTS,
      ...definedOf(options),
    };
    this.#connection = await openConnection({
      url,
      dialect: this.#dialect,
      maxMessageBytes,
      tls: { role: 'client', ...identity, key, authority, ...definedOf({ cipherSuite, verifyPeer, handshakeTimeoutMs }) },
      answerTimeoutMs,
      computeTimeoutMs,
      maxInFlight,
      signal,
      awaiting: () => this.#awaiting,
      running: () => this.#running,
    });
    this.#channel = this.#connection.channel;
    this.#channel.on('data', (response: Response) => this.#answered(response));
    this.#channel.on('error', (error) => this.#failed(asVeracruzError(error)));
    this.#channel.on('close', () => {
      this.#failed(new ClosedError('the session is closed', { layer: LAYER }));
      this.emit('close', this.#failure instanceof ClosedError ? undefined : this.#failure);
    });
  }

  /**
   * Opens a session and asks for the policy's hash, since the first answer shows that the manager has accepted the client.
   * The manager's certificate is checked before this request is sent, and its policy before any other request is.
   *
   * @throws InvalidOptionError, PolicyError; CertificateError when the manager has another certificate or policy than
   * expected; PeerRejectedError, TlsHandshakeError, TransportError
   */
  static async connect(options: ClientOptions): Promise<VeracruzClient> {
    given('options', options);
    if (options.signal?.aborted === true) {
      throw new AbortedError('aborted before it connected', { layer: LAYER, cause: options.signal.reason });
    }
    const client = new VeracruzClient(options);
    const key = checkIdentity(options.identity);
    const trust = trustOf(options);
    await client.#open(options, key, trust);
    try {
      const hash = await client.policyHash();
      const expected = trust.policyHash;
      if (expected !== undefined && hash !== expected) {
        throw new CertificateError('the manager runs another policy', { layer: LAYER, expected, got: hash });
      }
      return client;
    } catch (error) {
      client.#channel.destroy();
      // The caller may end the process when it gets the error, so the Server is told first.
      await client.close();
      throw error;
    }
  }

  /** The session's id at the Server, as text; undefined before the first answer. */
  get session(): string | undefined {
    return this.#channel.connection.session;
  }

  /** Counters of every layer, top to wire. */
  traffic(): LayerTraffic[] {
    return this.#channel.traffic();
  }

  /** Bytes on the TCP connections, including HTTP heads, and number of POSTs sent. */
  get wire(): { readonly bytesOut: number; readonly bytesIn: number; readonly posts: number } {
    return this.#connection.wire();
  }

  /**
   * Creates a file at the manager, or replaces it once all bytes have arrived. A file over `maxPieceBytes` (2 GiB), or a
   * stream over 8 MiB without `size`, is sent as one write and several appends. When such a transfer fails in the middle,
   * the file has the pieces that were acknowledged.
   *
   * @param source a path, bytes, or a stream
   */
  writeFile(name: string, source: FileSource, options: WriteOptions = {}): Promise<void> {
    return this.#send('write', name, source, options);
  }

  /** Appends to a file at the manager, or creates it. Up to `maxPieceBytes`, either all bytes are appended or none. */
  appendFile(name: string, source: FileSource, options: WriteOptions = {}): Promise<void> {
    return this.#send('append', name, source, options);
  }

  /**
   * Reads a file of the manager. Returns a Readable with its `length`; the next request waits until the stream was read or
   * destroyed. With `to`, it saves the contents in a local file instead, which appears when it is complete.
   */
  readFile(name: string, options: SaveOptions): Promise<{ readonly bytes: number }>;
  readFile(name: string, options?: TransferOptions): Promise<Readable & { readonly length: number }>;
  async readFile(
    name: string,
    options: TransferOptions & Partial<SaveOptions> = {},
  ): Promise<(Readable & { readonly length: number }) | { bytes: number }> {
    const body = await new Promise<IncomingBody>((resolve, reject) => {
      const read = async (unwatch: () => void) => {
        const file = fileOf(await this.#request({ oneof: 'read_file', fields: { file_name: absolute(name) } }));
        this.#report(file, name, options.onProgress);
        if (file.errored) throw file.errored;
        resolve(file);
        // The request's turn lasts until the body is closed. From that moment on, the signal has no effect.
        file.once('close', unwatch);
        await closed(file);
      };
      this.#during(options.signal, read).catch(reject);
    });
    if (options.to === undefined) return body;
    await save(body, options.to, options.mode ?? CLIENT_DEFAULTS.outputMode, options.signal);
    return { bytes: body.length };
  }

  /**
   * Runs a program that was written to the manager before, and returns its exit code when it has ended. Read its outputs with
   * `readFile`. An abort ends the session.
   *
   * @param program its name at the manager, e.g. `/program/sum.wasm`
   */
  compute(program: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.#run({ oneof: 'request_result', fields: { file_name: absolute(program) } }, signal);
  }

  /**
   * Runs a pipeline of the policy and returns its exit code. Only the head dialect has pipelines.
   *
   * @param pipeline its index in the policy's list, or its name; the original's manager does not take a name
   * @throws InvalidArgumentError in another dialect
   */
  async runPipeline(pipeline: number | string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    if (this.#dialect !== 'head') {
      throw new InvalidArgumentError(`the dialect ${this.#dialect} has no pipelines`, {
        layer: LAYER,
        expected: 'head',
        got: this.#dialect,
      });
    }
    return this.#run({ oneof: 'request_pipeline', fields: { file_name: String(pipeline) } }, signal);
  }

  /** SHA-256 of the manager's policy, 64 lowercase hex digits. Requested once, then remembered. */
  async policyHash({ signal }: { readonly signal?: AbortSignal } = {}): Promise<string> {
    this.#policyHash ??= await this.#ask({ oneof: 'request_policy_hash', fields: {} }, signal, (response) => {
      if (response.oneof !== 'policy_hash') throw unexpected(response);
      return response.fields.data.toString('latin1');
    });
    return this.#policyHash;
  }

  /** Asks the manager to end its service for all clients. */
  async shutdown({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#ask({ oneof: 'request_shutdown', fields: {} }, signal, () => undefined);
  }

  /** Ends the session after the requests before it. */
  async close(): Promise<void> {
    const left = this.#connection.left();
    const ending = this.#during(undefined, () => {
      // The last POST carries the client's close_notify, and its answer usually carries the manager's.
      this.#channel.end(() => this.#leave());
      return left;
    });
    // This rejects when the session fails before its turn. The session has ended then, which is all that `close` is for.
    ending.catch(() => {});
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

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(request: Request, signal: AbortSignal | undefined): Promise<number> {
    return this.#during(signal, async () => {
      this.#running = true;
      try {
        return await exitCodeOf(await this.#request(request));
      } finally {
        this.#running = false;
      }
    });
  }

  /** Sends a request without a body in its turn, and reads its whole answer. */
  #ask<T>(request: Request, signal: AbortSignal | undefined, read: (response: Response) => T | Promise<T>): Promise<T> {
    return this.#during(signal, async () => read(await this.#request(request)));
  }

  async #send(operation: 'write' | 'append', name: string, source: FileSource, options: WriteOptions): Promise<void> {
    const file = absolute(name);
    if (options.size !== undefined) integerInRange('size', options.size, 0, Number.MAX_SAFE_INTEGER);
    const opening = PieceReader.open(source, options.size);
    // An invalid source is reported when the request's turn comes.
    opening.catch(() => {});
    try {
      await this.#during(options.signal, async () => {
        const reader = await opening;
        let sent = 0;
        const report = (bytes: number) => {
          sent += bytes;
          const progress: Progress = { operation, name, bytes: sent, total: reader.size };
          options.onProgress?.(progress);
          this.emit('progress', progress);
        };
        const write = async (data: Piece, first: boolean) => {
          const oneof = first && operation === 'write' ? 'write_file' : 'append_file';
          await this.#request({ oneof, fields: { file_name: file, data } });
        };
        try {
          await sendPieces(reader, this.#maxPieceBytes, { write, report, broken: this.#broken() });
        } finally {
          this.#onBreak = undefined;
        }
      });
    } finally {
      await opening.then(
        (reader) => reader.destroy(),
        () => {},
      );
    }
  }

  /**
   * Runs `work` after the requests before it; later requests wait until it settles. If `signal` fires while `work` runs, the
   * session ends. If it fires earlier, only this request fails. `unwatch` stops watching the signal before `work` settles.
   */
  async #during<T>(signal: AbortSignal | undefined, work: (unwatch: () => void) => Promise<T>): Promise<T> {
    // `acquire` rejects when the signal fires. The error to throw then depends on the session's state.
    const release = await this.#requests.acquire(signal).catch(() => undefined);
    if (release === undefined || signal?.aborted === true || this.#failure !== undefined) {
      release?.();
      throw this.#failure ?? new AbortedError('the request was aborted before it began', { layer: LAYER, cause: signal?.reason });
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

  /** A promise that rejects when the session ends, so that the wait for a silent source ends too. */
  #broken(): Promise<never> {
    const broken = new Promise<never>((_, reject) => {
      this.#onBreak = reject;
      if (this.#failure !== undefined) reject(this.#failure);
    });
    broken.catch(() => {});
    return broken;
  }

  /** Sends a request and returns its answer. Throws RequestFailedError unless the status is SUCCESS. */
  async #request(request: Request): Promise<Response> {
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
      throw new RequestFailedError(`the manager answered ${response.status} to ${asked(request)}`, {
        layer: LAYER,
        session: this.session,
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
    const figures = { layer: LAYER, session: this.session, cause: error };
    if (error instanceof AbortedError) return error;
    if (!this.#accepted) {
      // Without a session id, no Server or manager has answered at all.
      if (this.session === undefined) return noServer(error);
      return error instanceof SessionUnknownError
        ? new PeerRejectedError('the manager ended the session before its first answer: it refused our certificate', figures)
        : error;
    }
    if (!sent || error instanceof OutcomeUnknownError) return error;
    return new OutcomeUnknownError(`the session ended before the answer came: ${error.message}`, figures);
  }

  /** Reports the progress of `body`. An error thrown by a listener destroys the body. */
  #report(body: IncomingBody, name: string, onProgress: TransferOptions['onProgress']): void {
    let told = 0;
    const tell = (bytes: number) => {
      if (body.complete) this.#awaiting = false;
      if (bytes === told || body.destroyed) return;
      told = bytes;
      const progress: Progress = { operation: 'read', name, bytes, total: body.length };
      try {
        onProgress?.(progress);
        this.emit('progress', progress);
      } catch (thrown) {
        // Only the reader of the body gets this error. Thrown on, it would pass through the layers and end the session.
        body.destroy(thrown as Error);
      }
    };
    body.on('received', tell);
    // A small file has arrived before the listener above was added.
    tell(body.received);
  }
}

/** A request in words: what is asked, and of which file. The status alone does not tell which one is not there. */
function asked({ oneof, fields }: Request): string {
  return fields !== undefined && 'file_name' in fields ? `${oneof} ${JSON.stringify(fields.file_name)}` : String(oneof);
}
