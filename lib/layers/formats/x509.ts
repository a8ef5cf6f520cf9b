/** Parts of a certificate that node:crypto's X509Certificate does not give. */
import type { X509Certificate } from 'node:crypto';
import { type Asn1, content, derItems, dotted, fromDer, inTag, items } from './asn1.js';

/** The tag of the extensions in a certificate (RFC 5280 §4.1). */
const EXTENSIONS_TAG = 3;
/** The first byte of `[0]`, in which the version stands. */
const VERSION_TAG = 0xa0;
const NOTHING = Buffer.alloc(0);

/**
 * The extensions of a certificate in their order. Each is the list of its parts: an OID, then perhaps a BOOLEAN (critical),
 * then an OCTET STRING. Throws forge's own error when the DER cannot be read; callers wrap it into an error of theirs.
 */
export function extensionsOf(certificate: X509Certificate): Asn1[][] {
  const [tbs] = items(fromDer(certificate.raw, { bitStrings: false }));
  const [extensions] = inTag(items(tbs), EXTENSIONS_TAG);
  return items(extensions).map(items);
}

const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';

/** The subject of a certificate as it stands there: the bytes of its `SEQUENCE`. Throws a plain error for what is no DER. */
export function subjectBytes(certificate: X509Certificate): Buffer {
  const [tbs = NOTHING] = derItems(certificate.raw);
  // tbs = [0] version, serial, algorithm, issuer, validity, subject, … A certificate of version 1 has no [0].
  const parts = derItems(tbs);
  const subject = parts[parts[0]?.[0] === VERSION_TAG ? 5 : 4];
  if (subject === undefined) throw new RangeError('a certificate without a subject');
  return subject;
}

/** The subject key identifier of a certificate (RFC 5280 §4.2.1.2); undefined when it has none. Throws as `extensionsOf` does. */
export function subjectKeyIdentifier(certificate: X509Certificate): Buffer | undefined {
  const extension = extensionsOf(certificate).find(([type]) => type !== undefined && dotted(type) === SUBJECT_KEY_IDENTIFIER);
  return extension && content(fromDer(content(extension.at(-1))));
}
