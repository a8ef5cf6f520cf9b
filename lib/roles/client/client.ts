import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { given, optionsOf } from '../../core/check.js';
import { AbortedError, CertificateError, InvalidArgumentError, type VeracruzError } from '../../core/errors.js';
import type { LayerTraffic } from '../../pipeline/diagnostics.js';
import { targetPath } from './local-file.js';
import {
  CLIENT_DEFAULTS,
  type ClientOptions,
  clientLimits,
  type Progress,
  type SaveOptions,
  type TransferOptions,
  type WriteOptions,
} from './options.js';
import type { ClientSession, Request, Response } from './session.js';
import type { FileSource } from './source.js';

const LAYER = 'client';

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
  /** Set by `connect`, as is the session. */
  #parts!: typeof import('./parts.js');
  #session!: ClientSession;
  readonly #limits: ReturnType<typeof clientLimits>;
  #policyHash: string | undefined;

  private constructor(options: ClientOptions) {
    super();
    this.#limits = clientLimits(options);
  }

  /**
   * Opens a session and asks for the policy's hash, since the first answer shows that the manager has accepted the client.
   * The manager's certificate is checked before this request is sent, and its policy before any other request is.
   *
   * @throws InvalidOptionError, PolicyError; CertificateError when the manager has another certificate or policy than
   * expected; PeerRejectedError, TlsHandshakeError, TransportError
   */
  static async connect(options: ClientOptions): Promise<VeracruzClient> {
    optionsOf(LAYER, () => given('options', options));
    const parts = await import('./parts.js');
    if (options.signal?.aborted === true) {
      throw new AbortedError('aborted before it connected', { layer: LAYER, cause: options.signal.reason });
    }
    const [client, key, trust] = optionsOf(
      LAYER,
      () => [new VeracruzClient(options), parts.checkIdentity(options.identity), parts.trustOf(options)] as const,
    );
    client.#parts = parts;
    client.#session = await parts.ClientSession.open(options, key, trust, (error) => client.emit('close', error));
    try {
      const hash = await client.policyHash();
      const expected = trust.policyHash;
      if (expected !== undefined && hash !== expected) {
        throw new CertificateError('the manager runs another policy', { layer: LAYER, expected, got: hash });
      }
      return client;
    } catch (error) {
      client.#session.channel.destroy();
      // The caller may end the process when it gets the error, so the Server is told first.
      await client.close();
      throw error;
    }
  }

  /** The session's id at the Server, as text; undefined before the first answer. */
  get session(): string | undefined {
    return this.#session.id;
  }

  /** Counters of every layer, top to wire. */
  traffic(): LayerTraffic[] {
    return this.#session.channel.traffic();
  }

  /** Bytes on the TCP connections, including HTTP heads, and number of POSTs sent. */
  get wire(): { readonly bytesOut: number; readonly bytesIn: number; readonly posts: number } {
    return this.#session.connection.wire();
  }

  /**
   * Creates a file at the manager, or replaces it once all bytes have arrived. A file over `maxPieceBytes` (2 GiB), or a
   * stream over 8 MiB without `size`, is sent as one write and several appends. When such a transfer fails in the middle,
   * the file has the pieces that were acknowledged.
   *
   * @param source the contents: text (UTF-8), bytes, a Blob, a stream or iterable of bytes; or `{ path }` or a `file:` URL of a
   * file on this side
   */
  writeFile(name: string, source: FileSource, options: WriteOptions = {}): Promise<void> {
    return this.#send('write', name, source, options);
  }

  /** Appends to a file at the manager, or creates it. Up to `maxPieceBytes`, either all bytes are appended or none. */
  appendFile(name: string, source: FileSource, options: WriteOptions = {}): Promise<void> {
    return this.#send('append', name, source, options);
  }

  /**
   * Reads a file of the manager. Returns a Readable with its `length`. One of up to `maxBufferedBodyBytes` (256 KiB) is in memory
   * then; after a longer one, the next request waits until the stream was read or destroyed, and fails with `ERR_VC_TIMEOUT`
   * when nothing is read of it for `answerTimeoutMs`. `Readable.toWeb` makes a web stream of it. With `to`, it saves the contents
   * in a file on this side instead, which appears when it is complete. `to` may be a FIFO or a device, too: it is written as the
   * contents come, and must take something every `readTimeoutMs`.
   *
   * @throws RequestFailedError; with `to` also InvalidArgumentError for a path that cannot be written, LocalFileError when the
   * disk is full or fails, TimeoutError when nobody reads a FIFO
   */
  readFile(name: string, options: SaveOptions): Promise<{ readonly bytes: number }>;
  readFile(name: string, options?: TransferOptions): Promise<Readable & { readonly length: number }>;
  async readFile(
    name: string,
    options: TransferOptions & Partial<SaveOptions> = {},
  ): Promise<(Readable & { readonly length: number }) | { bytes: number }> {
    const path = options.to === undefined ? undefined : targetPath(options.to);
    const body = await this.#parts.download(this.#session, {
      name,
      options,
      maxBufferedBodyBytes: this.#limits.maxBufferedBodyBytes,
      tell: (progress) => this.emit('progress', progress),
    });
    if (path === undefined) return body;
    const { mode = CLIENT_DEFAULTS.outputMode, signal } = options;
    await this.#parts.save(body, path, { mode, signal, timeoutMs: this.#limits.readTimeoutMs });
    return { bytes: body.length };
  }

  /**
   * Runs a program that was written to the manager before, and returns its exit code when it has ended. Read its outputs with
   * `readFile`. An abort ends the session.
   *
   * @param program its name at the manager, e.g. `/program/sum.wasm`
   */
  compute(program: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.#run({ oneof: 'request_result', fields: { file_name: this.#parts.absolute(program) } }, signal);
  }

  /**
   * Runs a pipeline of the policy and returns its exit code. Only the head dialect has pipelines.
   *
   * @param pipeline its index in the policy's list, or its name; the original's manager does not take a name
   * @throws InvalidArgumentError in another dialect
   */
  async runPipeline(pipeline: number | string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<number> {
    const { dialect } = this.#limits;
    if (dialect !== 'head') {
      throw new InvalidArgumentError(`the dialect ${dialect} has no pipelines`, { layer: LAYER, expected: 'head', got: dialect });
    }
    return this.#run({ oneof: 'request_pipeline', fields: { file_name: String(pipeline) } }, signal);
  }

  /** SHA-256 of the manager's policy, 64 lowercase hex digits. Requested once, then remembered. */
  async policyHash({ signal }: { readonly signal?: AbortSignal } = {}): Promise<string> {
    this.#policyHash ??= await this.#ask({ oneof: 'request_policy_hash', fields: {} }, signal, (response) => {
      if (response.oneof !== 'policy_hash') throw this.#parts.unexpected(response);
      return response.fields.data.toString('latin1');
    });
    return this.#policyHash;
  }

  /** Asks the manager to end its service for all clients. */
  async shutdown({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#ask({ oneof: 'request_shutdown', fields: {} }, signal, () => undefined);
  }

  /** Ends the session after the requests before it. */
  close(): Promise<void> {
    return this.#session.close();
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(request: Request, signal: AbortSignal | undefined): Promise<number> {
    return this.#session.running(signal, async () => this.#parts.exitCodeOf(await this.#session.request(request)));
  }

  /** Sends a request without a body in its turn, and reads its whole answer. */
  #ask<T>(request: Request, signal: AbortSignal | undefined, read: (response: Response) => T | Promise<T>): Promise<T> {
    return this.#session.during(signal, async () => read(await this.#session.request(request)));
  }

  #send(operation: 'write' | 'append', name: string, source: FileSource, options: WriteOptions): Promise<void> {
    const tell = (progress: Progress) => this.emit('progress', progress);
    return this.#parts.upload(this.#session, { operation, name, source, options, maxPieceBytes: this.#limits.maxPieceBytes, tell });
  }
}
