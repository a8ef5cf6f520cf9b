import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { definedOf, integerInRange } from '../core/check.js';
import { LimitError } from '../core/errors.js';
import { listenUnder } from './abortable.js';
import { Connections } from './connections.js';
import type { HttpBodies } from './http-bodies.js';
import type { HttpExchangeOptions } from './http-client.js';
import { MIN_BODY_BYTES } from './http-faults.js';
import { parseHttpUrl } from './http-url.js';
import { beginListening, boundTo, closeServer } from './net.js';
import { connectingAborted } from './retry.js';
import type { DialOptions, ListenOptions, Transport } from './transport.js';

/** `http://host:port/path`, the URL that every body is posted to. It has no credentials. */
export interface HttpAddress {
  readonly kind: 'http';
  readonly url: string;
}

export interface HttpDialOptions extends DialOptions {
  http?: Omit<HttpExchangeOptions, 'url'> | undefined;
}

export interface HttpListenOptions extends ListenOptions {
  /** Bytes that a body may have, 64 to 2^30. Every answer announces it to clients of this library. Default 262,144. */
  maxBodyBytes?: number | undefined;
  /**
   * Connections at once; one more takes the place of one that is no pipe yet, of the most crowded address, or is closed.
   * Default 1,024, and fewer where the process may have fewer descriptors.
   */
  maxConnections?: number | undefined;
  /** Connections at once of one IPv4 address or one /64 of IPv6; 0 for no limit. Default 128. */
  maxConnectionsPerAddress?: number | undefined;
  /** Milliseconds that a peer may read nothing of an answer, ten times as many where it has a pipe; 0 for no limit. Default 60,000. */
  unreadTimeoutMs?: number | undefined;
  /** Milliseconds that a connection may be silent that is no pipe yet; 0 for no limit. A pipe may be silent. Default 60,000. */
  idleTimeoutMs?: number | undefined;
}

/** Defaults of `HttpListenOptions`. The bytes are what an original server accepts in a body (wire spec §C). */
export const HTTP_LISTEN_DEFAULTS = Object.freeze({
  maxBodyBytes: 262_144,
  maxConnections: 1024,
  maxConnectionsPerAddress: 128,
  unreadTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
});

/**
 * POSTs and their answers. The dialling end (`HttpExchange`) sends each unit as the body of one POST. The listening end
 * reads that body as one unit and answers it with one unit.
 *
 * All POSTs of one TCP connection are one pipe here. The Server role does not use `listen`: it finds the pipe of a POST by the
 * session id in the body, so that a session outlives a connection (`roles/server/http-session.ts`).
 */
export const http: Transport<HttpAddress, HttpDialOptions, HttpListenOptions> & { readonly scheme: 'http' } = {
  scheme: 'http',
  forms: ['http://host:port/path'],
  carries: 'units',
  dials: 'at-first-write',
  ends: 'both-ways',

  parse(text) {
    return text.startsWith('http://') ? { kind: 'http', url: parseHttpUrl(text).href } : undefined;
  },

  format: ({ url }) => url,

  async dial({ url }, { signal, http } = {}) {
    if (signal?.aborted === true) throw connectingAborted(url, signal.reason);
    // undici is loaded only here, at the first address of this kind.
    const { HttpExchange } = await import('./http-client.js');
    return new HttpExchange({ ...http, url });
  },

  async listen(address, onPipe, { signal, ...options } = {}) {
    const limits = limitsOf(options);
    const { hostname, port, pathname, search } = parseHttpUrl(address.url);
    return listenUnder(signal, address.url, async () => {
      const [{ createServer }, { ServedMessage }] = await Promise.all([import('node:http'), import('./served-message.js')]);
      const front = await PostFront.make(pathname + search, limits.maxBodyBytes, onPipe);
      const server = createServer({ IncomingMessage: ServedMessage, keepAliveTimeout: 0, noDelay: true }, (request, response) =>
        front.take(request, response),
      );
      new Connections(server, { ...limits, held: (socket) => front.has(socket) });
      const place = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
      await beginListening(server, place, address.url);
      server.on('error', () => {});
      const url = new URL(address.url);
      url.port = String(boundTo(server, place).port);
      return { address: { kind: 'http', url: url.href }, close: () => closeServer(server) };
    });
  },
};

