/** A chain of certificates from a pinned root to a leaf (RFC 5280 §6, as far as evidence needs it). */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { EvidenceChainError, InvalidOptionError } from '../../core/errors.js';
import { sameBytes } from './binding.js';
import { constraintsOf } from './constraints.js';

/** The certificate that an option pins: PEM or DER. Throws `InvalidOptionError` when it is none, or not that of a root CA. */
export function pinnedRoot(root: string | Buffer): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(root);
  } catch (cause) {
    throw new InvalidOptionError('root must be a certificate, PEM or DER', { cause });
  }
  if (certificate.ca && certificate.checkIssued(certificate)) return certificate;
  throw new InvalidOptionError('root must be the certificate of a root CA');
}

/**
 * Walks from `root` down to `leaf`; `bundle` has the CA certificates in that order, the root first, all of them DER. The first
 * must be `root`, byte by byte, and is trusted for that; each other must be issued and signed by the one before it. All must hold
 * at `now`, and be allowed what they do: the CAs to sign certificates and to have as many CAs below them as they have, the leaf to
 * sign messages and no certificates.
 *
 * A certificate is looked into only when its signature is known to be right. Gives the leaf's key; throws `EvidenceChainError`.
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

/** OpenSSL reads the key only now, and may not know its kind. */
function keyOf(certificate: X509Certificate, at: number): KeyObject {
  try {
    return certificate.publicKey;
  } catch (cause) {
    throw broken(at, 'has a key that cannot be read', cause);
  }
}

/** What a certificate is allowed, when and for what; `leafAt` tells the leaf, and how many CAs stand below one. */
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

/** OpenSSL takes PEM for DER, and leaves bytes behind the certificate alone: what it read must be all there is. */
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

/** `at` counts from the root, which is 0. */
function broken(at: number, fault: string, cause?: unknown): EvidenceChainError {
  return new EvidenceChainError(`certificate ${at} of the chain ${fault}`, { layer: 'nitro', got: at, cause });
}
