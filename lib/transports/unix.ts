import type { Socket } from 'node:net';
import { listenUnder } from './abortable.js';
import { closeServer, connectNet, listenNet } from './net.js';
import { refuse } from './refuse.js';
import type { Transport } from './transport.js';

/** Bytes that a Unix socket's path may have on Linux, its closing NUL not counted. */
const MAX_UNIX_PATH_BYTES = 107;

/** `unix:///path`, a socket to connect to; `unix-listen:///path`, one to make and to be connected to. */
export interface UnixAddress<Kind extends 'unix' | 'unix-listen' = 'unix' | 'unix-listen'> {
  readonly kind: Kind;
  /** Absolute, 107 bytes at most. */
  readonly path: string;
}

/** Unix domain sockets. The file is made by `listen`, and gone when its listener is closed. */
export const unix: Transport<UnixAddress<'unix'> | UnixAddress<'unix-listen'>> & { readonly scheme: 'unix' } = {
  scheme: 'unix',
  forms: ['unix:///path', 'unix-listen:///path'],
  carries: 'bytes',
  dials: 'at-once',
  ends: 'each-way',

  parse(text) {
    const found = /^(unix|unix-listen):\/\/(\/[^\0\n]+)$/.exec(text);
    if (found === null) return undefined;
    const path = found[2] as string;
    const bytes = Buffer.byteLength(path);
    if (bytes <= MAX_UNIX_PATH_BYTES) return { kind: found[1] as 'unix', path };
    throw refuse(`the socket path of ${text} has ${bytes} bytes; at most ${MAX_UNIX_PATH_BYTES} fit`, {
      limit: MAX_UNIX_PATH_BYTES,
      got: bytes,
    });
  },

  format: ({ kind, path }) => `${kind}://${path}`,

  dial: (address, options): Promise<Socket> => connectNet(address, unix.format(address), options),

  listen(address, onPipe, { signal } = {}) {
    const text = unix.format(address);
    return listenUnder(signal, text, async () => {
      const server = await listenNet(address, text, onPipe);
      return { address, close: () => closeServer(server) };
    });
  },
};