type Limits = { readonly [name in keyof typeof HTTP_LISTEN_DEFAULTS]: number };

/** @throws InvalidOptionError */
function limitsOf(options: Omit<HttpListenOptions, 'signal'>): Limits {
  const limits: Limits = { ...HTTP_LISTEN_DEFAULTS, ...definedOf(options) };
  integerInRange('maxBodyBytes', limits.maxBodyBytes, MIN_BODY_BYTES, 2 ** 30);
  integerInRange('maxConnections', limits.maxConnections, 1, 2 ** 31);
  for (const name of ['maxConnectionsPerAddress', 'unreadTimeoutMs', 'idleTimeoutMs'] as const) {
    integerInRange(name, limits[name], 0, 2 ** 31 - 1);
  }
  return limits;
}

/** Gives each POST to the pipe of its connection. */
class PostFront {
  readonly #bodies: typeof HttpBodies;
  readonly #path: string;
  readonly #maxBodyBytes: number;
  readonly #onPipe: (pipe: Duplex) => void;
  readonly #pipes = new WeakMap<Socket, HttpBodies>();

  private constructor(bodies: typeof HttpBodies, path: string, maxBodyBytes: number, onPipe: (pipe: Duplex) => void) {
    this.#bodies = bodies;
    this.#path = path;
    this.#maxBodyBytes = maxBodyBytes;
    this.#onPipe = onPipe;
  }

  static async make(path: string, maxBodyBytes: number, onPipe: (pipe: Duplex) => void): Promise<PostFront> {
    const { HttpBodies } = await import('./http-bodies.js');
    return new PostFront(HttpBodies, path, maxBodyBytes, onPipe);
  }

  /** Whether the connection is a pipe. */
  has(socket: Socket): boolean {
    return this.#pipes.has(socket);
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    // The request was one too many.
    if (request.socket.destroyed) return;
    const wrong = request.url !== this.#path ? 404 : request.method !== 'POST' ? 405 : undefined;
    if (wrong !== undefined) {
      request.resume();
      response.writeHead(wrong, { 'content-type': 'text/plain; charset=utf-8' }).end(`only POST ${this.#path} is answered here\n`);
      return;
    }
    let pipe = this.#pipes.get(request.socket);
    if (pipe === undefined) {
      pipe = this.#open(request.socket);
      this.#pipes.set(request.socket, pipe);
      pipe.accept(request, response, NOTHING_READ, () => {});
      this.#onPipe(pipe);
    } else pipe.accept(request, response, NOTHING_READ, () => {});
    if (pipe.destroyed) endPipe(pipe, request.socket);
  }

  #open(socket: Socket): HttpBodies {
    const pipe = new this.#bodies(this.#maxBodyBytes, { 'x-veracruz-max-body-bytes': String(this.#maxBodyBytes) });
    pipe.once('close', () => endPipe(pipe, socket));
    // The client has closed the connection while no POST was open: a normal end.
    socket.once('close', () => {
      if (!pipe.destroyed) pipe.push(null);
    });
    return pipe;
  }
}

/** No part of a body is read before the pipe has it. */
const NOTHING_READ = Object.freeze({ pieces: [], whole: false });

/** Answers the open POSTs with the reason if that is still possible, and closes the connection. */
function endPipe(pipe: HttpBodies, socket: Socket): void {
  const reason = pipe.errored;
  pipe.refuse(reason instanceof LimitError ? 413 : 503, reason?.message ?? 'the exchange is over');
  socket.end();
}
