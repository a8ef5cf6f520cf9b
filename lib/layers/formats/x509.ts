/** Parts of a certificate that node:crypto's X509Certificate does not give. */
import type { X509Certificate } from 'node:crypto';
import { type Asn1, fromDer, inTag, items } from './asn1.js';

/** The tag of the extensions in a certificate (RFC 5280 §4.1). */
const EXTENSIONS_TAG = 3;

/**
 * The extensions of a certificate in their order. Each is the list of its parts: an OID, then perhaps a BOOLEAN (critical),
 * then an OCTET STRING. Throws forge's own error when the DER cannot be read; callers wrap it into an error of theirs.
 */
export function extensionsOf(certificate: X509Certificate): Asn1[][] {
  const [tbs] = items(fromDer(certificate.raw, { bitStrings: false }));
  const [extensions] = inTag(items(tbs), EXTENSIONS_TAG);
  return items(extensions).map(items);
}
