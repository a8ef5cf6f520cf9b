import { InvalidOptionError } from '../core/errors.js';

/** Where a byte pipe ends: `tcp://host:port`, `unix:///path`. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Bytes that a Unix socket's path may have on Linux, its closing NUL not counted. */
const MAX_UNIX_PATH_BYTES = 107;

/**
 * Reads an address.
 *
 * @throws InvalidOptionError for another scheme, a port outside 0..65535, or a socket path over 107 bytes.
 */
export function parseAddress(text: string): Address {
  const tcp = /^tcp:\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(text);
  if (tcp !== null) {
    const port = Number(tcp[3]);
    if (port > 65_535)
      throw new InvalidOptionError(`port ${port} of ${text} is over 65535`, { layer: 'transport', limit: 65_535, got: port });
    return { kind: 'tcp', host: (tcp[1] ?? tcp[2]) as string, port };
  }
  const unix = /^unix:\/\/(\/.+)$/.exec(text);
  if (unix !== null) {
    const path = unix[1] as string;
    const bytes = Buffer.byteLength(path);
    if (bytes > MAX_UNIX_PATH_BYTES) {
      throw new InvalidOptionError(`the socket path of ${text} has ${bytes} bytes; at most ${MAX_UNIX_PATH_BYTES} fit`, {
        layer: 'transport',
        limit: MAX_UNIX_PATH_BYTES,
        got: bytes,
      });
    }
    return { kind: 'unix', path };
  }
  throw new InvalidOptionError(`no address: ${text}`, { layer: 'transport', expected: 'tcp://host:port or unix:///path', got: text });
}

/** The text form of an address, as `parseAddress` reads it. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix://${address.path}`;
  return `tcp://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
