/** The client's and the server's end of TLS, on node:tls. One endpoint serves all connections of a layer. */
import { constants, KeyObject, type X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import { CertificateError, PrincipalUnknownError, TlsHandshakeError } from '../../core/errors.js';
import { serverGroups } from './groups.js';
import { type Credentials, credentialsOf, principalsOf, type TlsClientOptions, type TlsOptions, type TlsServerOptions } from './options.js';

/** The events of one connection's TLS socket. */
export interface HandshakeEvents {
  /** The handshake is over, and node:tls has verified the peer's chain. The peer is not admitted yet. */
  secure(socket: TLSSocket): void;
  /** The socket failed, before or after `secure`. This may be called more than once. */
  failed(error: Error, socket: TLSSocket): void;
}

/** A peer that was admitted. */
export interface Admitted {
  /** The leaf certificate of the peer. */
  readonly certificate: X509Certificate;
  /** On a server: the index of the principal that the peer is. On a client: undefined. */
  readonly principal: number | undefined;
}

export interface Endpoint {
  /** Starts TLS on `wire`. */
  open(wire: Duplex, events: HandshakeEvents): void;
  /**
   * Checks the peer of a secure socket.
   *
   * @throws CertificateError, PrincipalUnknownError, TlsHandshakeError when the peer is not admitted
   */
  admit(socket: TLSSocket): Admitted;
}

export function endpointOf(options: TlsOptions): Endpoint {
  return options.role === 'client' ? new ClientEndpoint(options) : new ServerEndpoint(options);
}

/**
 * TLS 1.3 only. With SSL_OP_NO_TICKET a server still sends two tickets, but only its session cache could resume them, and Node
 * has that cache switched off. So no client can resume a session without a certificate.
 */
function settings(credentials: Credentials) {
  return { ...credentials, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET } as const;
}

/** What was made of a client's options, to be used again. */
interface Prepared {
  readonly credentials: Credentials;
  /** Made when it is first needed. */
  context?: SecureContext;
}

/**
 * For each key object: the other options that it was last used with, and what was made of them. To read the certificates and
 * to make a context, which reads the key once more, takes 3 ms. A program that opens many sessions usually has one key and
 * always the same other options.
 */
const LAST = new WeakMap<KeyObject, { readonly others: string; readonly prepared: Prepared }>();

function preparedOf(options: TlsClientOptions): Prepared {
  const { key, certificate, authority, cipherSuite } = options;
  if (!(key instanceof KeyObject)) return { credentials: credentialsOf(options) };
  // Compared as text, because the caller may change the arrays later.
  const others = JSON.stringify([certificate, authority, cipherSuite]);
  const last = LAST.get(key);
  if (last?.others === others) return last.prepared;
  const prepared = { credentials: credentialsOf(options) };
  LAST.set(key, { others, prepared });
  return prepared;
}

class ClientEndpoint implements Endpoint {
  readonly #prepared: Prepared;
  readonly #verifyPeer: ((certificate: X509Certificate) => unknown) | undefined;

  constructor(options: TlsClientOptions) {
    this.#prepared = preparedOf(options);
    this.#verifyPeer = options.verifyPeer;
  }

  open(wire: Duplex, events: HandshakeEvents): void {
    this.#prepared.context ??= createSecureContext(settings(this.#prepared.credentials));
    // No servername, so no SNI and no check of a name: a policy trusts an authority and not an address (wire spec §B).
    const socket = connect({
      socket: wire,
      secureContext: this.#prepared.context,
      rejectUnauthorized: true,
      checkServerIdentity: () => undefined,
    });
    socket.on('error', (error: Error) => events.failed(error, socket));
    socket.once('secureConnect', () => events.secure(socket));
  }

  admit(socket: TLSSocket): Admitted {
    const certificate = leafOf(socket, 'server');
    let returned: unknown;
    try {
      returned = this.#verifyPeer?.(certificate);
    } catch (thrown) {
      if (thrown instanceof CertificateError) throw thrown;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      throw new CertificateError(`verifyPeer refuses the server's certificate: ${reason}`, { layer: 'tls', cause: thrown });
    }
    if (returned !== undefined) {
      // The verdict of an async hook would come too late. Its rejection would be an unhandled one.
      if (returned instanceof Promise) returned.catch(() => {});
      throw new CertificateError('verifyPeer must return nothing, and not be async', { layer: 'tls', got: typeof returned });
    }
    return { certificate, principal: undefined };
  }
}

/**
 * node:tls verifies client certificates only for the connections of a tls.Server; a bare TLSSocket accepts every client. So
 * there is a server here that never listens, and each connection is handed to it by its `connection` event.
 *
 * To make a server takes a millisecond (ten with a hundred principals), so all connections share one. The server reports every
 * TLS socket by an event on itself, which does not tell whose connection the socket belongs to. Therefore each connection has
 * a *facade* of the server: an object that inherits from the server and has its own `emit`. `connection` is emitted on the
 * facade. Node gives the emitter to its listeners as `this`, so the new TLS socket reports to the facade. Node does not
 * document this, but a change would be safe: a socket that is reported on the server itself is destroyed, and the handshake
 * then times out.
 */
class ServerEndpoint implements Endpoint {
  readonly #credentials: Credentials;
  readonly #principals: ReturnType<typeof principalsOf>;
  #server: Server | undefined;

  constructor(options: TlsServerOptions) {
    this.#credentials = credentialsOf(options);
    this.#principals = principalsOf(options);
  }

  open(wire: Duplex, events: HandshakeEvents): void {
    this.#server ??= serverOf(this.#credentials);
    facadeOf(this.#server, events).emit('connection', wire);
  }

  admit(socket: TLSSocket): Admitted {
    // node:tls rules out both, but either one would admit a client without a valid certificate. So both are checked.
    if (!socket.authorized) throw new CertificateError("the client's certificate is not authorized", { layer: 'tls' });
    if (socket.isSessionReused()) throw new TlsHandshakeError('the client resumed a session', { layer: 'tls' });
    const certificate = leafOf(socket, 'client');
    const principal = this.#principals.match(certificate);
    if (principal === undefined) throw new PrincipalUnknownError("the client's certificate is no identity of the policy", { layer: 'tls' });
    return { certificate, principal };
  }
}

/**
 * The server that checks client certificates.
 *
 * OpenSSL looks for an anchor by its subject and takes the first that it finds, so that of several self-signed identities
 * with one subject it would let in the first only. With `allowPartialTrustChain` it then looks for the client's own
 * certificate among the anchors, byte for byte. node:tls does not hand that option of a server on to the context, so the
 * context is made here and put in the place of the server's own. That place is not documented, and Node before 20.18 and
 * 22.9 does not know the option. Both fail closed: without them the first of such identities is let in, and no other.
 */
function serverOf(credentials: Credentials): Server {
  const common = { ...settings(credentials), ecdhCurve: serverGroups() };
  const server = createServer({
    ...common,
    requestCert: true,
    rejectUnauthorized: true,
    // The engine has its own deadline, which must come first.
    handshakeTimeout: 2 ** 31 - 1,
  }).on('secureConnection', (socket) => socket.on('error', () => {}).destroy());
  Reflect.set(server, '_sharedCreds', createSecureContext({ ...common, allowPartialTrustChain: true }));
  return server;
}

function facadeOf(server: Server, events: HandshakeEvents): Server {
  const inherited = Reflect.get(server, 'emit') as (event: string, ...parameters: unknown[]) => boolean;
  const emit = (event: string, ...parameters: unknown[]): boolean => {
    if (event === 'secureConnection') {
      const socket = parameters[0] as TLSSocket;
      socket.on('error', (error: Error) => events.failed(error, socket));
      events.secure(socket);
      return true;
    }
    if (event === 'tlsClientError') {
      const [error, socket] = parameters as [Error, TLSSocket];
      socket.on('error', () => {});
      events.failed(error, socket);
      return true;
    }
    return inherited.call(facade, event, ...parameters);
  };
  const facade = Object.create(server, { emit: { value: emit } }) as Server;
  return facade;
}

function leafOf(socket: TLSSocket, peer: string): X509Certificate {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) throw new CertificateError(`the ${peer} sent no certificate`, { layer: 'tls' });
  return leaf;
}
