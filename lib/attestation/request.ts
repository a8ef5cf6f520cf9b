/** Certificate signing requests (PKCS#10, RFC 2986). */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { InvalidArgumentError } from '../core/errors.js';
import { type DistinguishedName, nameOf, privateKeyOf, publicKeyInfo, signatureAlgorithm, signed } from './certificate.js';
import { type Asn1, bits, content, fromDer, integer, items, sequence, tagged, toDer } from './der.js';

/** The subject that an enclave asks for (wire spec §B). */
export const ENCLAVE_SUBJECT: Readonly<Required<DistinguishedName>> = Object.freeze({
  country: 'US',
  state: 'Texas',
  locality: 'Austin',
  organization: 'Veracruz',
  unit: 'Compute Enclave',
  commonName: 'VeracruzCompute',
});

export interface CertificateRequest {
  /** The subject's `SEQUENCE`, as the request has it. */
  readonly subject: Asn1;
  readonly publicKey: KeyObject;
}

/** Makes a request, in DER, without extensions, signed with SHA-256. `key` is a private key (PEM or object). */
export function makeRequest(key: KeyObject | string, subject: DistinguishedName = ENCLAVE_SUBJECT): Buffer {
  const privateKey = privateKeyOf(key);
  return signed(sequence(integer(Buffer.of(0)), nameOf(subject), publicKeyInfo(createPublicKey(privateKey)), tagged(0)), privateKey);
}

/**
 * Reads a request and checks that its own key signed it (SHA-256, EC or RSA).
 * Throws `InvalidArgumentError` when it is malformed or the signature is wrong.
 */
export function readRequest(der: Buffer): CertificateRequest {
  let request: CertificateRequest;
  let genuine: boolean;
  try {
    const [tbs, , signature] = items(fromDer(der)) as [Asn1, Asn1, Asn1];
    const [, subject, keyInfo] = items(tbs) as [Asn1, Asn1, Asn1];
    const publicKey = createPublicKey({ key: toDer(keyInfo), format: 'der', type: 'spki' });
    const signatureBytes = bitStringBytes(signature);
    request = { subject, publicKey };
    // Only the one DER form is taken: then what was signed is what we write, and nobody reads it another way.
    const canonical = toDer(sequence(tbs, signatureAlgorithm(publicKey), bits(signatureBytes)));
    genuine = items(subject).length > 0 && canonical.equals(der) && verify('sha256', toDer(tbs), publicKey, signatureBytes);
  } catch (cause) {
    throw new InvalidArgumentError(`no certificate signing request in ${der.length} bytes`, { got: der.length, cause });
  }
  if (!genuine) throw new InvalidArgumentError('the certificate signing request is not signed by its own key');
  return request;
}

/** The bytes of a BIT STRING, which forge may have read as ASN.1 already: an ECDSA signature is a SEQUENCE. */
function bitStringBytes(value: Asn1): Buffer {
  const raw = (value as Asn1 & { bitStringContents?: string }).bitStringContents;
  return (raw === undefined ? content(value) : Buffer.from(raw, 'latin1')).subarray(1);
}
