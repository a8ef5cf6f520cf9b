import { randomInt } from 'node:crypto';
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { integerInRange } from '../../core/check.js';
import { asVeracruzError, LinkError, type VeracruzError } from '../../core/errors.js';
import type { Dialect } from '../../layers/bincode/index.js';
import type { FrameKind } from '../../layers/frame/index.js';
import { type Address, parseAddress } from '../../transports/address.js';
import { bodyTooLarge } from '../../transports/http-bodies.js';
import { boundAddress, type Listener, listen, listenSocket } from '../../transports/socket.js';
import { definedOf, type Log, noLog } from '../options.js';
import { DirectSession } from './direct-session.js';
import { answerClientError, plain, readSessionId, statusOf } from './http-front.js';
import { HttpSession, type SessionEvents } from './http-session.js';
import { ManagerSession } from './manager-session.js';
import { type CompleteManagerOptions, type ManagerOptions, type ManagerStatus, Managers, type Member } from './managers.js';

const LAYER = 'server';
/** Path of the one service (wire spec §C). */
const PATH = '/runtime_manager';

export interface ServerOptions {
  /** Where clients connect. Default `tcp://127.0.0.1:3011`; port 0 takes a free one. */
  listen?: string;
  /** Where clients connect that speak TLS straight over TCP, as the head dialect has it, one connection a session. Default: nowhere. */
  direct?: string;
  /** The Runtime Manager, or several of them. Default `tcp://127.0.0.1:6000`. */
  runtime?: string | ManagerOptions | readonly (string | ManagerOptions)[];
  /** What the Runtime Managers speak. Default `2207`. */
  dialect?: Dialect;
  /** How messages to them are framed. Default `tcp9`; a console of IceCap has `icecap4`. */
  frame?: FrameKind;
  /**
   * Milliseconds that a Runtime Manager may stay silent with a request unanswered before its link is given up; 0 for
   * ever, as an original one needs that computes for long. Default 120,000.
   */
  maxSilenceMs?: number;
  /** Sessions at once; one more is answered 503. Default 10,000. */
  maxSessions?: number;
  /** Bytes that a POST's body may have; more is answered 413. Default 4 MiB. */
  maxBodyBytes?: number;
  /** POSTs of one session that may wait on its connection. Default 16. */
  maxPipelinedPosts?: number;
  /** Ciphertext bytes of one session on their way to the Runtime Manager. Default 1 MiB. */
  maxUnacknowledgedBytes?: number;
  /** Milliseconds after which a session without a POST is closed. Default 60,000; 0 never. */
  idleTimeoutMs?: number;
  /** Milliseconds for a POST's head, and for all of a POST. Default 10,000 and 120,000. */
  headTimeoutMs?: number;
  postTimeoutMs?: number;
  /** Hears what happens. Default: nobody. */
  log?: Log;
  signal?: AbortSignal;
}

type Completed = Required<Omit<ServerOptions, 'signal' | 'direct'>> & Pick<ServerOptions, 'direct'>;

/** Defaults of `ServerOptions`. */
export const SERVER_DEFAULTS = Object.freeze({
  listen: 'tcp://127.0.0.1:3011',
  runtime: 'tcp://127.0.0.1:6000',
  dialect: '2207',
  frame: 'tcp9',
  maxSilenceMs: 120_000,
  maxSessions: 10_000,
  maxBodyBytes: 4 * 1024 * 1024,
  maxPipelinedPosts: 16,
  maxUnacknowledgedBytes: 1024 * 1024,
  idleTimeoutMs: 60_000,
  headTimeoutMs: 10_000,
  postTimeoutMs: 120_000,
});

/**
 * The Veracruz Server: relays the ciphertext of its clients' POSTs to a Runtime Manager and sees nothing of what is in it.
 *
 *     POST /runtime_manager          body `<id> <b64>`; id 0 opens a session; answer `<id> <b64>…` (wire spec §C)
 *     DELETE /runtime_manager/<id>   closes a session; answer 204
 *
 * Answers besides 200: 400 for a body that is malformed, 404 for a session that is not (any more), 409 for a POST of a
 * session that has POSTs under way on another connection, 413 for a body over the limit, 503 when the Runtime Manager
 * is gone or the sessions are all taken. Their text is one plain line.
 */
