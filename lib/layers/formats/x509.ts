/** What node:crypto's X509Certificate does not tell of a certificate. */
import type { X509Certificate } from 'node:crypto';
import { type Asn1, fromDer, inTag, items } from './asn1.js';

/** The extensions are `[3]` of a certificate (RFC 5280 §4.1). */
const EXTENSIONS_TAG = 3;

/**
 * The extensions of a certificate in their order, each as the list of its parts: an OID, then perhaps a BOOLEAN (critical),
 * then an OCTET STRING. Throws forge's own error when the certificate cannot be read as DER; callers give it a name.
 */
export function extensionsOf(certificate: X509Certificate): Asn1[][] {
  const [tbs] = items(fromDer(certificate.raw, { bitStrings: false }));
  const [extensions] = inTag(items(tbs), EXTENSIONS_TAG);
  return items(extensions).map(items);
}
