import { request } from 'node:http';
import type { Socket } from 'node:net';
import { definedOf, integerInRange } from '../../core/check.js';
import { AbortedError, OutcomeUnknownError, SessionUnknownError, TimeoutError, TransportError } from '../../core/errors.js';
import type { Received, Sent } from '../../layers/protobuf/index.js';
import { sessionHead } from '../../layers/session/index.js';
import { type TlsClientOptions, tlsState } from '../../layers/tls/index.js';
import type { Channel } from '../../pipeline/channel.js';
import { parseAddress } from '../../transports/address.js';
import { HTTP_EXCHANGE_DEFAULTS, HttpExchange } from '../../transports/http-client.js';
import { parseHttpUrl } from '../../transports/http-url.js';
import { connectSocket } from '../../transports/socket.js';
import { clientStack, directClientStack, type MessageOptions } from '../stacks.js';
import { AnswerWatch } from './answer-watch.js';

const LAYER = 'client';
/** Milliseconds of silence after which the kernel asks a TCP peer whether it is there: a program that runs says nothing. */
const KEEP_ALIVE_MS = 30_000;
/** Milliseconds that a client which breaks off takes to say so. */
const LEAVE_MS = 1000;
/** Bytes of ciphertext that go into one POST, when the server takes as much. */
const BATCH_BYTES = 1024 * 1024;
/** What an id and a space before the base64 text may take. */
const SESSION_HEAD_BYTES = 11;

export type ClientChannel = Channel<Sent<'RuntimeManagerRequest'> | Received<'RuntimeManagerResponse'>>;

/** The client's stack and what carries it to the Server. */
export interface ServerConnection {
  readonly channel: ClientChannel;
  /** An answer is due from now on, as long as `awaiting` says so. */
  expectAnswer(): void;
  /**
   * Settles when the channel is closed and, where this end broke the session off, the Server has been told so or does not
   * answer.
   */
  left(): Promise<void>;
  /** Bytes on the connection, and POSTs sent (0 without HTTP). */
  wire(): { readonly bytesOut: number; readonly bytesIn: number; readonly posts: number };
}

export interface ServerConnectionOptions extends MessageOptions {
  /** `http://host:port` of the Server, or `tcp://host:port` where it takes TLS without HTTP. */
  readonly url: string;
  readonly tls: TlsClientOptions;
  /** Milliseconds between two signs of life of an answer, and of bytes that are to leave; 0 waits for ever. Default 60,000. */
  readonly answerTimeoutMs?: number | undefined;
  /** Milliseconds to wait for a TCP connection. Default 10,000. */
  readonly connectTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether an answer, or the rest of one, is due. */
  readonly awaiting: () => boolean;
  /** Whether that is a program's, which gives no sign of life until it is there. Default: never. */
  readonly running?: () => boolean;
  /** Milliseconds that a program may run; 0 for ever. Default 86,400,000, a day. */
  readonly computeTimeoutMs?: number | undefined;
}

/** Milliseconds that a program may run unless told otherwise. */
const COMPUTE_TIMEOUT_MS = 86_400_000;

/**
 * @throws TransportError when nobody listens at a `tcp://` address, or nobody answers; over HTTP that shows with the first
 * POST. InvalidOptionError for a URL that is none.
 */
export async function openConnection(options: ServerConnectionOptions): Promise<ServerConnection> {
  return /^(tcp|unix):/.test(options.url) ? overTcp(options) : overHttp(options);
}

function overHttp({
  url: text,
  awaiting,
  answerTimeoutMs,
  connectTimeoutMs,
  computeTimeoutMs,
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
    ...definedOf({ answerTimeoutMs, connectTimeoutMs }),
  });
  const batchBytes = () => Math.min(BATCH_BYTES, Math.floor((exchange.maxBodyBytes - SESSION_HEAD_BYTES) / 4) * 3);
  const channel = clientStack({ ...messages, batchBytes, deferred: true }).over(exchange, definedOf({ signal })) as ClientChannel;
  /** The Server knows that the session is over: it says so itself, its connection is lost, or both ends have said goodbye. */
  const over = () => {
    const { errored } = exchange;
    if ([SessionUnknownError, OutcomeUnknownError, TransportError].some((gone) => errored instanceof gone)) return true;
    return channel.writableFinished && tlsState(channel.connection)?.peerEnd === 'close_notify';
  };
  const left = new Promise<void>((resolve) => {
    channel.once('close', () => {
      const { session } = channel.connection;
      resolve(session === undefined || over() ? undefined : leave(url, session));
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
 * Tells the Server that a session is over. Between two POSTs it would not notice: the session would be there, at both
 * roles, and a program that it has started would run, until it is idle too long. A Server of another make says no; it does not matter.
 */
function leave(url: URL, session: string): Promise<void> {
  return new Promise((resolve) => {
    const deletion = request(new URL(`/runtime_manager/${session}`, url), { method: 'DELETE', agent: false, timeout: LEAVE_MS });
    deletion
      .on('response', (response) => response.resume())
      .on('timeout', () => deletion.destroy())
      .on('error', () => {})
      .on('close', () => resolve())
      .end();
  });
}

function computeLimit(computeTimeoutMs: number | undefined): number {
  return integerInRange('computeTimeoutMs', computeTimeoutMs ?? COMPUTE_TIMEOUT_MS, 0, 2 ** 31 - 1);
}

async function overTcp(options: ServerConnectionOptions): Promise<ServerConnection> {
  const { url, awaiting, running = () => false, answerTimeoutMs, connectTimeoutMs, computeTimeoutMs, signal, ...messages } = options;
  const computeMs = computeLimit(computeTimeoutMs);
  const silentMs = integerInRange('answerTimeoutMs', answerTimeoutMs ?? HTTP_EXCHANGE_DEFAULTS.answerTimeoutMs, 0, 2 ** 31 - 1);
  const socket = await connectInTime(url, connectTimeoutMs ?? HTTP_EXCHANGE_DEFAULTS.connectTimeoutMs, signal);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  const channel = directClientStack(messages).over(socket, definedOf({ signal })) as ClientChannel;
  const left = new Promise<void>((resolve) => channel.once('close', resolve));
  let looked = 0;
  // Bytes that come, and bytes that the kernel takes, begin the time anew by themselves.
  const watch = () => {
    looked = channel.received;
    socket.setTimeout(silentMs);
  };
  watch();
  socket.on('timeout', () => {
    // While bytes wait in the layers, or until a moment ago did, it is the reader who makes the peer wait.
    const silent = awaiting() && !running() && channel.idle && channel.received === looked;
    if (silent || socket.writableLength > 0) {
      channel.destroy(new TimeoutError(`the server was silent for ${silentMs} ms`, { layer: LAYER, limit: silentMs }));
    } else if (awaiting()) watch();
  });
  // The socket's own timeout minds all answers but a program's.
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

/** @throws TransportError also when there is no connection after `timeoutMs` */
async function connectInTime(url: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<Socket> {
  const deadline = AbortSignal.timeout(integerInRange('connectTimeoutMs', timeoutMs, 1, 2 ** 31 - 1));
  const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  return connectSocket(parseAddress(url), { signal: either }).catch((cause: unknown) => {
    if (!(cause instanceof AbortedError) || signal?.aborted === true) throw cause;
    throw new TransportError(`cannot connect to ${url}: no connection after ${timeoutMs} ms`, { layer: LAYER, limit: timeoutMs, cause });
  });
}
