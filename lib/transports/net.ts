/** Code that TCP and Unix sockets share: they use node:net, and their errors are one line each. */
import { once } from 'node:events';
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { TransportError } from '../core/errors.js';
import { messageOf } from '../core/message-of.js';
import { Connections, type ConnectionsOptions } from './connections.js';
import { TRANSPORT_LAYER } from './refuse.js';
import { type ConnectOptions, codeOf, connectingAborted, retrying } from './retry.js';
import { takePlace, whoHas } from './unix-place.js';

/** Bytes that a socket reads ahead, and bytes that may be written to it before the writer must wait. */
const SOCKET_HIGH_WATER_BYTES = 1024 * 1024;

/** TCP asks a peer after a minute of silence whether it is still there: its machine, or a firewall between, may be gone. */
const KEEP_ALIVE = Object.freeze({ keepAlive: true, keepAliveInitialDelay: 60_000 });

/** The bits of a mode for users who are neither the owner nor of the group. */
const OTHERS = 0o007;

/** An address of the operating system: a TCP port, or the file of a Unix socket. */
export type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Connects to `place`, without Nagle's delay (wire spec §D: TCP_NODELAY on both sides).
 *
 * @param text the address, for messages
 * @throws TransportError, AbortedError, InvalidOptionError
 */
export function connectNet(place: Place, text: string, options: ConnectOptions = {}): Promise<Socket> {
  return retrying(text, options, () => connectOnce(place, text, options.signal));
}

async function connectOnce(place: Place, text: string, signal: AbortSignal | undefined): Promise<Socket> {
  const common = { highWaterMark: SOCKET_HIGH_WATER_BYTES, allowHalfOpen: true, ...KEEP_ALIVE };
  const socket =
    'path' in place
      ? netConnect({ ...common, path: place.path })
      : netConnect({ ...common, host: place.host, port: place.port, noDelay: true });
  try {
    await once(socket, 'connect', signal === undefined ? {} : { signal });
    return socket;
  } catch (cause) {
    socket.on('error', () => {});
    socket.destroy();
    throw (cause as Error).name === 'AbortError' ? connectingAborted(text, cause) : failed('connect to', place, text, cause);
  }
}

/**
 * A server of sockets that listens at `place`.
 *
 * @param limits of its connections. Default: none
 * @throws TransportError when the place is in use or not permitted
 */
export async function listenNet(
  place: Place,
  text: string,
  onConnection: (socket: Socket) => void,
  limits?: ConnectionsOptions,
): Promise<Server> {
  const server = createServer({ highWaterMark: SOCKET_HIGH_WATER_BYTES, allowHalfOpen: true, noDelay: true, ...KEEP_ALIVE }, (socket) => {
    // One that was refused is destroyed already.
    if (!socket.destroyed) onConnection(socket);
  });
  if (limits !== undefined) new Connections(server, limits);
  await beginListening(server, place, text);
  // If a connection cannot be accepted (no free file descriptor), the existing connections must go on.
  server.on('error', () => {});
  return server;
}

/**
 * Makes a file, such as that of a socket, which the system's other users have no rights to, whatever the umask is: who may
 * write to a socket may connect to it. The group has the rights that the umask leaves it. `make` makes the file within the
 * call. A worker thread of Node cannot set the umask, so that there the file is as the umask says.
 */
function withoutOthers<T>(make: () => T): T {
  if (!isMainThread) return make();
  const before = process.umask();
  process.umask(before | OTHERS);
  try {
    return make();
  } finally {
    process.umask(before);
  }
}

/** Makes any net or http server listen at `place`. @throws TransportError */
export async function beginListening(server: Server, place: Place, text: string): Promise<void> {
  const bind = async () => {
    const listening = once(server, 'listening');
    if ('path' in place) withoutOthers(() => server.listen(place.path));
    else server.listen(place.port, place.host);
    await listening;
  };
  try {
    await ('path' in place ? takePlace(place.path, bind) : bind());
  } catch (cause) {
    if (!('path' in place) || codeOf(cause) !== 'EADDRINUSE') throw failed('listen at', place, text, cause);
    throw new TransportError(`cannot listen at ${text}: ${await whoHas(place.path)} (EADDRINUSE)`, { layer: TRANSPORT_LAYER, cause });
  }
}

/** `asked`, with the port that the system chose if port 0 was asked for. */
export function boundTo<At>(server: Server, asked: At): At {
  const bound = server.address();
  return 'port' in (asked as object) && bound !== null && typeof bound === 'object' ? { ...asked, port: bound.port } : asked;
}

/** Stops listening. Existing connections stay open. */
export function closeServer(server: Server): Promise<void> {
  if (server.listening) server.close();
  return Promise.resolve();
}

/** The error, with one line that says what is wrong. */
function failed(verb: string, place: Place, text: string, cause: unknown): TransportError {
  return new TransportError(`cannot ${verb} ${text}: ${reasonOf('path' in place, cause)}`, { layer: TRANSPORT_LAYER, cause });
}

function reasonOf(unix: boolean, cause: unknown): string {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return 'the port is in use';
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
