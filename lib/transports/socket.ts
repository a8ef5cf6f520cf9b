import type { Server, Socket } from 'node:net';
import { InvalidOptionError } from '../core/errors.js';
import { listenerAt } from './abortable.js';
import { type Address, type AddressInput, addressOf, addressText, formatAddress, parseAddress } from './address.js';
import type { ConnectionsOptions } from './connections.js';
import { beginListening, boundTo, closeServer, connectNet, listenNet, type Place } from './net.js';
import { TRANSPORT_LAYER } from './refuse.js';
import type { ConnectOptions } from './retry.js';
import type { ListenerAt } from './transport.js';

export { type ConnectOptions, RETRY_ICECAP, RETRY_NITRO, type RetryOptions } from './retry.js';

/** A place that gives pipes: a listening TCP port or Unix socket, an open console, or a name in this process. */
export type Listener = ListenerAt<Address>;

/**
 * Connects to a TCP port or Unix socket, without Nagle's delay (wire spec §D: TCP_NODELAY on both sides).
 *
 * @throws TransportError when nobody listens there after the last try, or at once when no further try can succeed
 * (permission); AbortedError when `signal` fires first; InvalidOptionError for an address that cannot be connected to.
 */
export async function connectSocket(at: AddressInput, options: ConnectOptions = {}): Promise<Socket> {
  const address = addressOf(at);
  if (address.kind === 'tcp' || address.kind === 'unix') return connectNet(address, formatAddress(address), options);
  throw new InvalidOptionError(`${formatAddress(address)} is no address to connect to`, {
    layer: TRANSPORT_LAYER,
    expected: 'tcp or unix',
    got: address.kind,
  });
}

/**
 * Listens and hands over each connection. `tcp://` and `tcp-listen://` mean the same here, and so do the Unix forms.
 *
 * @param limits of the connections. Default: none
 * @throws TransportError when the address is in use or not permitted.
 */
export async function listenSocket(
  at: AddressInput,
  onConnection: (socket: Socket) => void,
  limits?: ConnectionsOptions,
): Promise<Listener> {
  const address = addressOf(at);
  const server = await listenNet(placeOf(address), formatAddress(address), onConnection, limits);
  return listenerAt({ address: boundAddress(server, address), close: () => closeServer(server) });
}

/** Makes any net or http server listen at `address`. @throws the errors of `listenSocket` */
export async function listen(server: Server, address: Address): Promise<void> {
  await beginListening(server, placeOf(address), formatAddress(address));
}

/** The address at which `server` listens: as asked, with the port that the system chose if port 0 was asked for. */
export function boundAddress(server: Server, asked: Address): Address {
  return boundTo(server, asked);
}

/**
 * The text of the address that the option `name` has, at which a socket is to listen.
 *
 * @throws InvalidOptionError for what is no address, and for one that no socket can have
 */
export function socketText(name: string, address: AddressInput): string {
  const text = addressText(name, address);
  placeOf(parseAddress(text));
  return text;
}

/** The place of an address. @throws InvalidOptionError for an address that no socket can have */
function placeOf(address: Address): Place {
  if (address.kind !== 'serial' && 'path' in address) return address;
  if ('port' in address) return address;
  throw new InvalidOptionError(
    `${formatAddress(address)} is ${address.kind === 'serial' ? 'a device' : 'a name'}; no socket can listen there`,
    {
      layer: TRANSPORT_LAYER,
      expected: 'tcp or unix',
      got: address.kind,
    },
  );
}
