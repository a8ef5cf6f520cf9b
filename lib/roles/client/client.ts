import type { KeyObject } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { definedOf, given, integerInRange } from '../../core/check.js';
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
/** Milliseconds that a client which has ended its session waits for the peer's end. */
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
 * Requests are carried out one after the other, in the order of the calls. A request that fails with a status leaves
 * the session usable (`ERR_VC_REQUEST_FAILED`); every other fault ends it. A request whose answer was lost is never
 * repeated: it fails with `ERR_VC_OUTCOME_UNKNOWN`.
 *
 * Emits `progress` (`Progress`) and, once, `close`.
 */
export class VeracruzClient extends EventEmitter<{ progress: [Progress]; close: [VeracruzError | undefined] }> {
  /** Set as soon as the connection stands, before anybody has the client. */
  #connection!: ServerConnection;
  #channel!: ClientChannel;
  readonly #dialect: Dialect;
  readonly #maxPieceBytes: number;
  /** Requests run one after the other. */
  readonly #requests = new Mutex();
  /** Takes the answer to the request that is under way. */
  #onAnswer: ((response: Response) => void) | undefined;
  #onFailure: ((error: VeracruzError) => void) | undefined;
  /** Ends the gathering of a piece: no request is under way then. */
  #onBreak: ((error: VeracruzError) => void) | undefined;
  /** An answer is due, or its body is still coming: the Server is asked for output. */
  #awaiting = false;
  /** The answer is a program's, and may be as long in coming as that runs. */
  #running = false;
  /** The manager has answered once: it has accepted us. */
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
    const { maxMessageBytes, identity, handshakeTimeoutMs, answerTimeoutMs, computeTimeoutMs, signal } = {
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
   * Opens a session and asks for the policy's hash: its answer is the first sign that the manager has accepted us. The
   * manager's certificate is judged before that question leaves, its policy before anything else does.
   *
   * @throws InvalidOptionError, PolicyError; CertificateError for a manager that is not the right one, PeerRejectedError,
   * TlsHandshakeError, TransportError
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
      // The Server hears of it before the caller does, who may end the process.
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

  /** Bytes on the TCP connection, HTTP heads included, and POSTs sent. */
  get wire(): { readonly bytesOut: number; readonly bytesIn: number; readonly posts: number } {
    return this.#connection.wire();
  }

  /**
   * Writes a file at the manager; the old one, if any, is replaced when all of it is there. A file over `maxPieceBytes`
   * (2 GiB), or a stream without `size` over 8 MiB, is written as a first piece and appended to: when that fails in the
   * middle, the file has the pieces that were acknowledged.
   *
   * @param source a path, bytes, or a stream
   */
  writeFile(name: string, source: FileSource, options: WriteOptions = {}): Promise<void> {
    return this.#send('write', name, source, options);
  }

  /** Appends to a file at the manager, or makes it. All or nothing, up to `maxPieceBytes`. */
  appendFile(name: string, source: FileSource, options: WriteOptions = {}): Promise<void> {
    return this.#send('append', name, source, options);
  }

  /**
   * Reads a file of the manager: as a Readable with its `length`, which must be read (or destroyed) before the next
   * request is carried out; or, with `to`, into a file, which appears when it is complete.
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
        // Its turn lasts until it is read, or nobody wants it any more; a signal that fires then comes too late at once.
        file.once('close', unwatch);
        await closed(file);
      };
      this.#during(options.signal, read).catch(reject);
    });
    if (options.to === undefined) return body;
    await save(body, options.to, options.mode ?? CLIENT_DEFAULTS.outputMode);
    return { bytes: body.length };
  }

  /**
   * Runs a program that was written before, and gives its exit code; outputs are read with `readFile`. It takes as long
   * as the program does; aborting it ends the session.
   *
   * @param program its name at the manager, e.g. `/program/sum.wasm`
   */
  compute(program: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.#run({ oneof: 'request_result', fields: { file_name: absolute(program) } }, signal);
  }

  /**
   * Runs a pipeline of the policy, and gives its exit code. Of the head dialect only.
   *
   * @param pipeline its index in the policy's list; or, where the manager is one of ours, its name
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

  /** SHA-256 of the manager's policy, 64 lowercase hex digits. Asked once, then remembered. */
  async policyHash({ signal }: { readonly signal?: AbortSignal } = {}): Promise<string> {
    this.#policyHash ??= await this.#ask({ oneof: 'request_policy_hash', fields: {} }, signal, (response) => {
      if (response.oneof !== 'policy_hash') throw unexpected(response);
      return response.fields.data.toString('latin1');
    });
    return this.#policyHash;
  }

  /** Asks the manager to end its service, for everybody. */
  async shutdown({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#ask({ oneof: 'request_shutdown', fields: {} }, signal, () => undefined);
  }

  /** Ends the session when the requests before it are over. */
  async close(): Promise<void> {
    const left = this.#connection.left();
    const ending = this.#during(undefined, () => {
      // The last POST carries close_notify, and so does its answer, as a rule.
      this.#channel.end(() => this.#leave());
      return left;
    });
    // A session that ends by itself, while requests before this are under way, need not be ended.
    ending.catch(() => {});
    await left;
  }

  /** Our end is out: lets go of the channel when the peer's end has come, which is not waited for long. */
  #leave(): void {
    const channel = this.#channel;
    const leave = () => void channel.destroy();
    if (channel.readableEnded) leave();
    else {
      const late = setTimeout(leave, PEER_END_MS);
      channel.once('end', leave).once('close', () => clearTimeout(late));
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

  /** A request without a body: in its turn, and with its answer read to the end. */
  #ask<T>(request: Request, signal: AbortSignal | undefined, read: (response: Response) => T | Promise<T>): Promise<T> {
    return this.#during(signal, async () => read(await this.#request(request)));
  }

  async #send(operation: 'write' | 'append', name: string, source: FileSource, options: WriteOptions): Promise<void> {
    const file = absolute(name);
    if (options.size !== undefined) integerInRange('size', options.size, 0, Number.MAX_SAFE_INTEGER);
    const opening = PieceReader.open(source, options.size);
    // A source that is none is told of in its turn.
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
   * Does `work` when the requests before it are over; those behind it wait until it settles. Until then `signal` ends the
   * session; if it fires before `work` begins, the session is not touched. `unwatch` lets go of the signal earlier.
   */
  async #during<T>(signal: AbortSignal | undefined, work: (unwatch: () => void) => Promise<T>): Promise<T> {
    // It rejects when the signal fires; what to say then depends on how the session is.
    const release = await this.#requests.acquire(signal).catch(() => undefined);
    if (release === undefined || signal?.aborted === true || this.#failure !== undefined) {
      release?.();
      throw this.#failure ?? new AbortedError('the request was aborted before it began', { layer: LAYER, cause: signal?.reason });
    }
    // In the same breath as the look at `aborted`: nobody would hear of what fires in between.
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

  /** Rejects when the session ends: a source that is being read may say nothing meanwhile. */
  #broken(): Promise<never> {
    const broken = new Promise<never>((_, reject) => {
      this.#onBreak = reject;
      if (this.#failure !== undefined) reject(this.#failure);
    });
    broken.catch(() => {});
    return broken;
  }

  /** Sends a request and gives its answer, if that says SUCCESS. */
  async #request(request: Request): Promise<Response> {
    // It may have ended while the source of this request was read.
    if (this.#failure !== undefined) throw this.#failure;
    let sent = false;
    const answer = new Promise<Response>((resolve, reject) => {
      const fail = (error: VeracruzError) => reject(this.#judge(error, sent));
      this.#onAnswer = resolve;
      this.#onFailure = fail;
      this.#channel.write(request, (error) => {
        // A message that could not be written to its end is none: its outcome is known.
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
      throw new RequestFailedError(`the manager answered ${response.status} to ${request.oneof}`, {
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
    // The body of a result may still be coming: then output is asked for until all of it is there.
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

  /** What a fault of the session means for the request that was under way. */
  #judge(error: VeracruzError, sent: boolean): VeracruzError {
    const figures = { layer: LAYER, session: this.session, cause: error };
    if (error instanceof AbortedError) return error;
    if (!this.#accepted) {
      // Nobody can have ended a session that never had an id.
      if (this.session === undefined) return noServer(error);
      return error instanceof SessionUnknownError
        ? new PeerRejectedError('the manager ended the session before its first answer: it refused our certificate', figures)
        : error;
    }
    if (!sent || error instanceof OutcomeUnknownError) return error;
    return new OutcomeUnknownError(`the session ended before the answer came: ${error.message}`, figures);
  }

  /** Tells how far `body` has come; what a listener throws ends the body. */
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
        // The reader is told. To the layers that the bytes come through, it would be a fault of the session.
        body.destroy(thrown as Error);
      }
    };
    body.on('received', tell);
    // A small file is there before anybody can listen.
    tell(body.received);
  }
}
