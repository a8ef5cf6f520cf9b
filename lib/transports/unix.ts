import type { Socket } from 'node:net';
import { listenUnder } from './abortable.js';
import { closeServer, connectNet, listenNet } from './net.js';
import { refuse } from './refuse.js';
import type { Transport } from './transport.js';

/** The most bytes of a Unix socket's path on Linux, without its closing NUL. */
const MAX_UNIX_PATH_BYTES = 107;

/** `unix:///path` is a socket to connect to, `unix-listen:///path` a socket to make and listen at. */
export interface UnixAddress<Kind extends 'unix' | 'unix-listen' = 'unix' | 'unix-listen'> {
  readonly kind: Kind;
  /** An absolute path, 107 bytes at most. */
  readonly path: string;
}

/**
 * Unix domain sockets. `listen` makes the socket's file, and the file is removed when the listener is closed. One that a
 * killed process has left is replaced.
 */
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
