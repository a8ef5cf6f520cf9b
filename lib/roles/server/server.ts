import { randomInt } from 'node:crypto';
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clock, type Timer } from '../../core/clock.js';
import { asVeracruzError, LinkError, type VeracruzError } from '../../core/errors.js';
import { Lifecycle } from '../../core/lifecycle.js';
import { Mutex } from '../../core/semaphore.js';
import { type Address, formatAddress, parseAddress } from '../../transports/address.js';
import { BufferPool } from '../../transports/body-buffer.js';
import { tooLong } from '../../transports/http-faults.js';
import { boundAddress, type Listener, listen, listenSocket } from '../../transports/socket.js';
import { answerClientError, pathOf, plain, urlOf } from '../http-answers.js';
import { AttestationHandshake } from './attestation-handshake.js';
import { Clients } from './clients.js';
import { DirectSession } from './direct-session.js';
import { readSessionId, statusOf } from './http-front.js';
import { HttpSession, type SessionEvents } from './http-session.js';
import { ManagerSession } from './manager-session.js';
import { type ManagerStatus, Managers, type Member } from './managers.js';
import { type CompleteServerOptions, completeOptions, type ServerOptions } from './options.js';

const LAYER = 'server';
/** Path of the one service (wire spec §C). */
const PATH = '/runtime_manager';
/**
 * Milliseconds that a connection may be idle beyond its session: a client that is late learns from a 404 that the session is
 * over, and not from a lost connection that it may be.
 */
const CONNECTION_GRACE_MS = 5000;

/** Milliseconds that answers under way have to end when the server closes, and between two looks whether they have. */
const PATIENCE_MS = 5000;
const SWEEP_MS = 50;
/** Buffers of answers that are kept to be used again, up to some 350 KiB each. */
const POOLED_BUFFERS = 16;
/** Milliseconds of silence after which a `direct` connection is asked whether it is still there. */
const KEEP_ALIVE_MS = 60_000;

type Session = HttpSession | DirectSession;

