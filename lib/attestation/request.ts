/** Certificate signing requests (PKCS#10, RFC 2986). */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { given, givenBytes, integerInRange } from '../core/check.js';
import { CertificateRequestError, InvalidArgumentError, LimitError } from '../core/errors.js';
import {
  type Asn1,
  bitBytes,
  bits,
  content,
  fromDer,
  integer,
  isA,
  isTagged,
  items,
  sequence,
  tagged,
  toDer,
} from '../layers/formats/asn1.js';
import { type DistinguishedName, nameOf, privateKeyOf, publicKeyInfo, signed } from './certificate.js';
import { signatureAlgorithm } from './signature.js';
import { subjectFault } from './subject.js';

/** The subject that an enclave asks for (wire spec §B). */
export const ENCLAVE_SUBJECT: Readonly<Required<DistinguishedName>> = Object.freeze({
  country: 'US',
  state: 'Texas',
  locality: 'Austin',
  organization: 'Veracruz',
  unit: 'Compute Enclave',
  commonName: 'VeracruzCompute',
});

export interface RequestLimits {
  /** Bytes of a request, checked before any of it is read: 1 to 1 MiB. Default 16 KiB. */
  maxRequestBytes?: number | undefined;
}

export const REQUEST_DEFAULTS = Object.freeze({ maxRequestBytes: 16_384 });

/** RSA keys that a certificate is issued for: sizes in bits, and the smallest exponent (with 1, anybody could sign). */
const RSA = Object.freeze({ minBits: 2048, maxBits: 8192, minExponent: 65_537n });
/** How a P-256 key begins: the curve by its name, not by parameters, and the point uncompressed (RFC 5480 §2). */
const P256_HEAD = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');

export interface CertificateRequest {
  /** The subject's `SEQUENCE`, as the request has it. */
  readonly subject: Asn1;
  readonly publicKey: KeyObject;
}

/**
 * Makes a request, in DER, without extensions, signed with SHA-256 (on the curve P-384 with SHA-384, on P-521 with SHA-512).
 * `key` is a private key (PEM or object). Throws `InvalidArgumentError` when it is neither EC nor RSA.
 */
export function makeRequest(key: KeyObject | string, subject: DistinguishedName = ENCLAVE_SUBJECT): Buffer {
  const privateKey = privateKeyOf(given('key', key));
  const type = String(privateKey.asymmetricKeyType);
  if (type !== 'ec' && type !== 'rsa') {
    throw new InvalidArgumentError(`a key of type ${type} cannot sign a request here`, { expected: 'ec|rsa', got: type });
  }
  return signed(sequence(integer(Buffer.of(0)), nameOf(subject), publicKeyInfo(createPublicKey(privateKey)), tagged(0)), privateKey);
}

/**
 * Reads a request and checks that its own key signed it, with SHA-256. The key is EC P-256, or RSA of 2,048 to 8,192 bits with
 * an exponent of 65,537 or more. Its subject is a name of at most 16 parts of 1 to 128 bytes, all of it characters that are
 * shown. What else the request asks for (extensions) is left alone.
 * Throws `LimitError` when it is too large, and `CertificateRequestError` when it is malformed, or the key, the signature or the
 * subject is not right.
 */
export function readRequest(der: Buffer, limits: RequestLimits = {}): CertificateRequest {
  const max = integerInRange('maxRequestBytes', limits.maxRequestBytes ?? REQUEST_DEFAULTS.maxRequestBytes, 1, 1_048_576);
  if (givenBytes('der', der).length > max) {
    throw new LimitError(`a certificate signing request of ${der.length} bytes, ${max} at most`, {
      layer: 'csr',
      got: der.length,
      limit: max,
    });
  }
  let request: CertificateRequest;
  let genuine: boolean;
  try {
    const [tbs, , signature] = items(fromDer(der)) as [Asn1, Asn1, Asn1];
    const { subject, keyInfo } = infoOf(tbs);
    const keyDer = toDer(keyInfo);
    const publicKey = createPublicKey({ key: keyDer, format: 'der', type: 'spki' });
    checkKey(publicKey, keyDer);
    const signatureBytes = bitBytes(signature);
    request = { subject, publicKey };
    // Only the one DER form is taken: then what was signed is what we write, and nobody reads it another way.
    const canonical = toDer(sequence(tbs, signatureAlgorithm(publicKey), bits(signatureBytes)));
    genuine = canonical.equals(der) && verify('sha256', toDer(tbs), publicKey, signatureBytes);
  } catch (cause) {
    if (cause instanceof CertificateRequestError) throw cause;
    throw new CertificateRequestError(`no certificate signing request in ${der.length} bytes`, { layer: 'csr', got: der.length, cause });
  }
  if (!genuine) throw new CertificateRequestError('the certificate signing request is not signed by its own key', { layer: 'csr' });
  return request;
}

/**
 * The parts of `SEQUENCE { version, subject, key, [0] attributes }` (RFC 2986 §4.1). The subject goes into a certificate as it
 * stands, so it is looked at (`subjectFault`). Throws CertificateRequestError for that, else a plain Error.
 */
function infoOf(tbs: Asn1): { subject: Asn1; keyInfo: Asn1 } {
  const [version, subject, keyInfo, attributes, ...others] = items(tbs);
  if (!isA(tbs, 'SEQUENCE') || keyInfo === undefined || !isTagged(attributes, 0) || others.length > 0)
    throw new Error('not its four parts');
  if (!isA(version, 'INTEGER') || !content(version).equals(Buffer.of(0))) throw new Error('another version');
  const fault = subjectFault(subject as Asn1);
  if (fault !== undefined) throw new CertificateRequestError(fault, { layer: 'csr' });
  return { subject: subject as Asn1, keyInfo };
}

function checkKey(key: KeyObject, der: Buffer): void {
  const { namedCurve, modulusLength = 0, publicExponent = 0n } = { ...key.asymmetricKeyDetails };
  if (der.subarray(0, P256_HEAD.length).equals(P256_HEAD)) return;
  const { minBits, maxBits, minExponent } = RSA;
  const isRsa = key.asymmetricKeyType === 'rsa';
  if (isRsa && modulusLength >= minBits && modulusLength <= maxBits && publicExponent >= minExponent) return;
  const got = isRsa ? `rsa of ${modulusLength} bits, exponent ${publicExponent}` : `${key.asymmetricKeyType} ${namedCurve ?? ''}`.trim();
  throw new CertificateRequestError(
    `a certificate is issued for EC P-256 (curve by name, point uncompressed) or RSA of ${minBits} to ${maxBits} bits, not for ${got}`,
    { layer: 'csr', expected: 'ec P-256|rsa', got },
  );
}
