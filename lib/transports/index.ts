/** `veracruz-streams/transports`: a place becomes a byte pipe. */
export {
  type Address,
  type AddressInput,
  type ConnectAddress,
  formatAddress,
  type ListenAddress,
  parseAddress,
  type SerialAddress,
} from './address.js';
export type { ConnectionsOptions } from './connections.js';
export type { DeviceBinding, DevicePort } from './console/device.js';
export { HELLO, HELLO_DEFAULTS, type HelloOptions } from './console/hello.js';
export { CONSOLE_DEFAULTS, type ConsoleOptions, VirtioConsole } from './console/virtio-console.js';
export { HTTP_LISTEN_DEFAULTS, type HttpAddress, type HttpDialOptions, type HttpListenOptions, http as httpTransport } from './http.js';
export { HTTP_EXCHANGE_DEFAULTS, HttpExchange, type HttpExchangeOptions } from './http-client.js';
export { HTTP_POST_DEFAULTS, HttpPost, type HttpPostOptions } from './http-post.js';
export { type MemoryAddress, type MemoryPipeOptions, memory as memoryTransport, memoryPipe } from './memory.js';
export { type ConnectPipeOptions, type ListenPipeOptions, listenPipe, openPipe, type PipeOptions } from './pipe.js';
export { type SerialListenOptions, serial as serialTransport } from './serial.js';
export {
  type ConnectOptions,
  connectSocket,
  type Listener,
  listenSocket,
  RETRY_ICECAP,
  RETRY_NITRO,
  type RetryOptions,
} from './socket.js';
export { type TcpAddress, tcp as tcpTransport } from './tcp.js';
export type { AnyAddress, DialOptions, ListenerAt, ListenOptions, Transport } from './transport.js';
export { BYTE_TRANSPORTS, TRANSPORTS } from './transports.js';
export { type UnixAddress, unix as unixTransport } from './unix.js';
