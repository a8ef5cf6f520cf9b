import { once } from 'node:events';
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { Backoff } from '../core/backoff.js';
import { integerInRange } from '../core/check.js';
import { AbortedError, InvalidOptionError, TransportError } from '../core/errors.js';
import { messageOf } from '../core/message-of.js';
import { type Address, type ConnectAddress, formatAddress } from './address.js';

const LAYER = 'transport';
/** Bytes that a socket reads ahead, and that a writer may hand over, before either waits. */
const SOCKET_HIGH_WATER_BYTES = 1024 * 1024;
/** What a timer can wait; asked for more it does not wait at all. */
const MAX_WAIT_MS = 2 ** 31 - 1;
/** What no further try heals. */
const HOPELESS = new Set(['EACCES', 'EPERM', 'ENOTDIR', 'ENAMETOOLONG', 'EPROTOTYPE', 'EINVAL']);

/** How often a connection is tried before it counts as failed. */
export interface RetryOptions {
  /** Tries in all, the first included: 1 or more, or `Infinity` (until the signal fires). */
  readonly tries: number;
  /** Milliseconds from the first failure to the second try. */
  readonly intervalMs: number;
  /** What each further wait is longer by, up to 24 days: 1 keeps `intervalMs`, 2 doubles it. */
  readonly backoff: number;
}

/** As the original's IceCap server waits for QEMU's socket: every 100 ms until it is there (wire spec §D). */
export const RETRY_ICECAP: RetryOptions = Object.freeze({ tries: Number.POSITIVE_INFINITY, intervalMs: 100, backoff: 1 });
/** As the original's Nitro server: 5 tries, 1, 2, 4 and 8 s apart. Its last wait, 16 s, had no try behind it (wire spec §D). */
export const RETRY_NITRO: RetryOptions = Object.freeze({ tries: 5, intervalMs: 1000, backoff: 2 });

export interface ConnectOptions {
  signal?: AbortSignal | undefined;
  /** Default: one try. */
  retry?: RetryOptions | undefined;
}

/**
 * Connects to a TCP port or Unix socket, without Nagle's delay (wire spec §D: TCP_NODELAY on both sides).
 *
 * @throws TransportError when nobody listens there, after the last try, or at once when no further try can help
 * (permission); AbortedError when `signal` fires first; InvalidOptionError for an address that is none to connect to.
 */
export async function connectSocket(address: Address, { signal, retry }: ConnectOptions = {}): Promise<Socket> {
  if (address.kind !== 'tcp' && address.kind !== 'unix') {
    throw new InvalidOptionError(`${formatAddress(address)} is no address to connect to`, {
      layer: LAYER,
      expected: 'tcp or unix',
      got: address.kind,
    });
  }
  const { tries, intervalMs, backoff } = checkRetry(retry ?? { tries: 1, intervalMs: 0, backoff: 1 });
  const pauses = new Backoff({ firstMs: intervalMs, lastMs: MAX_WAIT_MS, factor: backoff });
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectOnce(address, signal);
    } catch (error) {
      if (error instanceof AbortedError || attempt >= tries || HOPELESS.has(codeOf((error as Error).cause))) throw error;
    }
    await pauses.wait(signal).catch((cause: unknown) => {
      throw aborted(address, cause);
    });
  }
}

async function connectOnce(address: ConnectAddress, signal: AbortSignal | undefined): Promise<Socket> {
  if (signal?.aborted === true) throw aborted(address, signal.reason);
  const common = { highWaterMark: SOCKET_HIGH_WATER_BYTES, allowHalfOpen: true };
  const socket =
    address.kind === 'tcp'
      ? netConnect({ ...common, host: address.host, port: address.port, noDelay: true })
      : netConnect({ ...common, path: address.path });
  try {
    await once(socket, 'connect', signal === undefined ? {} : { signal });
    return socket;
  } catch (cause) {
    socket.on('error', () => {});
    socket.destroy();
    throw (cause as Error).name === 'AbortError' ? aborted(address, cause) : failed('connect to', address, cause);
  }
}

/** A listening TCP port or Unix socket, or an open console: a place where pipes come about. */
export interface Listener {
  /** Where it listens; a port 0 is the one that was given. */
  readonly address: Address;
  /** Stops; socket connections that exist stay. Removes a Unix socket's file. */
  close(): Promise<void>;
}

/**
 * Listens and hands over each connection. `tcp://` and `tcp-listen://` mean the same here, and so do the Unix forms.
 *
 * @throws TransportError when the address is in use or not allowed.
 */
export async function listenSocket(address: Address, onConnection: (socket: Socket) => void): Promise<Listener> {
  const server = createServer({ highWaterMark: SOCKET_HIGH_WATER_BYTES, allowHalfOpen: true, noDelay: true }, onConnection);
  await listen(server, address);
  // A connection that cannot be accepted (no descriptor is free) is no reason to end those that exist.
  server.on('error', () => {});
  return { address: boundAddress(server, address), close: () => Promise.resolve(closeServer(server)) };
}

/** Makes any net or http server listen at `address`. @throws as `listenSocket` */
export async function listen(server: Server, address: Address): Promise<void> {
  if (address.kind === 'serial') {
    throw new InvalidOptionError(`${formatAddress(address)} is a device; no socket can listen there`, {
      layer: LAYER,
      expected: 'tcp or unix',
      got: address.kind,
    });
  }
  const listening = once(server, 'listening');
  if ('path' in address) server.listen(address.path);
  else server.listen(address.port, address.host);
  try {
    await listening;
  } catch (cause) {
    throw failed('listen at', address, cause);
  }
}

/** The address that `server` got: as asked, with the port that the system chose where 0 was asked. */
export function boundAddress(server: Server, asked: Address): Address {
  const bound = server.address();
  return 'port' in asked && bound !== null && typeof bound === 'object' ? { ...asked, port: bound.port } : asked;
}

/** Nothing listens any more when it returns; connections that exist stay. */
function closeServer(server: Server): void {
  if (server.listening) server.close();
}

function checkRetry(retry: RetryOptions): RetryOptions {
  if (retry.tries !== Number.POSITIVE_INFINITY) integerInRange('tries', retry.tries, 1, Number.MAX_SAFE_INTEGER);
  integerInRange('intervalMs', retry.intervalMs, 0, MAX_WAIT_MS);
  if (!(retry.backoff >= 1 && retry.backoff <= 16)) {
    throw new InvalidOptionError(`backoff must be from 1 to 16, got ${retry.backoff}`, { expected: '1..16', got: retry.backoff });
  }
  return retry;
}

function aborted(address: Address, cause: unknown): AbortedError {
  return new AbortedError(`connecting to ${formatAddress(address)} was aborted`, { layer: LAYER, cause });
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
}

/** One line that says what is wrong and, where that is known, what to do. */
function failed(verb: string, address: Address, cause: unknown): TransportError {
  return new TransportError(`cannot ${verb} ${formatAddress(address)}: ${reasonOf(address, cause)}`, { layer: LAYER, cause });
}

function reasonOf(address: Address, cause: unknown): string {
  const unix = 'path' in address;
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return unix ? 'the file is there already, of a process that listens or of one that was killed' : 'the port is in use';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have that host address';
    case 'EACCES':
    case 'EPERM':
      return unix ? 'no permission for that path' : 'no permission for that port';
    case 'ECONNREFUSED':
      return unix ? 'nobody listens at that file (ECONNREFUSED)' : 'nobody listens at that port (ECONNREFUSED)';
    case 'ENOENT':
      return 'no such file or folder (ENOENT)';
    default:
      return messageOf(cause as Error);
  }
}
