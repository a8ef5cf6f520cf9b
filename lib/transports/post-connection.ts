import { connect as netConnect, type Socket } from 'node:net';
import { type buildConnector, Client } from 'undici';
import { clock } from '../core/clock.js';
import { TransportError } from '../core/errors.js';
import { messageOf } from '../core/message-of.js';
import { HTTP_LAYER } from './http-faults.js';

/** The error of a request that would have to go over a second connection. */
export class UsedUpError extends Error {}

export interface PostConnectionOptions {
  readonly origin: string;
  /** POSTs that may be sent before the first is answered. */
  readonly maxInFlight: number;
  readonly connectTimeoutMs: number;
}

/**
 * One TCP connection for POSTs: an undici client that connects only once. A request that undici would send again on a second
 * connection fails with `UsedUpError` instead:
 *
 *     the connection was lost            the first request without an answer fails with what happened; then those behind it
 *     an answer was the last one on it   no request fails with anything else, and the server has read none of them
 */
export class PostConnection {
  readonly client: Client;
  /** Answers that came to their end. */
  answers = 0;
  readonly #options: PostConnectionOptions;
  #connected = false;
  #socket: Socket | undefined;
  /** The socket while it is not established yet. */
  #connecting: Socket | undefined;

  /** @param onClose called when the connection is closed, and before anything else is told of that */
  constructor(options: PostConnectionOptions, onClose: (connection: PostConnection) => void) {
    this.#options = options;
    this.client = new Client(options.origin, {
      pipelining: options.maxInFlight,
      // undici would not see that a long body is still being sent. `StallWatch` has the deadline.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: ({ hostname, port }, done) => {
        if (this.#connected) done(new UsedUpError('the connection was lost'), null);
        else this.#open(hostname, Number(port) || 80, done);
      },
    });
    this.client.on('disconnect', () => onClose(this));
  }

  /** True until the TCP connection is established or has failed. It has a deadline of its own. */
  get connecting(): boolean {
    return this.#connecting !== undefined;
  }

  /** Bytes that went over TCP so far, HTTP heads included. */
  get bytesOut(): number {
    return this.#socket?.bytesWritten ?? 0;
  }

  get bytesIn(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  /** Bytes that the kernel has taken, up to whole writes. */
  get bytesSent(): number {
    return this.bytesOut - (this.#socket?.writableLength ?? 0);
  }

  destroy(): void {
    // Not in this call, because undici may be the caller: if it reports a lost connection and has a second request, a destroy
    // from within makes one of its assertions fail in a socket handler, where nobody can catch the error.
    process.nextTick(() => {
      this.client.destroy().catch(() => {});
    });
    // undici does not know a connection before it is established, so it would not close this one.
    this.#connecting?.destroy(new Error('the exchange was closed'));
  }

  #open(host: string, port: number, done: buildConnector.Callback): void {
    this.#connected = true;
    const { connectTimeoutMs } = this.#options;
    const socket = netConnect({ host, port, noDelay: true });
    this.#connecting = socket;
    // undici listens to the first connection of a process only when its parser is compiled. Until it listens nothing is read,
    // so a reset is not seen before it can be told; a listener of our own is there for what else may happen meanwhile.
    socket.pause().on('error', () => {});
    const timer = clock.setTimeout(() => socket.destroy(new Error(`no connection after ${connectTimeoutMs} ms`)), connectTimeoutMs);
    const failed = (cause: Error) => {
      clock.clear(timer);
      this.#connecting = undefined;
      done(new TransportError(`cannot connect to ${host}:${port}: ${messageOf(cause)}`, { layer: HTTP_LAYER, cause }), null);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      clock.clear(timer);
      socket.off('error', failed);
      this.#connecting = undefined;
      this.#socket = socket;
      done(null, socket);
    });
  }
}
