import type { Duplex } from 'node:stream';
import { InvalidArgumentError, InvalidOptionError } from '../core/errors.js';
import {
  type AddressInput,
  addressOf,
  type ConnectAddress,
  formatAddress,
  isConnectAddress,
  type ListenAddress,
  transportOf,
} from './address.js';
import { awaitHello, checkHello, type HelloOptions } from './console/hello.js';
import type { SerialAddress } from './console/serial-address.js';
import { TRANSPORT_LAYER } from './refuse.js';
import type { SerialListenOptions } from './serial.js';
import type { Listener } from './socket.js';
import type { DialOptions } from './transport.js';

/** For `retry` see `RETRY_ICECAP` and `RETRY_NITRO`. */
export interface ConnectPipeOptions extends DialOptions {
  /** Waits for the hello of a guest that has it switched on. Default: does not wait. */
  hello?: boolean | HelloOptions | undefined;
}

/** `console` has an effect at a serial address only. */
export type ListenPipeOptions = SerialListenOptions;

/** The options for any address. */
export type PipeOptions = ConnectPipeOptions &
  ListenPipeOptions & {
    /** Called with each pipe. Needed for an address that gives more than one. */
    onPipe?: ((pipe: Duplex) => void) | undefined;
  };

/**
 * Opens an address, given as text or as `parseAddress` returns it.
 *
 * `tcp`, `unix` and `memory` connect and return the pipe. The other forms return a `Listener`, and `onPipe` is called with each
 * pipe: with each connection at the forms with `-listen`; at `serial` with the link over the device and, after its end, with
 * the next link.
 *
 * @throws InvalidOptionError, TransportError, TimeoutError, AbortedError, each with one line on what is wrong
 */
export function openPipe(address: ConnectAddress, options?: ConnectPipeOptions): Promise<Duplex>;
export function openPipe(address: ListenAddress | SerialAddress, options: PipeOptions): Promise<Listener>;
export function openPipe(address: AddressInput, options?: PipeOptions): Promise<Duplex | Listener>;
export async function openPipe(at: AddressInput, options: PipeOptions = {}): Promise<Duplex | Listener> {
  const address = addressOf(at);
  if (isConnectAddress(address)) return connectPipe(address, options);
  if (options.onPipe === undefined) {
    throw new InvalidArgumentError(`${formatAddress(address)} gives one pipe after the other: onPipe is missing`, {
      layer: TRANSPORT_LAYER,
    });
  }
  return listenPipe(address, options.onPipe, options);
}

/**
 * Listens, for a role that waits for its peer. `tcp` and `unix` mean the same as their forms with `-listen` here; a serial
 * address opens the console.
 *
 * @throws the errors of `openPipe`
 */
export async function listenPipe(at: AddressInput, onPipe: (pipe: Duplex) => void, options: ListenPipeOptions = {}): Promise<Listener> {
  const address = addressOf(at);
  return transportOf(address).listen(address, onPipe, options);
}

async function connectPipe(address: ConnectAddress, { signal, retry, hello }: ConnectPipeOptions): Promise<Duplex> {
  const greeting = hello === true ? {} : hello === false ? undefined : hello;
  if (greeting !== undefined) checkHello(greeting);
  const pipe = await dial(address, { signal, retry });
  if (greeting === undefined) return pipe;
  try {
    const signals = [signal, greeting.signal].filter((each) => each !== undefined);
    await awaitHello(pipe, { ...greeting, signal: AbortSignal.any(signals) });
    return pipe;
  } catch (error) {
    pipe.on('error', () => {}).destroy();
    throw error;
  }
}

async function dial(address: ConnectAddress, options: DialOptions): Promise<Duplex> {
  const transport = transportOf(address);
  if (transport.dial !== undefined) return transport.dial(address, options);
  throw new InvalidOptionError(`${formatAddress(address)} is no address to connect to`, { layer: TRANSPORT_LAYER, got: address.kind });
}
