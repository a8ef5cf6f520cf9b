import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { CertificateWatch, periodOf } from '../../attestation/certificate-time.js';
import { DeviceRegistry } from '../../attestation/registry/index.js';
import { clock } from '../../core/clock.js';
import { Lifecycle } from '../../core/lifecycle.js';
import { type Address, parseAddress } from '../../transports/address.js';
import { Connections } from '../../transports/connections.js';
import { ServedMessage } from '../../transports/served-message.js';
import { boundAddress, listen } from '../../transports/socket.js';
import { answerClientError, pathOf, plain, urlOf } from '../http-answers.js';
import { logBadEnd } from '../options.js';
import { type AttestationServerOptions, type Completed, completeOptions } from './options.js';
import { answerOk } from './post-body.js';
import { RequestRate } from './request-rate.js';
import { Services } from './services.js';

export { ATTESTATION_SERVER_DEFAULTS, type AttestationServerOptions } from './options.js';

/** The options with their defaults, when all is known of them that can be without making anything. */
export async function checkOptions(options: AttestationServerOptions): Promise<Completed> {
  const completed = completeOptions(options);
  if (!(options.registry instanceof DeviceRegistry)) await DeviceRegistry.check(options.registry);
  return completed;
}

/** Milliseconds that `close` waits for requests under way. */
const PATIENCE_MS = 5000;
const MAX_HEAD_BYTES = 8192;

/**
 * The Proxy Attestation Server (wire spec §F). It gives challenges, checks the evidence that answers them, and certifies the
 * keys of the Runtime Managers that pass. Bodies in both directions are base64 of a length-prefixed protobuf message.
 *
 *     POST /Start                                  start_msg                     → psa_attestation_init
 *     POST /PSA/AttestationToken, /PSA             native_psa_attestation_token  → cert_chain
 *     POST /Nitro/AttestationToken, /Nitro         nitro_attestation_doc         → cert_chain
 *     POST /VerifyPAT                              proxy_psa_attestation_token   → the token's payload, base64
 *     GET  /certificate                            the authority's certificate, PEM
 *     GET  /health                                 `ok`, when the registry answers
 *
 * Evidence that does not pass is answered `403 attestation failed`, whatever the reason; the log has the reason. Other
 * refusals are 400 (malformed body), 404, 405, 408, 413, 429, 501 (unknown protocol), and 503 (too many challenges or
 * devices, or the registry does not answer). Each has one line of plain text as its body.
 *
 * Challenges are kept in this process, so a device must send its evidence to the server that gave its challenge.
 */
export class AttestationServer {
  readonly #options: Completed;
  /** Both are undefined until the registry is open. */
  #registry: DeviceRegistry | undefined;
  #services: Services | undefined;
  readonly #rate: RequestRate;
  readonly #http: HttpServer;
  readonly #life = new Lifecycle(
    'attestation-server',
    () => this.#close(),
    (error) => logBadEnd(this.#options.log, error),
  );
  #address: Address | undefined;
  #watch: CertificateWatch | undefined;

