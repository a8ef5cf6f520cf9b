import { request } from 'node:http';
import type { Socket } from 'node:net';
import { definedOf, integerInRange } from '../../core/check.js';
import { clock } from '../../core/clock.js';
import { AbortedError, OutcomeUnknownError, SessionUnknownError, TimeoutError, TransportError } from '../../core/errors.js';
import type { Received, Sent } from '../../layers/protobuf/index.js';
import { sessionHead, splitBody } from '../../layers/session/index.js';
import { type TlsClientOptions, tlsState } from '../../layers/tls/index.js';
import type { Channel } from '../../pipeline/channel.js';
import { parseAddress } from '../../transports/address.js';
import { HTTP_EXCHANGE_DEFAULTS, HttpExchange } from '../../transports/http-client.js';
import { completeExchangeOptions } from '../../transports/http-exchange-options.js';
import { parseHttpUrl } from '../../transports/http-url.js';
import { connectSocket } from '../../transports/socket.js';
import { clientStack, directClientStack, type MessageOptions } from '../stacks.js';
import { AnswerWatch } from './answer-watch.js';

const LAYER = 'client';
/**
 * Milliseconds of silence before the kernel probes a TCP peer. While a program runs, no bytes come that would show a dead
 * peer.
 */
const KEEP_ALIVE_MS = 30_000;
/** Milliseconds that a client waits while it tells the Server that it has broken off the session. */
const LEAVE_MS = 1000;
/** Most bytes of the session id and the space that stand before the base64 text. */
const SESSION_HEAD_BYTES = 11;

export type ClientChannel = Channel<Sent<'RuntimeManagerRequest'>, Received<'RuntimeManagerResponse'>>;

/** The client's stack over its transport to the Server. */
export interface ServerConnection {
  readonly channel: ClientChannel;
  /** Tells that an answer is due from now on, for as long as `awaiting` returns true. */
  expectAnswer(): void;
  /**
   * Settles when the channel is closed. Where this end broke the session off, it first tells the Server so, and waits for
   * the answer or `LEAVE_MS`.
   */
  left(): Promise<void>;
  /** Bytes on the TCP connections, and number of POSTs sent (0 without HTTP). */
  wire(): { readonly bytesOut: number; readonly bytesIn: number; readonly posts: number };
}

export interface ServerConnectionOptions extends MessageOptions {
  /** URL of the Server: `http://host:port`, or `tcp://host:port` for TLS without HTTP. */
  readonly url: string;
  readonly tls: TlsClientOptions;
  /** Milliseconds that an answer, or bytes that are to be sent, may make no progress; 0 for no limit. Default 60,000. */
  readonly answerTimeoutMs?: number | undefined;
  /** Milliseconds to wait for a TCP connection. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** POSTs that may be open at once. Default 4. It means nothing without HTTP. */
  readonly maxInFlight?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether an answer is due, or the rest of one. */
  readonly awaiting: () => boolean;
  /** Whether the answer that is due is a program's, of which nothing comes until the program has ended. Default: never. */
  readonly running?: () => boolean;
  /** Milliseconds that a program may run; 0 for no limit. Default 86,400,000, a day. */
  readonly computeTimeoutMs?: number | undefined;
}

/** Default of `computeTimeoutMs`. */
export const COMPUTE_TIMEOUT_MS = 86_400_000;

/** Whether the Server takes TLS without HTTP at this URL. */
function isDirect(url: string): boolean {
  return /^(tcp|unix):/.test(url);
}

/** Checks what `openConnection` is given, and connects to nobody. @throws InvalidOptionError */
export function checkConnection({ url, tls, dialect, maxMessageBytes, ...limits }: ServerConnectionOptions): void {
  const { answerTimeoutMs, connectTimeoutMs, computeTimeoutMs, maxInFlight } = limits;
  const messages = { tls, dialect, maxMessageBytes };
  computeLimit(computeTimeoutMs);
  // The limits are the same for both ways to the Server.
  completeExchangeOptions({ url: 'http://checked/', ...definedOf({ answerTimeoutMs, connectTimeoutMs, maxInFlight }) });
  if (isDirect(url)) parseAddress(url);
  else parseHttpUrl(url);
  directClientStack(messages);
}

/**
 * Connects to the Server.
 *
 * @throws TransportError when a `tcp://` address cannot be reached (over HTTP, the first POST fails instead);
 * InvalidOptionError for a malformed URL
 */
export async function openConnection(options: ServerConnectionOptions): Promise<ServerConnection> {
  return isDirect(options.url) ? overTcp(options) : overHttp(options);
}