export class VeracruzServer {
  readonly #options: Completed;
  readonly #http: HttpServer;
  readonly #sessions = new Map<number, HttpSession>();
  /** POSTs of one connection are routed one after the other, so that they cannot overtake each other. */
  readonly #routing = new WeakMap<Socket, Promise<void>>();
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => {};
  #opening = 0;
  readonly #managers: Managers;
  readonly #directSessions = new Set<DirectSession>();
  /** The link of each session. */
  readonly #members = new Map<HttpSession | DirectSession, Member>();
  #address: Address | undefined;
  #directListener: Listener | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: ServerOptions) {
    const completed: Completed = { log: noLog, ...SERVER_DEFAULTS, ...definedOf(options) };
    integerInRange('maxSessions', completed.maxSessions, 1, 2 ** 31);
    integerInRange('maxBodyBytes', completed.maxBodyBytes, 64, 2 ** 31);
    integerInRange('maxPipelinedPosts', completed.maxPipelinedPosts, 1, 1024);
    integerInRange('maxUnacknowledgedBytes', completed.maxUnacknowledgedBytes, 1, 2 ** 31);
    integerInRange('idleTimeoutMs', completed.idleTimeoutMs, 0, 2 ** 31 - 1);
    integerInRange('maxSilenceMs', completed.maxSilenceMs, 0, 2 ** 31 - 1);
    integerInRange('headTimeoutMs', completed.headTimeoutMs, 1, 2 ** 31 - 1);
    integerInRange('postTimeoutMs', completed.postTimeoutMs, 1, 2 ** 31 - 1);
    this.#options = completed;
    this.#managers = new Managers(managersOf(completed), {
      log: completed.log,
      maxSilenceMs: completed.maxSilenceMs,
      onLost: (member, error) => this.#linkLost(member, error),
      onAllGone: () => void this.close(),
    });
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#http = createServer(
      {
        noDelay: true,
        maxHeaderSize: 8192,
        headersTimeout: completed.headTimeoutMs,
        requestTimeout: completed.postTimeoutMs,
        keepAliveTimeout: completed.idleTimeoutMs,
        connectionsCheckingInterval: 1000,
        highWaterMark: 64 * 1024,
      },
      (request, response) => this.#request(request, response),
    );
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerClientError(error, socket));
  }

  /** Connects to the Runtime Manager and begins to listen. */
  static async start(options: ServerOptions = {}): Promise<VeracruzServer> {
    const server = new VeracruzServer(options);
    const { listen: at, idleTimeoutMs } = server.#options;
    const address = parseAddress(at);
    await server.#managers.open(options.signal);
    try {
      await listen(server.#http, address);
    } catch (error) {
      await server.#managers.close();
      throw error;
    }
    server.#address = boundAddress(server.#http, address);
    await server.#listenDirect();
    if (idleTimeoutMs > 0) {
      server.#idleTimer = setInterval(() => server.#closeIdle(), Math.min(1000, idleTimeoutMs));
      server.#idleTimer.unref();
    }
    options.signal?.addEventListener('abort', () => void server.close(), { once: true });
    return server;
  }

  /** Where it listens, with the port that the system chose where 0 was asked. */
  get address(): Address {
    return this.#address as Address;
  }

  /** Where clients connect without HTTP; undefined when nowhere. */
  get directAddress(): Address | undefined {
    return this.#directListener?.address;
  }

  /** `http://host:port`, what clients take as the server's URL. */
  get url(): string {
    const address = this.address;
    return address.kind === 'tcp' ? `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}` : '';
  }

  /** Sessions that are open now. */
  get sessions(): number {
    return this.#members.size;
  }

  /** The Runtime Managers, their links and sessions. */
  get managers(): ManagerStatus[] {
    return this.#managers.status();
  }

  /** Takes the Runtime Manager at `address` out of service when the sessions that it has are over. */
  drain(address: string): Promise<void> {
    return this.#managers.drain(address);
  }

  /** Takes the Runtime Manager at `address` out of service at once, with a word to it (`ResetEnclave`); its sessions end. */
  reset(address: string): Promise<void> {
    return this.#managers.reset(address);
  }

  /** Settles when the server has closed, by `close()` or because the Runtime Manager shut down. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Stops listening, finishes what is being answered (5 s at most), closes every session and the link. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#idleTimer);
    await this.#directListener?.close();
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeIdleConnections();
    const patience = setTimeout(() => this.#http.closeAllConnections(), 5000);
    for (const session of this.#sessions.values()) if (session.pending === 0) session.end(503, 'the server is closing');
    const sweep = setInterval(() => {
      this.#http.closeIdleConnections();
      for (const session of this.#sessions.values()) if (session.pending === 0) session.end(503, 'the server is closing');
    }, 50);
    await closed;
    clearTimeout(patience);
    clearInterval(sweep);
    for (const session of this.#sessions.values()) session.end(503, 'the server is closing');
    for (const session of this.#directSessions) session.end();
    await this.#managers.close();
    this.#resolveClosed();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const socket = request.socket;
    const before = this.#routing.get(socket) ?? Promise.resolve();
    const routed = before
      .then(() => this.#route(request, response))
      .catch((error: unknown) => this.#refuse(request, response, asVeracruzError(error, { layer: LAYER })));
    this.#routing.set(socket, routed);
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    if (method === 'DELETE' && url.startsWith(`${PATH}/`)) {
      this.#delete(url.slice(PATH.length + 1), request, response);
      return;
    }
    if (url !== PATH) return plain(request, response, 404, `no such service: POST ${PATH}`);
    if (method !== 'POST') return plain(request, response, 405, `only POST ${PATH}`, { allow: 'POST' });
    const { maxBodyBytes } = this.#options;
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > maxBodyBytes) throw bodyTooLarge(maxBodyBytes, announced);
    if (this.#closing !== undefined) throw new LinkError('the server is closing', { layer: LAYER });
    const { id, pieces } = await readSessionId(request);
    const session = id === 0 ? await this.#newHttpSession() : this.#sessions.get(id);
    if (session === undefined) return plain(request, response, 404, `session ${id} is not known`);
    if (session.busyFor(request.socket)) {
      return plain(request, response, 409, `session ${id} has a POST under way on another connection`);
    }
    session.accept(request, response, pieces);
  }

  async #listenDirect(): Promise<void> {
    if (this.#options.direct === undefined) return;
    try {
      this.#directListener = await listenSocket(parseAddress(this.#options.direct), (socket) => void this.#acceptDirect(socket));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #acceptDirect(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    try {
      this.#directSessions.add(await this.#newSession((manager, events) => new DirectSession(socket, manager, events)));
    } catch (error) {
      // There is no status on plain TCP: a closed connection has to say it.
      this.#options.log('warn', 'connection refused', { reason: (error as Error).message });
      socket.destroy();
    }
  }

  async #newHttpSession(): Promise<HttpSession> {
    const session = await this.#newSession((manager, events: SessionEvents<HttpSession>) => {
      return new HttpSession(this.#freeId(), manager, this.#options, events);
    });
    this.#sessions.set(session.id, session);
    return session;
  }

  async #newSession<S extends HttpSession | DirectSession>(make: (manager: ManagerSession, events: SessionEvents<S>) => S): Promise<S> {
    const { maxSessions } = this.#options;
    if (this.#closing !== undefined) throw new LinkError('the server is closing', { layer: LAYER });
    if (this.#members.size + this.#opening >= maxSessions) {
      throw new LinkError(`all ${maxSessions} sessions are taken`, { layer: LAYER, limit: maxSessions });
    }
    const member = this.#managers.place();
    this.#opening++;
    member.sessions++;
    try {
      const manager = await ManagerSession.open(member.link, this.#options.maxUnacknowledgedBytes);
      const session = make(manager, {
        onEnd: (ended, error) => this.#sessionEnded(ended, error),
        onInactive: () => this.#managers.retire(member),
      });
      this.#members.set(session, member);
      this.#options.log('info', 'session opened', { ...nameOf(session), manager: member.road, managerSession: manager.id });
      return session;
    } catch (error) {
      member.sessions--;
      throw error;
    } finally {
      this.#opening--;
    }
  }

  /** Ids are drawn, not counted: who knows one session's id must not know its neighbours'. */
  #freeId(): number {
    for (;;) {
      const id = randomInt(1, 2 ** 32);
      if (!this.#sessions.has(id)) return id;
    }
  }

  #delete(text: string, request: IncomingMessage, response: ServerResponse): void {
    const session = /^[1-9][0-9]{0,9}$/.test(text) ? this.#sessions.get(Number(text)) : undefined;
    if (session === undefined) {
      plain(request, response, 404, 'the session is not known');
      return;
    }
    session.end(404, `session ${session.id} was deleted`);
    request.resume();
    response.writeHead(204).end();
  }

  #sessionEnded(session: HttpSession | DirectSession, error: VeracruzError | undefined): void {
    if (session instanceof HttpSession) this.#sessions.delete(session.id);
    else this.#directSessions.delete(session);
    const member = this.#members.get(session);
    if (member !== undefined) member.sessions--;
    this.#members.delete(session);
    const figures = error === undefined ? {} : { code: error.code, layer: error.layer, reason: error.message };
    this.#options.log(error === undefined ? 'info' : 'warn', error === undefined ? 'session closed' : 'session failed', {
      ...nameOf(session),
      ...session.manager.bytes,
      ...figures,
    });
  }

  #linkLost(lost: Member, error: LinkError | undefined): void {
    const level = this.#closing !== undefined || lost.draining ? 'info' : 'error';
    this.#options.log(level, 'link closed', { manager: lost.road, sessions: lost.sessions, reason: error?.message });
    for (const [session, member] of this.#members) {
      if (member !== lost) continue;
      if (session instanceof HttpSession) session.end(503, 'the Runtime Manager is not there', error);
      else session.end(error);
    }
  }

  #closeIdle(): void {
    const oldest = performance.now() - this.#options.idleTimeoutMs;
    for (const session of this.#sessions.values()) {
      if (session.pending === 0 && session.lastActive < oldest) session.end(404, `session ${session.id} was idle too long`);
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: VeracruzError): void {
    this.#options.log('warn', 'request refused', { code: error.code, reason: error.message });
    plain(request, response, statusOf(error), error.message);
  }
}

/** What a log knows a session by. */
function nameOf(session: HttpSession | DirectSession): { session: number | 'direct' } {
  return { session: session instanceof HttpSession ? session.id : 'direct' };
}

function managersOf({ runtime, dialect, frame }: Pick<Required<ServerOptions>, 'runtime' | 'dialect' | 'frame'>): CompleteManagerOptions[] {
  const list = Array.isArray(runtime) ? (runtime as readonly (string | ManagerOptions)[]) : [runtime as string | ManagerOptions];
  return list.map((manager) => ({ dialect, frame, ...(typeof manager === 'string' ? { address: manager } : definedOf(manager)) }));
}
