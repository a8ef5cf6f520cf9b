/** The hash of the Runtime Manager that an attested certificate carries (wire spec §B). */
import { timingSafeEqual, type X509Certificate } from 'node:crypto';
import { given, givenBytes, givenList, givenRecord, optionsOf, sha256Text } from '../../core/check.js';
import { CertificateError, InvalidOptionError } from '../../core/errors.js';
import { type Asn1, content } from '../formats/asn1.js';
import { extensionsOf } from '../formats/x509.js';

/** Bytes of a runtime hash: a SHA-256, or the first half of a SHA-384. */
export const RUNTIME_HASH_BYTES = 32;

/** Content bytes of the OID 2.5.30.1. The comparison is of bytes, so an OID in another encoding does not match. */
const RUNTIME_HASH_OID = Buffer.of(0x55, 0x1e, 0x01);

/**
 * The content of the extension 2.5.30.1, or undefined when there is none:
 *
 *     30 27  06 03 55 1e 01  04 20 <32 bytes>
 *            OID 2.5.30.1    OCTET STRING, no ASN.1 inside
 *
 * OpenSSL has read the certificate before, and the handshake has verified who signed it; this function only looks for a
 * field. It does not check that the content has 32 bytes.
 *
 * @throws CertificateError when the certificate has the extension twice, or cannot be read as DER.
 */
export function runtimeHashOf(certificate: X509Certificate): Buffer | undefined {
  givenBytes('certificate.raw', givenRecord('certificate', certificate).raw);
  const found = partsOf(certificate).filter((extension) => content(extension[0]).equals(RUNTIME_HASH_OID));
  if (found.length > 1) {
    throw new CertificateError('the certificate has more than one runtime hash', { layer: 'tls', expected: 1, got: found.length });
  }
  // OID, then perhaps a BOOLEAN (critical), then the OCTET STRING.
  return found[0] === undefined ? undefined : content(found[0][found[0].length - 1]);
}

/**
 * Makes a `verifyPeer` hook that refuses a server unless its certificate carries one of `hashes` (32 bytes each, or 64 hex
 * digits as in a policy).
 *
 * @throws InvalidOptionError when `hashes` is empty or one of them is no hash. The hook itself throws CertificateError.
 */
export function expectRuntimeHash(hashes: readonly (Uint8Array | string)[]): (certificate: X509Certificate) => void {
  if (givenList('hashes', given('hashes', hashes)).length === 0)
    throw new InvalidOptionError('hashes is empty', { layer: 'tls', expected: 'runtime hashes', got: 0 });
  const expected = optionsOf('tls', () => hashes.map((hash) => Buffer.from(sha256Text('a runtime hash', hash), 'hex')));
  return (certificate) => {
    const hash = runtimeHashOf(certificate);
    if (hash === undefined)
      throw new CertificateError("the server's certificate has no runtime hash", { layer: 'tls', expected: '2.5.30.1' });
    if (hash.length !== RUNTIME_HASH_BYTES || !expected.some((one) => timingSafeEqual(one, hash))) {
      throw new CertificateError("the server's runtime hash is none of those expected", {
        layer: 'tls',
        expected: expected.map((one) => one.toString('hex')).join('|'),
        got: hash.toString('hex', 0, RUNTIME_HASH_BYTES),
      });
    }
  };
}

/** The extensions of a certificate, each as the list of its parts. */
function partsOf(certificate: X509Certificate): Asn1[][] {
  try {
    return extensionsOf(certificate);
  } catch (cause) {
    throw new CertificateError('the certificate cannot be read as DER', { layer: 'tls', got: certificate.raw.length, cause });
  }
}
