import type { Duplex } from 'node:stream';
import { integerInRange } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import { policyHash } from '../../enclave/policy/index.js';
import { DirectoryStore, type FileStore } from '../../enclave/store/file-store.js';
import type { Dialect, Request, Response } from '../../layers/bincode/index.js';
import type { FrameKind } from '../../layers/frame/index.js';
import { type Address, parseAddress } from '../../transports/address.js';
import { listenPipe } from '../../transports/pipe.js';
import { connectSocket, type Listener, type RetryOptions } from '../../transports/socket.js';
import { definedOf, type Log, noLog } from '../options.js';
import { managerClientStack } from '../stacks.js';
import { LinkEndpoint, type PendingResponse } from './link.js';
import { answerRequest, type Enclave } from './requests.js';
import { TlsSession } from './tls-session.js';

/** Who the manager is and whom it lets in. */
export interface TrustOptions {
  /** The server's certificate chain, PEM, its own certificate first. */
  certificate: string;
  /** Private key of the first certificate, PEM. */
  key: string;
  /** The principals: certificates (PEM) of which a client's leaf must equal one, byte for byte. */
  identities: readonly string[];
  /** Authorities that issued identities which are not self-signed, PEM. */
  clientAuthorities?: readonly string[];
  /** The one cipher suite, in either spelling (wire spec §B). Default: Node's three TLS 1.3 suites. */
  cipherSuite?: string;
  /** Milliseconds for a handshake. Default 10,000. */
  handshakeTimeoutMs?: number;
}

export interface RuntimeManagerOptions extends TrustOptions {
  /**
   * Where the Server connects: `tcp://host:port` (port 0 takes a free one), `unix:///path`, or the console that it sits
   * behind, `serial:///dev/hvc0`. Default `tcp://127.0.0.1:6000`.
   */
  listen?: string;
  /** Says hello when the console is open, for a Server that waits for it. Default false: an original one does not. */
  hello?: boolean;
  /** Where the Server listens, when it is the manager that connects (as at HEAD): `tcp://host:port` or `unix:///path`. */
  connect?: string;
  /** What the Server speaks. Default `2207`. */
  dialect?: Dialect;
  /** How its messages are framed. Default `tcp9`; on a console `icecap4`. */
  frame?: FrameKind;
  /** The policy's exact text; its SHA-256 is what clients ask for. */
  policy: string;
  /** The folder that files live in, or a store of one's own. */
  store: string | FileStore;
  /** TLS sessions at once. Default 10,000. */
  maxSessions?: number;
  /** Bytes that a message may have, file included. Default 16 GiB. */
  maxMessageBytes?: number;
  /**
   * Bytes that one answer to GetTlsData may have. Default 256 KiB; behind a console 8,000, because a VirtIO console loses
   * what a slow host does not read in time, and an answer is all that is on its way at a time.
   */
  maxAnswerBytes?: number;
  /** Hears what happens. Default: nobody. */
  log?: Log;
  signal?: AbortSignal;
}

type Completed = RuntimeManagerOptions & Required<Pick<RuntimeManagerOptions, keyof typeof RUNTIME_MANAGER_DEFAULTS | 'log'>>;

/** Defaults of `RuntimeManagerOptions`. */
export const RUNTIME_MANAGER_DEFAULTS = Object.freeze({
  listen: 'tcp://127.0.0.1:6000',
  dialect: '2207',
  frame: 'tcp9',
  maxSessions: 10_000,
  maxMessageBytes: 16 * 2 ** 30,
  maxAnswerBytes: 256 * 1024,
});

/** What differs behind a VirtIO console (wire spec §D, IceCap): the header is of 4 bytes, so that 8,000 + 25 fit in 8 KiB. */
const CONSOLE_DEFAULTS = Object.freeze({ frame: 'icecap4', maxAnswerBytes: 8000 } as const);

/** Milliseconds after which a manager that was asked to shut down does so, whether or not its Server has left. */
const SHUTDOWN_MS = 3000;

