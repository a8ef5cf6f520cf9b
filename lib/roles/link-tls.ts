import { constants, type X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { privateKeyOf } from '../attestation/certificate.js';
import { CertificateWatch, periodOf } from '../attestation/certificate-time.js';
import { clock } from '../core/clock.js';
import { AbortedError, InvalidOptionError, TlsHandshakeError } from '../core/errors.js';
import { messageOf } from '../core/message-of.js';
import { certificatesOf, certificatesOfAll, pemList } from '../layers/formats/certificates.js';
import type { Log } from './options.js';

const LAYER = 'link';
/** Milliseconds for a handshake. */
const HANDSHAKE_MS = 10_000;
/** Bytes of a pre-shared key. */
const MIN_PSK_BYTES = 32;
const MAX_PSK_BYTES = 64;
/** The name of the key, which TLS has it send in the clear. */
const PSK_IDENTITY = 'veracruz-link';
/** OpenSSL uses such keys with SHA-256 only. */
const PSK_SUITES = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256';

/**
 * What an end of a link proves itself with, and whom it lets be the other end. These certificates are of the link alone:
 * they have nothing to do with the policy, its authority, or its principals.
 */
export interface LinkCertificates {
  /** Our certificate, PEM; certificates that lead from it to the other end's `authority` may follow it. */
  readonly certificate: string;
  /** Private key of the first certificate, PEM. */
  readonly key: string;
  /**
   * Whom the other end's chain must lead to, PEM: an authority that issues certificates for links and for nothing else. Every
   * certificate that leads there is let in, whatever its name is.
   */
  readonly authority: string | readonly string[];
}

/** A secret that both ends of a link have, and nobody else. */
export interface LinkPsk {
  /** 32 to 64 random bytes, or twice as many hexadecimal digits. A password that somebody could guess will not do. */
  readonly psk: string | Buffer;
}

/** What a link is authenticated by: certificates of both ends, or a pre-shared key. Both ends must have the same of the two. */
export type LinkTlsOptions = LinkCertificates | LinkPsk;

/** The manager is the server of TLS, whichever end has made the connection. */
export type LinkEnd = 'manager' | 'server';

/**
 * Mutual TLS 1.3, by certificates or by a pre-shared key (RFC 8446 §2.2, with a fresh key exchange), around the link between a
 * Server and a Runtime Manager: below its frames, which stay as they are.
 *
 *     frame ──▶ TLS ──▶ TCP or Unix socket
 *
 * Both ends must have it. The original has no such thing: its ends can be joined by a TLS tunnel on each side.
 *
 * Extended key usages count where a certificate has them: `serverAuth` at the manager, `clientAuth` at the Server. With such
 * certificates a Server cannot pass for a manager, nor a manager for a Server.
 */
export class LinkTls {
  readonly #end: LinkEnd;
  readonly #credentials: SecureContextOptions;
  readonly #psk: Buffer | undefined;
  readonly #watch: CertificateWatch | undefined;

  /**
   * @param log is warned of a certificate that expires (`CertificateWatch`), until `close`
   * @throws InvalidOptionError for certificates and keys that are none, or not of each other, and for what is no pre-shared key
   */
  constructor(options: LinkTlsOptions, end: LinkEnd, log: Log) {
    const common = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET } as const;
    this.#end = end;
    if ('psk' in options) {
      this.#psk = pskOf(options.psk);
      // No anchors: a certificate proves nothing here, whoever has issued it.
      this.#credentials = { ...common, ca: [], ciphers: PSK_SUITES };
      return;
    }
    const chain = certificatesOf('linkTls.certificate', options.certificate);
    this.#credentials = {
      ...common,
      cert: pemList(chain).join(''),
      key: keyOf(options.key, chain[0] as X509Certificate),
      ca: pemList(certificatesOfAll('linkTls.authority', options.authority)),
    };
    this.#watch = new CertificateWatch('of the link', periodOf(chain), log);
  }

  /** Its certificate is not held any more. Links that have it stay. */
  close(): void {
    this.#watch?.stop();
  }

  /**
   * Makes a pipe of plaintext of a pipe of bytes, which is destroyed where that fails.
   *
   * @throws TlsHandshakeError when the other end is none that we trust, does not trust us, speaks no TLS, or takes more than
   * 10 s; AbortedError when `signal` fires first
   */
  async secure(pipe: Duplex, signal?: AbortSignal): Promise<Duplex> {
    const stop = () => pipe.destroy();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      signal?.throwIfAborted();
      return await (this.#end === 'manager' ? this.#accept(pipe) : this.#connect(pipe));
    } catch (cause) {
      pipe.on('error', () => {}).destroy();
      if (signal?.aborted === true) throw new AbortedError('the TLS of the link was aborted', { layer: LAYER, cause });
      throw new TlsHandshakeError(`the link has no TLS: ${messageOf(cause as Error)}`, { layer: LAYER, cause });
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** A server of node:tls checks client certificates; a bare TLSSocket lets everybody in. So each link has a server. */
  #accept(pipe: Duplex): Promise<TLSSocket> {
    // With a pre-shared key there are no certificates, and no handshake comes about without the key.
    const psk = this.#psk;
    const by =
      psk === undefined
        ? { requestCert: true, rejectUnauthorized: true }
        : { pskCallback: (_socket: unknown, identity: string) => (identity === PSK_IDENTITY ? psk : null) };
    const server = createServer({ ...this.#credentials, ...by, handshakeTimeout: HANDSHAKE_MS });
    const { allowHalfOpen } = pipe;
    // An end that comes during the handshake would else be waited on until the deadline: TLS takes this over from the pipe.
    pipe.allowHalfOpen = false;
    return new Promise((resolve, reject) => {
      server.once('secureConnection', (socket) => {
        socket.allowHalfOpen = allowHalfOpen;
        if (this.#proves(socket)) resolve(socket);
        else reject(new Error('the other end is not authorized'));
      });
      server.once('tlsClientError', (error, socket) => {
        socket.on('error', () => {});
        reject(error);
      });
      pipe.once('close', () => reject(new Error('the connection closed during the handshake')));
      server.emit('connection', pipe);
    });
  }

  #connect(pipe: Duplex): Promise<TLSSocket> {
    const psk = this.#psk;
    const by = psk && { pskCallback: () => ({ psk, identity: PSK_IDENTITY }) };
    return new Promise((resolve, reject) => {
      const late = clock.setTimeout(() => reject(new Error(`the handshake took more than ${HANDSHAKE_MS} ms`)), HANDSHAKE_MS);
      const failed = (error: Error) => {
        clock.clear(late);
        reject(error);
      };
      // A link trusts an authority of its own, not a name.
      const socket = connect({ ...this.#credentials, ...by, socket: pipe, checkServerIdentity: () => undefined });
      socket.on('error', failed);
      socket.once('close', () => failed(new Error('the connection closed during the handshake')));
      socket.once('secureConnect', () => {
        clock.clear(late);
        if (this.#proves(socket)) resolve(socket);
        else reject(new Error('the other end is not authorized'));
      });
    });
  }

  /**
   * Whether the other end of a handshake that is over has proved itself. node:tls has verified its certificate. That the
   * pre-shared key was used shows by the absence of a certificate: OpenSSL counts such a session as resumed.
   */
  #proves(socket: TLSSocket): boolean {
    if (this.#psk === undefined) return socket.authorized;
    return socket.isSessionReused() && socket.getPeerX509Certificate() === undefined;
  }
}

function pskOf(secret: string | Buffer): Buffer {
  const psk = typeof secret === 'string' ? Buffer.from(/^([0-9a-f]{2})+$/i.test(secret) ? secret : '', 'hex') : secret;
  if (psk.length < MIN_PSK_BYTES || psk.length > MAX_PSK_BYTES) {
    const expected = `${MIN_PSK_BYTES} to ${MAX_PSK_BYTES} bytes, or twice as many hexadecimal digits`;
    throw new InvalidOptionError(`linkTls.psk has ${expected}`, { layer: LAYER, expected, got: secret.length });
  }
  return psk;
}

function keyOf(pem: string, certificate: X509Certificate): string {
  try {
    const key = privateKeyOf(pem);
    if (certificate.checkPrivateKey(key)) return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch (cause) {
    throw new InvalidOptionError('linkTls.key is no private key in PEM', { layer: LAYER, cause });
  }
  throw new InvalidOptionError('linkTls.key is not the key of the first certificate', { layer: LAYER });
}
