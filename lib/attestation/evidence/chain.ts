/** Verifies a chain of certificates from a pinned root to a leaf (RFC 5280 §6, as far as evidence needs it). */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { EvidenceChainError, InvalidOptionError } from '../../core/errors.js';
import { sameBytes } from './binding.js';
import { constraintsOf } from './constraints.js';

/**
 * Reads the pinned root certificate, PEM or DER. Throws `InvalidOptionError` unless it is the certificate of a root CA.
 *
 * @param name of the option that has it
 */
export function pinnedRoot(root: string | Buffer, name = 'root'): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(root);
  } catch (cause) {
    throw new InvalidOptionError(`${name} must be a certificate, PEM or DER`, { cause });
  }
  if (certificate.ca && certificate.checkIssued(certificate)) return certificate;
  throw new InvalidOptionError(`${name} must be the certificate of a root CA`);
}

/**
 * Verifies the chain from `root` down to `leaf`. `bundle` has the CA certificates in that order, the root first, all in DER.
 *
 * - The first certificate must equal `root`. Each other must be issued and signed by the one before it.
 * - All must be valid at `now`.
 * - The CAs must be allowed to sign certificates, and to have the number of CAs below them that the chain has.
 * - The leaf must be allowed to sign messages, and must not be a CA.
 *
 * The contents of a certificate are examined only after its signature was verified. Returns the leaf's key. Throws
 * `EvidenceChainError`.
 */
export function verifyChain(leaf: Buffer, bundle: readonly Buffer[], root: X509Certificate, now: Date): KeyObject {
  const [first, ...others] = bundle;
  if (first === undefined || !sameBytes(first, root.raw)) throw broken(0, 'is not the pinned root');
  const below = [...others, leaf].map((der, i) => read(der, i + 1));
  checkUse(root, 0, below.length, now);
  let issuer = root;
  below.forEach((certificate, i) => {
    const at = i + 1;
    if (!certificate.checkIssued(issuer)) throw broken(at, 'is not issued by the one before it');
    if (!certificate.verify(keyOf(issuer, i))) throw broken(at, 'is not signed by the one before it');
    checkUse(certificate, at, below.length, now);
    issuer = certificate;
  });
  return keyOf(issuer, below.length);
}

/** The key of a certificate. OpenSSL parses it only here, and may not support its kind. */
function keyOf(certificate: X509Certificate, at: number): KeyObject {
  try {
    return certificate.publicKey;
  } catch (cause) {
    throw broken(at, 'has a key that cannot be read', cause);
  }
}

/** Checks validity time and permitted uses of certificate number `at`. `leafAt` is the number of the leaf. */
function checkUse(certificate: X509Certificate, at: number, leafAt: number, now: Date): void {
  const { validFrom, validTo } = certificate;
  if (!(now.getTime() >= Date.parse(validFrom) && now.getTime() <= Date.parse(validTo))) {
    throw broken(at, `holds from ${validFrom} to ${validTo}, it is ${now.toISOString()}`);
  }
  const { isCa, pathLength, signsCertificates, signsMessages, unknownCritical } = constraintsAt(certificate, at);
  if (unknownCritical.length > 0) throw broken(at, `has critical extensions that are not known here: ${unknownCritical.join(', ')}`);
  if (at === leafAt) {
    if (isCa) throw broken(at, 'is a CA, and no leaf');
    if (!signsMessages) throw broken(at, 'may not sign messages');
    return;
  }
  if (!isCa || !signsCertificates) throw broken(at, 'may not sign certificates');
  const below = leafAt - at - 1;
  if (below > pathLength) throw broken(at, `allows ${pathLength} CAs below it, there are ${below}`);
}

function constraintsAt(certificate: X509Certificate, at: number): ReturnType<typeof constraintsOf> {
  try {
    return constraintsOf(certificate);
  } catch (cause) {
    throw broken(at, 'has extensions that cannot be read', cause);
  }
}

/**
 * Reads a certificate in DER. OpenSSL also accepts PEM and ignores bytes after the certificate, so the result is compared.
 */
function read(der: Buffer, at: number): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch (cause) {
    throw broken(at, `cannot be read (${der.length} bytes)`, cause);
  }
  if (!certificate.raw.equals(der)) throw broken(at, `is not exactly one certificate in DER (${der.length} bytes)`);
  return certificate;
}

/** An error about certificate number `at`; the root is number 0. */
function broken(at: number, fault: string, cause?: unknown): EvidenceChainError {
  return new EvidenceChainError(`certificate ${at} of the chain ${fault}`, { layer: 'nitro', got: at, cause });
}