export { SERVER_DEFAULTS, type ServerOptions } from './options.js';

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
  readonly #options: CompleteServerOptions;
  readonly #http: HttpServer;
  readonly #sessions = new Map<number, HttpSession>();
  /** POSTs of one connection are routed one after the other, so that they cannot overtake each other. */
  readonly #routing = new WeakMap<Socket, Mutex>();
  readonly #life = new Lifecycle(LAYER, () => this.#close());
  #opening = 0;
  readonly #managers: Managers;
  /** The link of each session, and who asked for it. */
  readonly #members = new Map<Session, { readonly member: Member; readonly leave: () => void }>();
  readonly #clients: Clients;
  readonly #pool = new BufferPool(POOLED_BUFFERS);
  #address: Address | undefined;
  #directListener: Listener | undefined;
  #idleTimer: Timer | undefined;

  private constructor(options: ServerOptions) {
    const completed = completeOptions(options);
    this.#options = completed;
    this.#clients = new Clients(completed.maxSessionsPerAddress);
    this.#managers = new Managers(completed.managers, {
      log: completed.log,
      maxSilenceMs: completed.maxSilenceMs,
      renewCertificates: completed.renewCertificates,
      attestationHandshake: completed.attestationHandshake && new AttestationHandshake(completed.attestationHandshake),
      onLost: (member, error) => this.#linkLost(member, error),
      onAllGone: () => void this.close(),
    });
    this.#http = createServer(
      {
        noDelay: true,
        maxHeaderSize: 8192,
        headersTimeout: completed.headTimeoutMs,
        requestTimeout: completed.postTimeoutMs,
        keepAliveTimeout: completed.idleTimeoutMs === 0 ? 0 : completed.idleTimeoutMs + CONNECTION_GRACE_MS,
        connectionsCheckingInterval: 1000,
        highWaterMark: 64 * 1024,
      },
      (request, response) => this.#request(request, response),
    );
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerClientError(error, socket));
  }

  /**
   * Begins to listen, and to answer 503; connects to the Runtime Managers, and leads them through the attestation handshake
   * where there is a policy. Settles when one of them is in service, however long it has to be waited for (`startTimeoutMs`).
   *
   * @throws TransportError for a place that is taken; the first manager's error when none comes into service; PolicyError;
   * AbortedError when `signal` fires first
   */
  static async start(options: ServerOptions = {}): Promise<VeracruzServer> {
    const server = new VeracruzServer(options);
    const { idleTimeoutMs, startTimeoutMs } = server.#options;
    try {
      await server.#listen();
      await server.#managers.open(startTimeoutMs, options.signal);
    } catch (error) {
      await server.close();
      throw error;
    }
    if (idleTimeoutMs > 0) {
      server.#idleTimer = clock.setInterval(() => server.#closeIdle(), Math.min(1000, idleTimeoutMs));
      server.#idleTimer.unref();
    }
    await server.#life.listening(options.signal);
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

  /** `http://host:port`, what clients take as the server's URL; or the address of a Unix socket, for a proxy before it. */
  get url(): string {
    return urlOf(this.address);
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
    return this.#life.closed;
  }

  /** Stops listening, finishes what is being answered (5 s at most), closes every session and the link. */
  close(): Promise<void> {
    return this.#life.close();
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clock.clear(this.#idleTimer);
    await this.#directListener?.close();
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    let patient = true;
    const endIdle = () => {
      this.#http.closeIdleConnections();
      for (const session of this.#members.keys()) {
        if (!patient || !session.answerDue) end(session, 503, 'the server is closing');
      }
    };
    const patience = clock.setTimeout(() => {
      patient = false;
      this.#http.closeAllConnections();
    }, PATIENCE_MS);
    endIdle();
    const sweep = clock.setInterval(endIdle, SWEEP_MS);
    await closed;
    endIdle();
    while (this.#members.size > 0) await clock.sleep(SWEEP_MS);
    clock.clear(patience);
    clock.clear(sweep);
    await this.#managers.close();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const socket = request.socket;
    const turns = this.#routing.get(socket) ?? new Mutex();
    this.#routing.set(socket, turns);
    void turns.run(async () => {
      try {
        await this.#route(request, response);
      } catch (error) {
        this.#refuse(request, response, asVeracruzError(error, { layer: LAYER }));
      }
    });
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    const path = pathOf(request);
    if (method === 'DELETE' && path.startsWith(`${PATH}/`)) {
      this.#delete(path.slice(PATH.length + 1), request, response);
      return;
    }
    if (path !== PATH) return plain(request, response, 404, `no such service: POST ${PATH}`);
    if (method !== 'POST') return plain(request, response, 405, `only POST ${PATH}`, { allow: 'POST' });
    const { maxBodyBytes } = this.#options;
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > maxBodyBytes) throw tooLong('a body', announced, maxBodyBytes);
    if (!this.#life.serving) throw new LinkError('the server is closing', { layer: LAYER });
    const { id, body } = await readSessionId(request);
    const session = id === 0 ? await this.#newHttpSession(request.socket) : this.#sessions.get(id);
    if (session === undefined) return plain(request, response, 404, `session ${id} is not known`);
    if (session.busyFor(request.socket)) {
      return plain(request, response, 409, `session ${id} has a POST under way on another connection`);
    }
    session.accept(request, response, body);
  }

  /** Takes all the places that it needs, before anybody hears of it. */
  async #listen(): Promise<void> {
    const { listen: at, direct, log } = this.#options;
    const address = parseAddress(at);
    await listen(this.#http, address);
    this.#address = boundAddress(this.#http, address);
    if (direct !== undefined) {
      this.#directListener = await listenSocket(parseAddress(direct), (socket) => void this.#acceptDirect(socket));
    }
    await this.#managers.listen();
    log('info', 'listening', { at: formatAddress(this.#address), direct: this.directAddress && formatAddress(this.directAddress) });
  }

  async #acceptDirect(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    // A client that is gone without a word is not waited for: the session may have an answer due.
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    try {
      await this.#newSession(socket, (manager, events: SessionEvents<DirectSession>) => new DirectSession(socket, manager, events));
    } catch (error) {
      // There is no status on plain TCP: a closed connection has to say it.
      this.#options.log('warn', 'connection refused', { reason: (error as Error).message });
      socket.destroy();
    }
  }

  async #newHttpSession(socket: Socket): Promise<HttpSession> {
    const session = await this.#newSession(socket, (manager, events: SessionEvents<HttpSession>) => {
      return new HttpSession(this.#freeId(), manager, this.#options, this.#pool, events);
    });
    this.#sessions.set(session.id, session);
    return session;
  }

  async #newSession<S extends Session>(socket: Socket, make: (manager: ManagerSession, events: SessionEvents<S>) => S): Promise<S> {
    const { maxSessions } = this.#options;
    if (!this.#life.serving) throw new LinkError('the server is closing', { layer: LAYER });
    if (this.#members.size + this.#opening >= maxSessions) {
      throw new LinkError(`all ${maxSessions} sessions are taken`, { layer: LAYER, limit: maxSessions });
    }
    const member = this.#managers.place();
    const leave = this.#clients.enter(socket.remoteAddress ?? '');
    this.#opening++;
    member.sessions++;
    try {
      const manager = await ManagerSession.open(member.link, this.#options.maxUnacknowledgedBytes);
      const session = make(manager, {
        onEnd: (ended, error) => this.#sessionEnded(ended, error),
        onInactive: () => this.#managers.retire(member),
      });
      this.#members.set(session, { member, leave });
      this.#options.log('info', 'session opened', { ...nameOf(session), manager: member.upstream, managerSession: manager.id });
      return session;
    } catch (error) {
      member.sessions--;
      leave();
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

  #sessionEnded(session: Session, error: VeracruzError | undefined): void {
    if (session instanceof HttpSession) this.#sessions.delete(session.id);
    const place = this.#members.get(session);
    if (place !== undefined) {
      place.member.sessions--;
      place.leave();
    }
    this.#members.delete(session);
    const figures = error === undefined ? {} : { code: error.code, layer: error.layer, reason: error.message };
    const good = error === undefined || (error instanceof LinkError && place?.member.retired === true);
    this.#options.log(good ? 'info' : 'warn', good ? 'session closed' : 'session failed', {
      ...nameOf(session),
      ...session.manager.bytes,
      ...figures,
    });
  }

  #linkLost(lost: Member, error: LinkError | undefined): void {
    const level = !this.#life.serving || lost.draining ? 'info' : 'error';
    this.#options.log(level, 'link closed', { manager: lost.upstream, sessions: lost.sessions, reason: error?.message });
    for (const [session, { member }] of this.#members) {
      if (member !== lost) continue;
      end(session, 503, 'the Runtime Manager is not there', error);
    }
  }

  #closeIdle(): void {
    const oldest = clock.monotonic() - this.#options.idleTimeoutMs;
    for (const session of this.#members.keys()) {
      if (!session.answerDue && session.lastActive < oldest) end(session, 404, `session ${nameOf(session).session} was idle too long`);
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: VeracruzError): void {
    this.#options.log('warn', 'request refused', { code: error.code, reason: error.message });
    plain(request, response, statusOf(error), error.message);
  }
}

/** Ends a session; over plain TCP there is no status, and no text. */
function end(session: Session, status: number, text: string, error?: VeracruzError): void {
  if (session instanceof HttpSession) session.end(status, text, error);
  else session.end(error);
}

/** What a log knows a session by. */
function nameOf(session: Session): { session: number | 'direct' } {
  return { session: session instanceof HttpSession ? session.id : 'direct' };
}
