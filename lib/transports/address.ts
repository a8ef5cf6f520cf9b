import { given } from '../core/check.js';
import type { InvalidOptionError } from '../core/errors.js';
import type { SerialAddress } from './console/serial-address.js';
import { refuse } from './refuse.js';
import type { SerialListenOptions } from './serial.js';
import type { DialOptions, Transport } from './transport.js';
import { BYTE_TRANSPORTS } from './transports.js';

export type { SerialAddress };

/**
 * The address of one end of a byte pipe:
 *
 *
 *     tcp://host:port          tcp-listen://host:port      [::1] for an IPv6 host; port 0 listens at a free one
 *     unix:///path             unix-listen:///path         at most 107 bytes of path
 *     serial:///dev/hvc0
 *     memory://name            memory-listen://name        in this process
 */
export type Address = NonNullable<ReturnType<(typeof BYTE_TRANSPORTS)[number]['parse']>>;
/** An address at which peers are awaited. */
export type ListenAddress = Extract<Address, { kind: `${string}-listen` }>;
/** An address of a peer to connect to. */
export type ConnectAddress = Exclude<Address, ListenAddress | SerialAddress>;

/** The type under which `parseAddress`, `openPipe` and `listenPipe` use every transport. */
export type ByteTransport = Transport<Address, DialOptions, SerialListenOptions>;

const TRANSPORTS: readonly ByteTransport[] = BYTE_TRANSPORTS;
const BY_SCHEME = new Map(TRANSPORTS.map((transport) => [transport.scheme, transport]));
const ALL_FORMS = TRANSPORTS.flatMap(({ forms }) => forms);
const FORMS = `${ALL_FORMS.slice(0, -1).join(', ')} or ${ALL_FORMS.at(-1)}`;

/**
 * Reads an address.
 *
 * @throws InvalidOptionError for another form, a port outside 0..65535, or a socket path over 107 bytes.
 */
export function parseAddress(text: string): Address {
  for (const transport of TRANSPORTS) {
    const address = transport.parse(text);
    if (address !== undefined) return address;
  }
  throw refuse(`no address: ${JSON.stringify(text)}; it is one of ${FORMS}`, { expected: FORMS, got: text });
}

/** An address in either form: its text, or what `parseAddress`, a role or a listener gives for it. */
export type AddressInput = string | Address;

/** The address, whose form may be either. @throws InvalidOptionError */
export function addressOf(address: AddressInput): Address {
  if (typeof address === 'string') return parseAddress(address);
  transportOf(address);
  return address;
}

/** The text of the address that the option `name` has. @throws InvalidOptionError for what is no address */
export function addressText(name: string, address: AddressInput): string {
  const text = addressForm(name, address);
  try {
    parseAddress(text);
  } catch (error) {
    throw refuse(`${name}: ${(error as InvalidOptionError).message}`, { expected: FORMS, got: text });
  }
  return text;
}

/** As `addressText`, where the text may have forms besides those of a byte pipe. */
export function addressForm(name: string, address: AddressInput): string {
  if (typeof address === 'string') return address;
  if (typeof address === 'object' && typeof (address as Partial<Address> | null)?.kind === 'string') return formatAddress(address);
  throw refuse(`${name} is an address, ${FORMS}; got ${address === null ? 'null' : typeof address}`, {
    expected: FORMS,
    got: typeof address,
  });
}

/** The text form of an address, as `parseAddress` reads it. */
export function formatAddress(address: Address): string {
  return transportOf(address).format(address);
}

/** The transport that `address` belongs to. @throws InvalidOptionError for a kind that no transport has */
export function transportOf(address: Address): ByteTransport {
  const { kind } = given('address', address) as { readonly kind?: unknown };
  if (typeof kind !== 'string') {
    throw refuse(`an address is a text, or what parseAddress gives for it; got ${typeof address}`, {
      expected: FORMS,
      got: typeof address,
    });
  }
  const transport = BY_SCHEME.get(kind.replace(/-listen$/, ''));
  if (transport === undefined) throw refuse(`no transport has addresses of the kind ${kind}`, { expected: FORMS, got: kind });
  return transport;
}

/** Whether `openPipe` connects to `address` and returns one pipe. */
export function isConnectAddress(address: Address): address is ConnectAddress {
  const { scheme, dials } = transportOf(address);
  return dials !== 'never' && address.kind === scheme;
}