function overHttp({
  url: text,
  awaiting,
  answerTimeoutMs,
  connectTimeoutMs,
  computeTimeoutMs,
  maxInFlight,
  running = () => false,
  signal,
  ...messages
}: ServerConnectionOptions): ServerConnection {
  const url = parseHttpUrl(text);
  const exchange = new HttpExchange({
    url: new URL('/runtime_manager', url).href,
    poll: () => {
      const id = channel.connection.session;
      return awaiting() && id !== undefined ? sessionHead(Number(id)) : undefined;
    },
    split: splitBody,
    ...definedOf({ answerTimeoutMs, connectTimeoutMs, maxInFlight }),
  });
  /** Bytes of ciphertext in one POST. */
  const batchBytes = () => Math.floor((exchange.bodyBytes - SESSION_HEAD_BYTES) / 4) * 3;
  const channel: ClientChannel = clientStack({ ...messages, batchBytes, deferred: true }).over(exchange, definedOf({ signal }));
  /** True when the Server need not be told: it ended the session, its connection is lost, or both ends sent close_notify. */
  const over = () => {
    const { errored } = exchange;
    if ([SessionUnknownError, OutcomeUnknownError, TransportError].some((gone) => errored instanceof gone)) return true;
    return channel.writableFinished && tlsState(channel.connection)?.peerEnd === 'close_notify';
  };
  const left = new Promise<void>((resolve) => {
    channel.once('close', () => {
      const { session } = channel.connection;
      resolve(session === undefined || over() ? undefined : leave(url, session, exchange.sessionHeaders));
    });
  });
  const watch = new AnswerWatch(channel, {
    answerTimeoutMs: answerTimeoutMs ?? HTTP_EXCHANGE_DEFAULTS.answerTimeoutMs,
    computeTimeoutMs: computeLimit(computeTimeoutMs),
    awaiting,
    running,
    sending: () => exchange.sending,
  });
  return {
    channel,
    expectAnswer: () => {
      exchange.expectAnswer();
      watch.expect();
    },
    left: () => left,
    wire: () => ({ ...exchange.wireBytes, posts: exchange.posts }),
  };
}

/**
 * Tells the Server that a session is over. Otherwise the Server would not notice between two POSTs: it and the manager would
 * keep the session, and a program that it started, until the idle timeout. The original's Server refuses this request,
 * which does no harm.
 */
function leave(url: URL, session: string, headers: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((resolve) => {
    const deletion = request(new URL(`/runtime_manager/${session}`, url), { method: 'DELETE', headers, agent: false });
    // The timeout of a socket would begin anew with each byte.
    const late = clock.setTimeout(() => deletion.destroy(), LEAVE_MS);
    deletion
      .on('response', (response) => response.resume())
      .on('error', () => {})
      .on('close', () => {
        clock.clear(late);
        resolve();
      })
      .end();
  });
}

function computeLimit(computeTimeoutMs: number | undefined): number {
  return integerInRange('computeTimeoutMs', computeTimeoutMs ?? COMPUTE_TIMEOUT_MS, 0, 2 ** 31 - 1);
}

async function overTcp(options: ServerConnectionOptions): Promise<ServerConnection> {
  const {
    url,
    awaiting,
    running = () => false,
    answerTimeoutMs,
    connectTimeoutMs,
    computeTimeoutMs,
    signal,
    maxInFlight: _,
    ...messages
  } = options;
  const computeMs = computeLimit(computeTimeoutMs);
  const silentMs = integerInRange('answerTimeoutMs', answerTimeoutMs ?? HTTP_EXCHANGE_DEFAULTS.answerTimeoutMs, 0, 2 ** 31 - 1);
  const layers = directClientStack(messages);
  const socket = await connectInTime(url, connectTimeoutMs ?? HTTP_EXCHANGE_DEFAULTS.connectTimeoutMs, signal);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  const channel = layers.over(socket, definedOf({ signal }));
  const left = new Promise<void>((resolve) => channel.once('close', resolve));
  let looked = 0;
  // Node restarts the socket's timeout whenever bytes are received, or sent to the kernel.
  const watch = () => {
    looked = channel.received;
    socket.setTimeout(silentMs);
  };
  watch();
  socket.on('timeout', () => {
    // The peer is silent only if the layers hold no bytes and delivered none since the last check: else the reader is slow.
    const silent = awaiting() && !running() && channel.idle && channel.received === looked;
    if (silent || socket.writableLength > 0) {
      channel.destroy(new TimeoutError(`the server was silent for ${silentMs} ms`, { layer: LAYER, limit: silentMs }));
    } else if (awaiting()) watch();
  });
  // The socket's timeout covers all answers except a program's.
  const programs = new AnswerWatch(channel, { answerTimeoutMs: 0, computeTimeoutMs: computeMs, awaiting, running, sending: () => false });
  return {
    channel,
    expectAnswer: () => {
      watch();
      programs.expect();
    },
    left: () => left,
    wire: () => ({ bytesOut: socket.bytesWritten, bytesIn: socket.bytesRead, posts: 0 }),
  };
}

/** Connects a socket. @throws TransportError when it cannot connect, or takes more than `timeoutMs` */
async function connectInTime(url: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<Socket> {
  const deadline = clock.timeout(integerInRange('connectTimeoutMs', timeoutMs, 1, 2 ** 31 - 1));
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  return connectSocket(parseAddress(url), { signal: either }).catch((cause: unknown) => {
    if (!(cause instanceof AbortedError) || signal?.aborted === true) throw cause;
    throw new TransportError(`cannot connect to ${url}: no connection after ${timeoutMs} ms`, { layer: LAYER, limit: timeoutMs, cause });
  });
}
