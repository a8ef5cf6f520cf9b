/** TLS of node itself over any pipe of bytes: a kit must be able to do what our own layer never does. */
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type CipherSuite, cipherSuite } from '../../layers/tls/index.js';
import type { Credentials, Material } from '../material.js';
import { need, policyOf } from '../material.js';

/** The one suite of the policy, under its IANA name. */
export function suiteOf(material: Material): CipherSuite {
  return cipherSuite(policyOf(material).ciphersuite);
}

/** What a client of the policy says in its handshake: TLS 1.3, one suite, its certificate. */
export function clientTls(material: Material, identity?: Credentials): ConnectionOptions {
  const own = identity ?? need(material.alice, 'an identity (--identity and --key, or --material)');
  return {
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: suiteOf(material),
    cert: own.certificate,
    key: own.key,
    ca: policyOf(material).proxy_service_cert,
    // A policy trusts an authority, not an address (wire spec §B.1).
    checkServerIdentity: () => undefined,
  };
}

/** A TLS client over `stream`. Its errors are told by `close`. */
export function tlsClient(stream: Duplex, options: ConnectionOptions): TLSSocket {
  const socket = connect({ ...options, socket: stream });
  socket.on('error', () => {});
  return socket;
}
