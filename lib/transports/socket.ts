import { once } from 'node:events';
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { AbortedError, TransportError } from '../core/errors.js';
import { type Address, formatAddress } from './address.js';

/** Bytes that a socket reads ahead, and that a writer may hand over, before either waits. */
const SOCKET_HIGH_WATER_BYTES = 1024 * 1024;

/**
 * Connects to a TCP port or Unix socket, without Nagle's delay (wire spec §D: TCP_NODELAY on both sides).
 *
 * @throws TransportError when nobody listens there; AbortedError when `signal` fires first.
 */
export async function connectSocket(address: Address, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Socket> {
  signal?.throwIfAborted();
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
    if (signal?.aborted === true)
      throw new AbortedError(`connecting to ${formatAddress(address)} was aborted`, { layer: 'transport', cause });
    throw new TransportError(`cannot connect to ${formatAddress(address)}: ${(cause as Error).message}`, { layer: 'transport', cause });
  }
}

/** A listening TCP port or Unix socket. */
export interface Listener {
  /** Where it listens; a port 0 is the one that was given. */
  readonly address: Address;
  /** Stops listening; connections that exist stay. Removes a Unix socket's file. */
  close(): Promise<void>;
}

/**
 * Listens and hands over each connection.
 *
 * @throws TransportError when the address is in use or not allowed.
 */
export async function listenSocket(address: Address, onConnection: (socket: Socket) => void): Promise<Listener> {
  const server = createServer({ highWaterMark: SOCKET_HIGH_WATER_BYTES, allowHalfOpen: true, noDelay: true }, onConnection);
  await listen(server, address);
  return { address: boundAddress(server, address), close: () => closeServer(server) };
}

/** Makes any net or http server listen at `address`. */
export async function listen(server: Server, address: Address): Promise<void> {
  const listening = once(server, 'listening');
  if (address.kind === 'tcp') server.listen(address.port, address.host);
  else server.listen(address.path);
  try {
    await listening;
  } catch (cause) {
    throw new TransportError(`cannot listen at ${formatAddress(address)}: ${(cause as Error).message}`, { layer: 'transport', cause });
  }
}

/** The address that `server` got: as asked, with the port that the system chose where 0 was asked. */
export function boundAddress(server: Server, asked: Address): Address {
  const bound = server.address();
  return asked.kind === 'tcp' && bound !== null && typeof bound === 'object' ? { ...asked, port: bound.port } : asked;
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