/** How long a manager that connects waits for its Server: 30 s, as the original does (wire spec §D). */
const CONNECT_RETRY: RetryOptions = Object.freeze({ tries: 300, intervalMs: 100, backoff: 1 });

/**
 * The Runtime Manager: answers the Server's bincode requests, and inside the TLS sessions that these carry, the
 * principals' protobuf requests, on a store of files (wire spec §D).
 */
export class RuntimeManager {
  readonly #options: Completed;
  readonly #enclave: Enclave;
  readonly #stack: ReturnType<typeof managerClientStack>;
  /** Sessions by the ids of the wire: they count up from 1. */
  readonly #sessions = new Map<number, TlsSession>();
  readonly #links = new Set<LinkEndpoint>();
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => {};
  #lastId = 0;
  /** False once a principal has shut the manager down (`active` of TlsData). */
  #active = true;
  #listener: Listener | undefined;
  #closing: Promise<void> | undefined;
  #shutdown: NodeJS.Timeout | undefined;

  private constructor(options: RuntimeManagerOptions, store: FileStore) {
    const behindConsole = options.listen?.startsWith('serial:') === true && options.connect === undefined ? CONSOLE_DEFAULTS : {};
    const completed: Completed = { log: noLog, ...RUNTIME_MANAGER_DEFAULTS, ...behindConsole, ...definedOf(options) };
    integerInRange('maxSessions', completed.maxSessions, 1, 2 ** 31);
    integerInRange('maxMessageBytes', completed.maxMessageBytes, 1, Number.MAX_SAFE_INTEGER);
    integerInRange('maxAnswerBytes', completed.maxAnswerBytes, 1, 2 ** 20);
    if (options.identities.length === 0) {
      throw new InvalidOptionError('identities must name at least one principal', { expected: 'certificates', got: 0 });
    }
    this.#options = completed;
    const { certificate, key, identities, clientAuthorities, cipherSuite, handshakeTimeoutMs } = options;
    const trust = definedOf({ certificate, key, identities, clientAuthorities, cipherSuite, handshakeTimeoutMs });
    this.#stack = managerClientStack({ ...completed, tls: { role: 'server', ...trust } });
    this.#enclave = {
      store,
      policyHash: policyHash(options.policy),
      log: completed.log,
      shutdown: () => {
        this.#active = false;
        completed.log('info', 'shutdown requested');
        // The Server closes the link when the answer is out; but the far end of a console is not seen to close.
        this.#shutdown ??= setTimeout(() => void this.close(), SHUTDOWN_MS);
      },
    };
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Opens the store and begins to listen. */
  static async start(options: RuntimeManagerOptions): Promise<RuntimeManager> {
    const store = typeof options.store === 'string' ? await DirectoryStore.open(options.store) : options.store;
    try {
      const manager = new RuntimeManager(options, store);
      await manager.#open();
      options.signal?.addEventListener('abort', () => void manager.close(), { once: true });
      return manager;
    } catch (error) {
      if (typeof options.store === 'string') await store.close();
      throw error;
    }
  }

