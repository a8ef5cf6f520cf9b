import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clock, type Timer } from '../../core/clock.js';
import { asVeracruzError, BusyError, LinkError, type VeracruzError } from '../../core/errors.js';
import { Lifecycle } from '../../core/lifecycle.js';
import { networkOf } from '../../core/network.js';
import { Mutex } from '../../core/semaphore.js';
import { type Address, type AddressInput, addressText, formatAddress, parseAddress } from '../../transports/address.js';
import { Connections, type ConnectionsOptions } from '../../transports/connections.js';
import type { BegunBody } from '../../transports/http-bodies.js';
import { SESSION_SECRET_HEADER, tooLong } from '../../transports/http-faults.js';
import { ServedMessage } from '../../transports/served-message.js';
import { boundAddress, type Listener, listen, listenSocket } from '../../transports/socket.js';
import { answerClientError, pathOf, plain, urlOf } from '../http-answers.js';
import { logBadEnd, noLog } from '../options.js';
import { AttestationHandshake } from './attestation-handshake.js';
import { ForeignBodies } from './foreign-bodies.js';
import { readSessionId, statusOf } from './http-front.js';
import type { HttpSession } from './http-session.js';
import { type ManagerStatus, Managers, type Member } from './managers.js';
import { type CompleteServerOptions, completeOptions, type ServerOptions } from './options.js';
import type { Asking, Found } from './session-ids.js';
import { endSession, Sessions } from './sessions.js';
import { Upstream } from './upstream.js';

const LAYER = 'server';
/** Path of the one service (wire spec §C). */
const PATH = '/runtime_manager';
/**
 * Milliseconds that a connection may be idle beyond its session: a client that is late learns from a 404 that the session is
 * over, and not from a lost connection that it may be.
 */
const CONNECTION_GRACE_MS = 5000;

/** Milliseconds until somebody is told that he may open no session now, and what he is told. */
const PUT_OFF_MS = 2000;
const UNADMITTED = 'too many sessions of this address were not admitted: try again later';

/** Milliseconds that answers under way have to end when the server closes, and between two looks whether they have. */
const PATIENCE_MS = 5000;
const SWEEP_MS = 50;
/** Milliseconds that a connection without a session may be silent where sessions may be idle for ever. */
const IDLE_CONNECTION_MS = 60_000;

export { SERVER_DEFAULTS, type ServerOptions } from './options.js';

/**
 * Checks what `VeracruzServer.start` checks before it takes a port: for who has something else to begin before that.
 *
 * @throws InvalidOptionError; PolicyError or LimitError for the policy
 */
export function checkOptions(options: ServerOptions): void {
  for (const manager of completeOptions(options).managers) void new Upstream(manager, noLog, async () => {}).close();
}

/**
 * The Veracruz Server: relays the ciphertext of its clients' POSTs to a Runtime Manager and sees nothing of what is in it.
 *
 *     POST /runtime_manager          body `<id> <b64>`; id 0 opens a session; answer `<id> <b64>…` (wire spec §C)
 *     DELETE /runtime_manager/<id>   closes a session; answer 204
 *
 * Answers besides 200: 400 for a body that is malformed, 404 for a session that is not (any more), or whose secret was not
 * shown, 408 for a handshake that takes too long, 409 for a POST of a session that has POSTs under way on another connection,
 * 413 for a body over the limit, 429 for an address that has asked for too many sessions that are not, 503 when the Runtime
 * Manager is gone, there is no room, or too many sessions of the address were not admitted. Their text is one plain line.
 */
export class VeracruzServer {
  readonly #options: CompleteServerOptions;
  readonly #http: HttpServer;
  readonly #sessions: Sessions;
  /** POSTs of one connection are routed one after the other, so that they cannot overtake each other. */
  readonly #routing = new WeakMap<Socket, Mutex>();
  readonly #life = new Lifecycle(
    LAYER,
    () => this.#close(),
    (error) => logBadEnd(this.#options.log, error),
  );
  readonly #foreign: ForeignBodies;
  readonly #managers: Managers;
  #address: Address | undefined;
  #directListener: Listener | undefined;
  #idleTimer: Timer | undefined;