  private constructor(options: Completed) {
    this.#options = options;
    this.#rate = new RequestRate(options.maxRequestsPerSecond, options.clock);
    this.#http = createServer({
      IncomingMessage: ServedMessage,
      noDelay: true,
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: Math.min(options.headTimeoutMs, options.requestTimeoutMs),
      requestTimeout: options.requestTimeoutMs,
      keepAliveTimeout: options.idleTimeoutMs,
      connectionsCheckingInterval: 1000,
    });
    this.#http.on('request', (request, response) => this.#route(request, response, () => {}));
    // A client that sends `Expect: 100-continue` is refused, if it must be, before it sends its body.
    this.#http.on('checkContinue', (request, response) => this.#route(request, response, () => response.writeContinue()));
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerClientError(error, socket));
    new Connections(this.#http, {
      ...options,
      // The HTTP server itself ends silent connections, with an answer where a request was begun.
      idleTimeoutMs: 0,
      onEnd: (reason) => options.log('debug', 'connection ended', { reason }),
    });
  }

  /**
   * Begins to listen, and to answer 503; opens the registry if `options` does not have an open one. Options are checked before,
   * and whether the registry's package is installed.
   * @throws InvalidOptionError; InvalidArgumentError; MissingPackageError; RegistryError; TransportError; AbortedError when
   * `signal` fires first
   */
  static async start(options: AttestationServerOptions): Promise<AttestationServer> {
    const completed = await checkOptions(options);
    const address = parseAddress(completed.listen);
    const server = new AttestationServer(completed);
    await listen(server.#http, address);
    server.#address = boundAddress(server.#http, address);
    try {
      const { registry } = options;
      server.#registry = registry instanceof DeviceRegistry ? registry : await DeviceRegistry.open(registry);
      await server.#warn(server.#registry);
      server.#services = new Services(server.#registry, completed);
    } catch (error) {
      await server.close();
      throw error;
    }
    server.#watch = new CertificateWatch('of the authority', periodOf([completed.authority.certificateDer]), completed.log);
    await server.#life.listening(options.signal);
    return server;
  }

  /** The address that the server listens at. A port 0 is replaced by the port that the system chose. */
  get address(): Address {
    return this.#address as Address;
  }

  /** `http://host:port`, or the address of a Unix socket. */
  get url(): string {
    return urlOf(this.address);
  }

  /** The registry, for enrolling keys and allowing runtimes while the server runs. */
  get registry(): DeviceRegistry {
    return this.#registry as DeviceRegistry;
  }

  /** Number of challenges that are kept, including expired ones. */
  get challenges(): number {
    return this.#services?.challenges ?? 0;
  }

  /** Settles when the server has closed. */
  get closed(): Promise<void> {
    return this.#life.closed;
  }

  /** Stops listening, waits up to 5 s for requests under way, and closes the registry if the server opened it. */
  close(): Promise<void> {
    return this.#life.close();
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#watch?.stop();
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    const sweep = clock.setInterval(() => this.#http.closeIdleConnections(), 50);
    const patience = clock.setTimeout(() => this.#http.closeAllConnections(), PATIENCE_MS);
    this.#http.closeIdleConnections();
    await closed;
    clock.clear(sweep);
    clock.clear(patience);
    // One that was given open is for whoever opened it to close.
    if (this.#registry !== this.#options.registry) await this.#registry?.close();
  }

  /** Warns at the start about settings that would make later answers hard to explain. */
  async #warn(registry: DeviceRegistry): Promise<void> {
    const { log, allowAnyRuntime, maxKeysTried } = this.#options;
    const [runtimes, keys] = await Promise.all([registry.listRuntimes(), registry.liveKeys(maxKeysTried + 1)]);
    if (allowAnyRuntime) log('warn', 'ANY Runtime Manager is certified: whoever connects must check its hash himself');
    else if (runtimes.every(({ revokedAt }) => revokedAt !== null)) log('warn', 'no runtime hash is allowed: nobody will be certified');
    if (keys.length === 0) log('warn', 'no device key is enrolled: no PSA token will pass');
    if (keys.length > maxKeysTried) log('warn', 'more keys than are tried on a token that names none', { maxKeysTried });
  }

  #route(request: IncomingMessage, response: ServerResponse, proceed: () => void): void {
    const { method = '' } = request;
    const path = pathOf(request);
    const [registry, services] = [this.#registry, this.#services];
    if (!this.#rate.allows(request.socket.remoteAddress ?? '')) {
      plain(request, response, 429, 'too many requests', { 'retry-after': '1' });
    } else if (!this.#life.serving) {
      plain(request, response, 503, 'the server is closing');
    } else if (registry === undefined || services === undefined) {
      plain(request, response, 503, 'the server is starting');
    } else if (path === '/health' || path === '/certificate') {
      if (method === 'GET') void this.#look(registry, path, request, response);
      else plain(request, response, 405, `only GET ${path}`, { allow: 'GET' });
    } else if (!services.has(path)) {
      plain(request, response, 404, 'no such service');
    } else if (method !== 'POST') {
      plain(request, response, 405, `only POST ${path}`, { allow: 'POST' });
    } else {
      void services.serve(path, request, response, proceed);
    }
  }

  async #look(
    registry: DeviceRegistry,
    path: '/health' | '/certificate',
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    request.resume();
    if (path === '/certificate') {
      answerOk(response, this.#options.authority.certificate, 'application/x-pem-file');
      return;
    }
    try {
      await registry.ping();
      answerOk(response, 'ok\n');
    } catch {
      plain(request, response, 503, 'the registry does not answer');
    }
  }
}
