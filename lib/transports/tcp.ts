import type { Socket } from 'node:net';
import { listenUnder } from './abortable.js';
import { boundTo, closeServer, connectNet, listenNet } from './net.js';
import { refuse } from './refuse.js';
import type { Transport } from './transport.js';

const MAX_PORT = 65_535;

/** `tcp://host:port` is a place to connect to, `tcp-listen://host:port` a place to listen at. */
export interface TcpAddress<Kind extends 'tcp' | 'tcp-listen' = 'tcp' | 'tcp-listen'> {
  readonly kind: Kind;
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 0 to 65,535. With 0 it listens at a free port. */
  readonly port: number;
}

/** TCP, without Nagle's delay. An IPv6 host is written as `[::1]`. */
export const tcp: Transport<TcpAddress<'tcp'> | TcpAddress<'tcp-listen'>> & { readonly scheme: 'tcp' } = {
  scheme: 'tcp',
  forms: ['tcp://host:port', 'tcp-listen://host:port'],
  carries: 'bytes',
  dials: 'at-once',
  ends: 'each-way',

  parse(text) {
    const found = /^(tcp|tcp-listen):\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(text);
    if (found === null) return undefined;
    const port = Number(found[4]);
    if (port > MAX_PORT) throw refuse(`port ${port} of ${text} is over ${MAX_PORT}`, { limit: MAX_PORT, got: port });
    return { kind: found[1] as 'tcp', host: (found[2] ?? found[3]) as string, port };
  },

  format: ({ kind, host, port }) => `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}`,

  dial: (address, options): Promise<Socket> => connectNet(address, tcp.format(address), options),

  listen(address, onPipe, { signal } = {}) {
    const text = tcp.format(address);
    return listenUnder(signal, text, async () => {
      const server = await listenNet(address, text, onPipe);
      return { address: boundTo(server, address), close: () => closeServer(server) };
    });
  },
};