  private constructor(options: ServerOptions) {
    const completed = completeOptions(options);
    this.#options = completed;
    this.#managers = new Managers(completed.managers, {
      log: completed.log,
      maxSilenceMs: completed.maxSilenceMs,
      renewCertificates: completed.renewCertificates,
      attestationHandshake: completed.attestationHandshake && new AttestationHandshake(completed.attestationHandshake),
      onLost: (member, error) => this.#linkLost(member, error),
      onAllGone: () => this.#life.end(),
    });
    this.#sessions = new Sessions(completed, this.#managers);
    this.#foreign = new ForeignBodies(completed.maxForeignBytes, completed.maxBodyBytes);
    this.#http = createServer(
      {
        IncomingMessage: ServedMessage,
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
    new Connections(this.#http, this.#connectionLimits());
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
      server.#idleTimer = clock.setInterval(() => server.#sessions.closeIdle(), Math.min(1000, idleTimeoutMs));
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
    return this.#sessions.size;
  }

  /** The Runtime Managers, their links and sessions. */
  get managers(): ManagerStatus[] {
    return this.#managers.status();
  }

  /** Takes the Runtime Manager at `address` out of service when the sessions that it has are over. */
  drain(address: AddressInput): Promise<void> {
    return this.#managers.drain(addressText('address', address));
  }

  /** Takes the Runtime Manager at `address` out of service at once, with a word to it (`ResetEnclave`); its sessions end. */
  reset(address: AddressInput): Promise<void> {
    return this.#managers.reset(addressText('address', address));
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
      for (const session of this.#sessions) {
        if (!patient || !session.answerDue) endSession(session, 503, 'the server is closing');
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
    while (this.#sessions.size > 0) await clock.sleep(SWEEP_MS);
    clock.clear(patience);
    clock.clear(sweep);
    await this.#managers.close();
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // `Connections` has heard of the request first, and may have ended its connection.
    if (socket.destroyed) return;
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
    if (id === 0 && !this.#sessions.mayOpen(networkOf(request.socket.remoteAddress))) await this.#putOff(request, response);
    else if (id === 0) this.#serve(this.#openHttp(request, response), request, response, body);
    else await this.#resume(id, request, response, body);
  }

  /** A POST for the session `id`. */
  async #resume(id: number, request: IncomingMessage, response: ServerResponse, begun: BegunBody): Promise<void> {
    const asking = askingOf(request);
    let found = this.#sessions.find(id, asking);
    let body = begun;
    if (found.session !== undefined && found.foreign) {
      // What comes from elsewhere, without the secret, must be all there before the session notices it.
      body = await this.#foreign.read(request, begun, asking.address);
      // Meanwhile the session may have ended, or its client have shown the secret.
      found = this.#sessions.find(id, asking);
    }
    if (found.session === undefined) refuseUnknown(request, response, found);
    else this.#serve(found.session, request, response, body);
  }

  #serve(session: HttpSession, request: IncomingMessage, response: ServerResponse, body: BegunBody): void {
    if (session.state === 'over') {
      plain(request, response, 404, 'the session is not known');
    } else if (session.busyFor(request.socket)) {
      plain(request, response, 409, 'the session has a POST under way on another connection');
    } else {
      this.#sessions.carries(request.socket, session);
      session.accept(request, response, body);
    }
  }

  /** Refuses a session, but not at once: whoever asks again as soon as he is refused could ask too often. */
  #putOff(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const answer = () => plain(request, response, 503, UNADMITTED, { 'retry-after': '1' });
      const timer = clock.setTimeout(answer, PUT_OFF_MS).unref();
      // After the answer, or because the client has gone.
      response.once('close', () => {
        clock.clear(timer);
        resolve();
      });
    });
  }

  #openHttp({ socket }: IncomingMessage, response: ServerResponse): HttpSession {
    if (!this.#life.serving) throw new LinkError('the server is closing', { layer: LAYER });
    const session = this.#sessions.openHttp(socket);
    response.setHeader(SESSION_SECRET_HEADER, session.name.secret.text);
    return session;
  }

  /** Takes all the places that it needs, before anybody hears of it. */
  async #listen(): Promise<void> {
    const { listen: at, direct, log } = this.#options;
    const address = parseAddress(at);
    await listen(this.#http, address);
    this.#address = boundAddress(this.#http, address);
    if (direct !== undefined) {
      const limits = this.#connectionLimits();
      this.#directListener = await listenSocket(parseAddress(direct), (socket) => this.#acceptDirect(socket), limits);
    }
    await this.#managers.listen();
    log('info', 'listening', { at: formatAddress(this.#address), direct: this.directAddress && formatAddress(this.directAddress) });
  }

  #acceptDirect(socket: Socket): void {
    socket.on('error', () => {});
    try {
      if (!this.#life.serving) throw new LinkError('the server is closing', { layer: LAYER });
      if (!this.#sessions.mayOpen(networkOf(socket.remoteAddress))) throw new BusyError(UNADMITTED, { layer: LAYER });
      this.#sessions.openDirect(socket);
    } catch (error) {
      // There is no status on plain TCP: a closed connection has to say it.
      this.#options.log('warn', 'connection refused', { reason: (error as Error).message });
      socket.destroy();
    }
  }

  #delete(text: string, request: IncomingMessage, response: ServerResponse): void {
    const id = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : 0;
    const found = this.#sessions.find(id, askingOf(request));
    // Only clients of this library send DELETE, and they have the secret.
    if (found.session === undefined || found.foreign) {
      refuseUnknown(request, response, found);
      return;
    }
    found.session.end(404, 'the session was deleted');
    request.resume();
    response.writeHead(204).end();
  }

  #connectionLimits(): ConnectionsOptions {
    const { maxConnections, maxConnectionsPerAddress, unreadTimeoutMs, idleTimeoutMs, log } = this.#options;
    return {
      maxConnections,
      maxConnectionsPerAddress,
      unreadTimeoutMs,
      // Otherwise the HTTP server ends silent connections, and each of the others is a session.
      idleTimeoutMs: idleTimeoutMs === 0 ? IDLE_CONNECTION_MS : 0,
      held: (socket) => this.#sessions.misses(socket),
      onEnd: (reason) => log('debug', 'connection ended', { reason }),
    };
  }

  #linkLost(lost: Member, error: LinkError | undefined): void {
    const level = !this.#life.serving || lost.draining ? 'info' : 'error';
    this.#options.log(level, 'link closed', { manager: lost.upstream, sessions: lost.sessions, reason: error?.message });
    this.#sessions.linkLost(lost, error);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: VeracruzError): void {
    this.#options.log('warn', 'request refused', { code: error.code, reason: error.message });
    plain(request, response, statusOf(error), error.message);
  }
}

function askingOf({ socket, headers }: IncomingMessage): Asking {
  return { address: networkOf(socket.remoteAddress), secret: headers[SESSION_SECRET_HEADER] };
}

/** Answers a request for a session that is not there, or that the client may not use: it cannot tell one from the other. */
function refuseUnknown(request: IncomingMessage, response: ServerResponse, found: Found<HttpSession>): void {
  if (found.session !== undefined || found.status === 404) plain(request, response, 404, 'the session is not known');
  else {
    const seconds = Math.ceil(found.retryAfterMs / 1000);
    plain(request, response, 429, 'too many requests for sessions that are not known', { 'retry-after': String(seconds) });
  }
}
