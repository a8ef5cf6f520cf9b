import { InvalidOptionError } from '../core/errors.js';

/** A place to connect to. */
export type ConnectAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };
/** A place to be connected to. */
export type ListenAddress =
  | { readonly kind: 'tcp-listen'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix-listen'; readonly path: string };
/** A terminal device: a VirtIO console, a pty, a serial line. */
export interface SerialAddress {
  readonly kind: 'serial';
  readonly path: string;
}

/**
 * Where a byte pipe ends:
 *
 *     tcp://host:port          tcp-listen://host:port      [::1] for an IPv6 host; port 0 listens at a free one
 *     unix:///path             unix-listen:///path         at most 107 bytes of path
 *     serial:///dev/hvc0
 */
export type Address = ConnectAddress | ListenAddress | SerialAddress;

/** Bytes that a Unix socket's path may have on Linux, its closing NUL not counted. */
const MAX_UNIX_PATH_BYTES = 107;
const MAX_PORT = 65_535;
const FORMS = 'tcp://host:port, tcp-listen://host:port, unix:///path, unix-listen:///path or serial:///dev/name';

/**
 * Reads an address.
 *
 * @throws InvalidOptionError for another form, a port outside 0..65535, or a socket path over 107 bytes.
 */
export function parseAddress(text: string): Address {
  const tcp = /^(tcp|tcp-listen):\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(text);
  if (tcp !== null) {
    const port = Number(tcp[4]);
    if (port > MAX_PORT) throw refuse(`port ${port} of ${text} is over ${MAX_PORT}`, { limit: MAX_PORT, got: port });
    return { kind: tcp[1] as 'tcp' | 'tcp-listen', host: (tcp[2] ?? tcp[3]) as string, port };
  }
  const path = /^(unix|unix-listen|serial):\/\/(\/[^\0\n]+)$/.exec(text);
  if (path === null) throw refuse(`no address: ${JSON.stringify(text)}; it is one of ${FORMS}`, { expected: FORMS, got: text });
  const [, kind, name] = path as unknown as [string, 'unix' | 'unix-listen' | 'serial', string];
  const bytes = Buffer.byteLength(name);
  if (kind !== 'serial' && bytes > MAX_UNIX_PATH_BYTES) {
    throw refuse(`the socket path of ${text} has ${bytes} bytes; at most ${MAX_UNIX_PATH_BYTES} fit`, {
      limit: MAX_UNIX_PATH_BYTES,
      got: bytes,
    });
  }
  return { kind, path: name };
}

/** The text form of an address, as `parseAddress` reads it. */
export function formatAddress(address: Address): string {
  if ('path' in address) return `${address.kind}://${address.path}`;
  return `${address.kind}://${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

function refuse(message: string, figures: { limit?: number; expected?: string; got: number | string }): InvalidOptionError {
  return new InvalidOptionError(message, { layer: 'transport', ...figures });
}
