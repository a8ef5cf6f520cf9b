/** A certificate authority: of the attestation server, and of tests. */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { given, givenRecord, hashBytes } from '../core/check.js';
import { CertificateRequestError, InvalidArgumentError } from '../core/errors.js';
import { derOf, fromDer } from '../layers/formats/asn1.js';
import { encryptedKey } from '../layers/formats/private-key.js';
import { subjectBytes, subjectKeyIdentifier } from '../layers/formats/x509.js';
import {
  type DistinguishedName,
  type KeyAlgorithm,
  makeCertificate,
  makeKey,
  nameOf,
  pemOf,
  privateKeyOf,
  type Usage,
  type Validity,
} from './certificate.js';
import { readRequest } from './request.js';
import { comparableName } from './subject.js';

/** A certificate authority: its private key and its certificate. */
export interface Authority {
  /** Private key, PKCS#8 PEM. */
  readonly key: string;
  /** Certificate, PEM. */
  readonly certificate: string;
  readonly certificateDer: Buffer;
}

export interface AuthorityOptions extends Validity {
  /** Default `Veracruz Proxy Attestation Server`. */
  commonName?: string;
  /** Default `ec`. */
  algorithm?: KeyAlgorithm;
}

/** Makes a self-signed CA. Valid 3,650 days unless told otherwise. */
export function makeAuthority(options: AuthorityOptions = {}): Authority {
  const { commonName = 'Veracruz Proxy Attestation Server', algorithm = 'ec', days = 3650, ...validity } = givenRecord('options', options);
  const key = makeKey(algorithm);
  const name = { organization: 'Veracruz', commonName };
  const certificateDer = makeCertificate(
    { ...validity, days, subject: name, issuer: name, publicKey: createPublicKey(key), isCa: true },
    key,
  );
  return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pemOf(certificateDer), certificateDer };
}

/** The authority of two PEM texts. Throws `InvalidArgumentError` when they are none, or not of each other. */
export function readAuthority(certificate: string, key: string): Authority {
  given('certificate', certificate);
  given('key', key);
  try {
    const x509 = new X509Certificate(certificate);
    if (x509.ca && x509.checkPrivateKey(privateKeyOf(key))) return { key, certificate, certificateDer: x509.raw };
  } catch (cause) {
    throw new InvalidArgumentError(encryptedKey('the private key of the authority', key) ?? 'no certificate and private key in PEM', {
      cause,
    });
  }
  throw new InvalidArgumentError('the certificate is no CA, or the private key is of another');
}

export interface IssueOptions extends Validity {
  /** Certificate signing request in DER: its signature is checked; gives the subject and key that are not given here. */
  request?: Buffer;
  subject?: DistinguishedName | string;
  /** Key of the certificate: a key object, or PEM. */
  publicKey?: KeyObject | string;
  /** DNS names and IP addresses. Default none; the attestation server writes `ComputeEnclave.dev` (wire spec §F). */
  san?: readonly string[];
  /** 32 bytes, or 64 hex digits, that go raw into the extension 2.5.30.1. */
  runtimeHash?: Uint8Array | string;
  /** May sign certificates itself. Default false. */
  isCa?: boolean;
  /** Extended key usages. Default `['server']`, for a CA none. */
  usages?: readonly Usage[];
}

/**
 * Issues a certificate, in DER. Valid one day unless told otherwise.
 * Throws `LimitError` and `CertificateRequestError` for a request that is too large, malformed, of a weak key, not signed by its
 * own, or of a subject that no certificate is issued for (`readRequest`; the authority's own name is another);
 * `InvalidArgumentError` when subject or key is missing, the subject given is the authority's own, or the hash or the validity is
 * none.
 */
export function issue(authority: Authority, options: IssueOptions): Buffer {
  given('authority', authority);
  given('options', options);
  const { request, isCa = false, usages = isCa ? [] : ['server'], days = 1, san = [], runtimeHash } = options;
  const asked = request === undefined ? undefined : readRequest(request);
  const subject = typeof options.subject === 'string' ? { commonName: options.subject } : (options.subject ?? asked?.subject);
  const publicKey = typeof options.publicKey === 'string' ? createPublicKey(options.publicKey) : (options.publicKey ?? asked?.publicKey);
  if (subject === undefined || publicKey === undefined) {
    throw new InvalidArgumentError('a certificate needs a subject and a key, or a request that has both');
  }
  const issuer = new X509Certificate(authority.certificateDer);
  const issuerName = fromDer(subjectBytes(issuer));
  // A certificate that seems to have been issued by itself, or by a second authority of that name, leads readers astray.
  if (comparableName('tagClass' in subject ? subject : nameOf(subject)) === comparableName(issuerName)) {
    const Fault = options.subject === undefined ? CertificateRequestError : InvalidArgumentError;
    throw new Fault("the subject is the authority's own name", { layer: 'authority' });
  }
  const { notBefore, notAfter } = options;
  return makeCertificate(
    {
      days,
      ...(notBefore && { notBefore }),
      ...(notAfter && { notAfter }),
      subject,
      // Whoever builds a chain compares both with what the issuer's certificate has, byte by byte.
      issuer: derOf(subjectBytes(issuer)),
      issuerKeyIdentifier: subjectKeyIdentifier(issuer),
      publicKey,
      issuerKey: issuer.publicKey,
      isCa,
      usages,
      san,
      runtimeHash: runtimeHash === undefined ? undefined : hashBytes('runtimeHash', runtimeHash),
    },
    privateKeyOf(authority.key),
  );
}

/** The DNS name in the certificate of every enclave (wire spec §F). */
const ENCLAVE_NAME = 'ComputeEnclave.dev';

export interface EnclaveCertificateOptions extends Validity {
  /** Certificate signing request of the enclave, DER. */
  request: Buffer;
  /** 32 bytes, as its evidence has them; or 64 hex digits. */
  runtimeHash: Uint8Array | string;
}

/**
 * Issues what an enclave proves itself with to clients, in DER: subject and key of its request, the DNS name `ComputeEnclave.dev`,
 * and the runtime hash, raw, in the extension 2.5.30.1 (wire spec §B, §F). Valid one day unless told otherwise.
 * Throws as `issueCertificate` does.
 */
export function issueEnclaveCertificate(authority: Authority, options: EnclaveCertificateOptions): Buffer {
  return issue(authority, { ...options, san: [ENCLAVE_NAME] });
}
