import type { Duplex } from 'node:stream';
import { AbortedError, InvalidArgumentError } from '../core/errors.js';
import { type Address, type ConnectAddress, formatAddress, type ListenAddress, parseAddress, type SerialAddress } from './address.js';
import { awaitHello, checkHello, type HelloOptions } from './console/hello.js';
import { type ConsoleOptions, VirtioConsole } from './console/virtio-console.js';
import { connectSocket, type Listener, listenSocket, type RetryOptions } from './socket.js';

export interface ConnectPipeOptions {
  signal?: AbortSignal | undefined;
  /** How often the connection is tried. Default once; see `RETRY_ICECAP` and `RETRY_NITRO`. */
  retry?: RetryOptions | undefined;
  /** Waits for the hello of a guest that has it on. Default: does not. */
  hello?: boolean | HelloOptions | undefined;
}

export interface ListenPipeOptions {
  /** Closes the listener. */
  signal?: AbortSignal | undefined;
  /** For a serial address. */
  console?: ConsoleOptions | undefined;
}

/** Every address of ours gives pipes of bytes; they are all made here. */
export type PipeOptions = ConnectPipeOptions & ListenPipeOptions & { onPipe?: ((pipe: Duplex) => void) | undefined };

/**
 * Opens an address, given as text or as `parseAddress` reads it.
 *
 * `tcp` and `unix` connect, and give the pipe. The others give a `Listener` and hand each pipe that comes about to
 * `onPipe`: `tcp-listen` and `unix-listen` each connection; `serial` the link over the device and, when that has ended,
 * the next.
 *
 * @throws InvalidOptionError, TransportError, TimeoutError, AbortedError, each with one line on what is wrong
 */
export function openPipe(address: ConnectAddress, options?: ConnectPipeOptions): Promise<Duplex>;
export function openPipe(address: ListenAddress | SerialAddress, options: PipeOptions): Promise<Listener>;
export function openPipe(address: Address | string, options?: PipeOptions): Promise<Duplex | Listener>;
export async function openPipe(at: Address | string, options: PipeOptions = {}): Promise<Duplex | Listener> {
  const address = typeof at === 'string' ? parseAddress(at) : at;
  if (address.kind === 'tcp' || address.kind === 'unix') return connectPipe(address, options);
  if (options.onPipe === undefined) {
    throw new InvalidArgumentError(`${formatAddress(address)} gives one pipe after the other: onPipe is missing`, { layer: 'transport' });
  }
  return listenPipe(address, options.onPipe, options);
}

/**
 * For a role that lets its peer come: listens, at `tcp` and `unix` as well, or opens the console.
 *
 * @throws as `openPipe`
 */
export async function listenPipe(address: Address, onPipe: (pipe: Duplex) => void, options: ListenPipeOptions = {}): Promise<Listener> {
  const { signal } = options;
  if (address.kind === 'serial')
    return VirtioConsole.open(address, onPipe, { ...options.console, signal: signal ?? options.console?.signal });
  if (signal === undefined) return listenSocket(address, onPipe);
  const early = abortOf(signal, address);
  if (early !== undefined) throw early;
  const listener = await listenSocket(address, onPipe);
  const onAbort = () => void listener.close();
  const close = () => {
    signal.removeEventListener('abort', onAbort);
    return listener.close();
  };
  const late = abortOf(signal, address);
  if (late !== undefined) {
    await listener.close();
    throw late;
  }
  signal.addEventListener('abort', onAbort, { once: true });
  return { address: listener.address, close };
}

function abortOf({ aborted, reason }: AbortSignal, address: Address): AbortedError | undefined {
  return aborted
    ? new AbortedError(`listening at ${formatAddress(address)} was aborted`, { layer: 'transport', cause: reason })
    : undefined;
}

async function connectPipe(address: ConnectAddress, { signal, retry, hello }: ConnectPipeOptions): Promise<Duplex> {
  if (hello === undefined || hello === false) return connectSocket(address, { signal, retry });
  const greeting = hello === true ? {} : hello;
  checkHello(greeting);
  const pipe = await connectSocket(address, { signal, retry });
  try {
    const signals = [signal, greeting.signal].filter((each) => each !== undefined);
    await awaitHello(pipe, { ...greeting, signal: AbortSignal.any(signals) });
    return pipe;
  } catch (error) {
    pipe.on('error', () => {}).destroy();
    throw error;
  }
}
