/** The options of the TLS layer, checked once and completed. */
import { KeyObject, type X509Certificate } from 'node:crypto';
import { definedOf, given, integerInRange, oneOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import { type CertificateInput, certificatesOf, certificatesOfAll, listOf, pemList } from '../formats/certificates.js';
import { type CipherSuite, cipherList, cipherSuite, DEFAULT_CIPHER_SUITES } from '../formats/cipher-suite.js';
import { readPrivateKey } from '../formats/private-key.js';
import { Principals } from './principals.js';

export interface TlsLimits {
  /** Milliseconds for one handshake, from its start to the peer's admission; on a server also for the first record. Default 10,000. */
  handshakeTimeoutMs?: number;
  /** Milliseconds that a peer may be silent in a handshake before another is let in besides; it goes on. Default 500. */
  handshakeStallMs?: number;
  /** Handshakes that one layer runs at once, those with a silent peer not counted. Default 64: 10,000 at once bring all of them down. */
  maxHandshakes?: number;
  /** Connections that wait for their handshake to start. Default 1,024; one more fails with `LimitError`. */
  maxQueuedHandshakes?: number;
  /** TLS records after the handshake without a byte of plaintext. Default 64 (KeyUpdate floods). */
  maxIdleRecords?: number;
  /** Bytes of ciphertext after the handshake without a byte of plaintext. Default 65,536: two full records and a half-read third. */
  maxIdleBytes?: number;
}

interface TlsCommonOptions extends TlsLimits {
  /** Our certificate (the first) and what leads to its issuer. */
  certificate: CertificateInput | readonly CertificateInput[];
  /** Private key of our certificate: PEM, or a key object. */
  key: string | Buffer | KeyObject;
  /** One suite or several, in any spelling that `cipherSuite()` takes. Default: the three AEADs of Node's default. */
  cipherSuite?: string | readonly string[];
  /**
   * What a byte pipe that ends without the peer's close_notify is: an `error` (TlsTruncatedError; default), or only
   * worth a `report`: a plain end, with `tlsState().peerEnd` at `truncated`. Mbed TLS peers send no close_notify.
   */
  truncation?: 'error' | 'report';
}

export interface TlsClientOptions extends TlsCommonOptions {
  role: 'client';
  /** Whom the server's chain must lead to (`proxy_service_cert` of a policy). */
  authority: CertificateInput | readonly CertificateInput[];
  /**
   * Looks at the server's certificate after the chain was found good and before a byte of plaintext leaves. Throws to
   * refuse it (CertificateError). Must not be async: anything it returns is taken for a refusal.
   */
  verifyPeer?: (certificate: X509Certificate) => void;
}

export interface TlsServerOptions extends TlsCommonOptions {
  role: 'server';
  /**
   * The principals: a client's leaf certificate must equal the first certificate of one of these, byte for byte. Those
   * that are self-signed are trust anchors, also where several have the same subject. Order gives the index that `tlsState().principal` has.
   */
  identities: readonly CertificateInput[];
  /** Authorities that issued those identities which are not self-signed. They admit nobody by themselves. */
  clientAuthorities?: CertificateInput | readonly CertificateInput[];
}

export type TlsOptions = TlsClientOptions | TlsServerOptions;

/** Defaults of `TlsOptions`. */
export const TLS_DEFAULTS = Object.freeze({
  truncation: 'error',
  handshakeTimeoutMs: 10_000,
  handshakeStallMs: 500,
  maxHandshakes: 64,
  maxQueuedHandshakes: 1024,
  maxIdleRecords: 64,
  maxIdleBytes: 65_536,
});

/** Limits and behaviour, with every default filled in. */
export type TlsSettings = Readonly<Required<TlsLimits> & { role: 'client' | 'server'; truncation: 'error' | 'report' }>;

/** What node:tls needs of the options, in its own terms. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
  readonly ca: string[];
  readonly ciphers: string;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Limits and behaviour of `options`. Throws InvalidOptionError. */
export function settingsOf(options: TlsOptions): TlsSettings {
  const all = { ...TLS_DEFAULTS, ...definedOf(options) };
  return Object.freeze({
    role: oneOf('role', all.role, ['client', 'server']),
    truncation: oneOf('truncation', all.truncation, ['error', 'report']),
    handshakeTimeoutMs: integerInRange('handshakeTimeoutMs', all.handshakeTimeoutMs, 1, MAX_TIMER_MS),
    handshakeStallMs: integerInRange('handshakeStallMs', all.handshakeStallMs, 1, MAX_TIMER_MS),
    maxHandshakes: integerInRange('maxHandshakes', all.maxHandshakes, 1, 2 ** 20),
    maxQueuedHandshakes: integerInRange('maxQueuedHandshakes', all.maxQueuedHandshakes, 0, 2 ** 24),
    maxIdleRecords: integerInRange('maxIdleRecords', all.maxIdleRecords, 1, 2 ** 31),
    // Less than two records would take a record that is still arriving for a flood.
    maxIdleBytes: integerInRange('maxIdleBytes', all.maxIdleBytes, 32_768, 2 ** 31),
  });
}

/** Certificate, key, trust anchors and suites of `options`. Throws InvalidOptionError. */
export function credentialsOf(options: TlsOptions): Credentials {
  const chain = certificatesOfAll('certificate', given('certificate', options.certificate));
  const key = privateKeyOf(given('key', options.key));
  // node:tls would notice at the first handshake only.
  if (!(chain[0] as X509Certificate).checkPrivateKey(key)) {
    throw new InvalidOptionError('key is not the key of the first certificate', { layer: 'tls' });
  }
  return {
    cert: pemList(chain).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ca: pemList(anchorsOf(options)),
    ciphers: cipherList(suitesOf(options.cipherSuite)),
  };
}

/** The principals of a server's options. */
export function principalsOf(options: TlsServerOptions): Principals {
  return new Principals(
    listOf('identities', options.identities).map((identity) => certificatesOf('identities', identity)[0] as X509Certificate),
  );
}

function anchorsOf(options: TlsOptions): X509Certificate[] {
  if (options.role === 'client') return certificatesOfAll('authority', given('authority', options.authority));
  const identities = certificatesOfAll('identities', given('identities', options.identities)).filter(isSelfSigned);
  return options.clientAuthorities === undefined
    ? identities
    : [...identities, ...certificatesOfAll('clientAuthorities', options.clientAuthorities)];
}

/** An identity that another has issued is no trust anchor: a chain must lead from it to one of `clientAuthorities`. */
function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.verify(certificate.publicKey);
}

function suitesOf(names: string | readonly string[] | undefined): readonly CipherSuite[] {
  if (names === undefined) return DEFAULT_CIPHER_SUITES;
  const list = typeof names === 'string' ? [names] : names;
  if (list.length === 0) throw new InvalidOptionError('cipherSuite is empty', { layer: 'tls', expected: 'a name', got: 0 });
  return list.map(cipherSuite);
}

function privateKeyOf(key: string | Buffer | KeyObject): KeyObject {
  if (key instanceof KeyObject) {
    if (key.type === 'private') return key;
    throw new InvalidOptionError(`key is a ${key.type} key`, { layer: 'tls', expected: 'private', got: key.type });
  }
  return readPrivateKey('key', key, 'tls');
}