  async #open(): Promise<void> {
    const { listen, connect, hello } = this.#options;
    if (connect === undefined) {
      this.#listener = await listenPipe(parseAddress(listen), (pipe) => this.#serve(pipe), {
        console: {
          hello: hello ?? false,
          onTrouble: (error) => this.#options.log('warn', 'console', { code: error.code, reason: error.message }),
        },
      });
      return;
    }
    const address = parseAddress(connect);
    if (address.kind !== 'tcp' && address.kind !== 'unix') {
      throw new InvalidOptionError(`connect takes a place to connect to, not ${connect}`, { expected: 'tcp:// or unix://', got: connect });
    }
    this.#serve(await connectSocket(address, { signal: this.#options.signal, retry: CONNECT_RETRY }));
  }

  /** Where it listens, with the port that the system chose where 0 was asked. */
  get address(): Address {
    return this.#listener?.address ?? parseAddress(this.#options.connect ?? this.#options.listen);
  }

  /** TLS sessions that are open now. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Settles when the manager has closed: by `close()`, or because a principal shut it down. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Stops listening, ends sessions and links, closes the store if it opened it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#shutdown);
    await this.#listener?.close();
    for (const session of this.#sessions.values()) session.destroy();
    for (const link of this.#links) link.destroy();
    if (typeof this.#options.store === 'string') await this.#enclave.store.close();
    this.#resolveClosed();
  }

  #serve(pipe: Duplex): void {
    const sessions = new Set<number>();
    const link = new LinkEndpoint(
      pipe,
      this.#options,
      (request) => this.#answer(request, sessions),
      (error) => {
        this.#links.delete(link);
        this.#options.log(error === undefined ? 'info' : 'warn', 'link closed', { reason: error?.message, sessions: sessions.size });
        // Who relays a session's bytes is gone: the session cannot go on.
        for (const id of sessions) this.#drop(id);
        // A manager that had connected has nobody to serve any more.
        if (!this.#active || this.#options.connect !== undefined) void this.close();
      },
    );
    this.#links.add(link);
    this.#options.log('info', 'link opened');
  }

  #answer(request: Request, sessions: Set<number>): Response | PendingResponse {
    switch (request.kind) {
      case 'NewTlsSession':
        return this.#newSession(sessions);
      case 'SendTlsData':
        return status(this.#sessions.get(request.session)?.feed(request.data) === true);
      case 'GetTlsDataNeeded':
        return this.#whenKnown(request.session, (needed) => ({ kind: 'TlsDataNeeded', needed }));
      case 'GetTlsData':
        // head has no GetTlsDataNeeded: an answer without data says what that would say.
        return this.#options.dialect === 'head'
          ? this.#whenKnown(request.session, (needed) =>
              needed ? this.#get(request.session) : { kind: 'TlsData', data: [], active: this.#active },
            )
          : this.#get(request.session);
      case 'CloseTlsSession':
        sessions.delete(request.session);
        this.#drop(request.session);
        return status(true);
      default:
        return { kind: 'Status', status: 'Unimplemented' };
    }
  }

  #newSession(sessions: Set<number>): Response {
    if (!this.#active || this.#sessions.size >= this.#options.maxSessions) return status(false);
    const id = ++this.#lastId;
    const session = new TlsSession(id, this.#stack, {
      answer: (request) => answerRequest(request, this.#enclave, id),
      onEnd: (ended, error) => {
        if (error !== undefined)
          this.#options.log('warn', 'session failed', { session: id, code: error.code, layer: error.layer, reason: error.message });
        if (ended.over) this.#drop(id);
      },
    });
    this.#sessions.set(id, session);
    sessions.add(id);
    return { kind: 'TlsSession', session: id };
  }

  /** What waits; Fail when there is nothing (wire spec §D). */
  #get(id: number): Response {
    const session = this.#sessions.get(id);
    if (session === undefined) return status(false);
    const data = session.fetch(this.#options.maxAnswerBytes);
    if (session.over) this.#drop(session.id);
    return data.length === 0 ? status(false) : { kind: 'TlsData', data, active: this.#active };
  }

  /** Answers when it is known whether there is output: `answer` gets that. A session that is over has an end to tell. */
  #whenKnown(id: number, answer: (needed: boolean) => Response): Response | PendingResponse {
    const session = this.#sessions.get(id);
    if (session === undefined) return status(false);
    const respond = (needed: boolean) => (!needed && session.over ? status(false) : answer(needed));
    const needed = session.needed();
    if (typeof needed === 'boolean') return respond(needed);
    return { response: needed.needed.then(respond), hurry: () => needed.hurry() };
  }

  #drop(id: number): void {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    session?.destroy();
  }
}

function status(success: boolean): Response {
  return { kind: 'Status', status: success ? 'Success' : 'Fail' };
}
