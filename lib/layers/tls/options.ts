/** The options of the TLS layer: checks, and defaults. */
import { KeyObject, type X509Certificate } from 'node:crypto';
import { definedOf, given, integerInRange, oneOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import { type CertificateInput, certificatesOf, certificatesOfAll, listOf, pemList } from '../formats/certificates.js';
import { type CipherSuite, cipherList, cipherSuite, DEFAULT_CIPHER_SUITES } from '../formats/cipher-suite.js';
import { readPrivateKey } from '../formats/private-key.js';
import { Principals } from './principals.js';

/** What bounds the handshakes and the idle records of `tls()`. */
export interface TlsLimits {
  /** Milliseconds for one handshake, until the peer is admitted; on a server also for the first record. Default 10,000. */
  handshakeTimeoutMs?: number;
  /**
   * Milliseconds after which a handshake gives its place to another, whatever its peer has sent. It still goes on. Default 100.
   */
  handshakeStallMs?: number;
  /** Handshakes that have a place at once. Default 64, because 10,000 at once would all time out. */
  maxHandshakes?: number;
  /**
   * Connections that may wait for their handshake to start. Default 1,024. One more fails with `LimitError`, or takes the place
   * of one whose origin has more of them (`Connection.origin`). As many, counted apart, go on after their time in a place.
   */
  maxQueuedHandshakes?: number;
  /**
   * Bytes of ciphertext that a client may send until it is admitted, ClientHello not counted. Only at a server. Default 65,536;
   * 705 are enough for a P-256 certificate, 2,400 for RSA-4096. What is refused here costs no processor time.
   */
  maxHandshakeBytes?: number;
  /** TLS records in a row, after the handshake, without any plaintext. Default 64. Limits floods of KeyUpdates. */
  maxIdleRecords?: number;
  /** Bytes of ciphertext in a row, after the handshake, without plaintext. Default 65,536: two records and part of a third. */
  maxIdleBytes?: number;
}

interface TlsCommonOptions extends TlsLimits {
  /** Our certificate (first), and the certificates up to its issuer. */
  certificate: CertificateInput | readonly CertificateInput[];
  /** Private key of our certificate: PEM, or a key object. */
  key: string | Buffer | KeyObject;
  /** One suite or several, in any spelling that `cipherSuite()` takes. Default: the three AEADs of Node's default. */
  cipherSuite?: string | readonly string[];
  /**
   * What happens when the byte pipe ends without the peer's close_notify. `error` (default): TlsTruncatedError. `report`: a
   * normal end, with `tlsState().peerEnd` at `truncated`. Mbed TLS peers send no close_notify.
   */
  truncation?: 'error' | 'report';
}

/** Options of `tls()` for a client. */
export interface TlsClientOptions extends TlsCommonOptions {
  role: 'client';
  /** The authority that the server's chain must lead to (`proxy_service_cert` of a policy). */
  authority: CertificateInput | readonly CertificateInput[];
  /**
   * Called with the server's certificate after its chain was verified and before any plaintext leaves. It throws to refuse the
   * certificate (CertificateError). It must not be async: any return value counts as a refusal.
   */
  verifyPeer?: (certificate: X509Certificate) => void;
}

/** Options of `tls()` for a server. */
export interface TlsServerOptions extends TlsCommonOptions {
  role: 'server';
  /**
   * The principals. The leaf certificate of a client must equal the first certificate of one of these, byte for byte. The
   * self-signed certificates among these are trust anchors; several may have the same subject. `tlsState().principal` is an
   * index in this list.
   */
  identities: readonly CertificateInput[];
  /** Authorities that issued those identities that are not self-signed. A client is not admitted because of them alone. */
  clientAuthorities?: CertificateInput | readonly CertificateInput[];
}

/** Options of `tls()`: those of a client or those of a server. */
export type TlsOptions = TlsClientOptions | TlsServerOptions;

/** Defaults of `TlsOptions`. */
export const TLS_DEFAULTS = Object.freeze({
  truncation: 'error',
  handshakeTimeoutMs: 10_000,
  handshakeStallMs: 100,
  maxHandshakes: 64,
  maxQueuedHandshakes: 1024,
  maxHandshakeBytes: 65_536,
  maxIdleRecords: 64,
  maxIdleBytes: 65_536,
});

/** Limits and behaviour, with every default filled in. */
export type TlsSettings = Readonly<Required<TlsLimits> & { role: 'client' | 'server'; truncation: 'error' | 'report' }>;

/** The options that node:tls needs, under its names. */
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
    maxHandshakeBytes: integerInRange('maxHandshakeBytes', all.maxHandshakeBytes, 512, 2 ** 24),
    maxIdleRecords: integerInRange('maxIdleRecords', all.maxIdleRecords, 1, 2 ** 31),
    // With less than two records, a single record that is still arriving could count as a flood.
    maxIdleBytes: integerInRange('maxIdleBytes', all.maxIdleBytes, 32_768, 2 ** 31),
  });
}

/** Certificate, key, trust anchors and suites of `options`. Throws InvalidOptionError. */
export function credentialsOf(options: TlsOptions): Credentials {
  const chain = certificatesOfAll('certificate', given('certificate', options.certificate));
  const key = privateKeyOf(given('key', options.key));
  // node:tls would notice this only at the first handshake.
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
