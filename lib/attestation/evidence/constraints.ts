/** What a certificate may be used for, out of its extensions: what node:crypto's X509Certificate does not tell. */
import type { X509Certificate } from 'node:crypto';
import { type Asn1, bitBytes, content, dotted, fromDer, items } from '../../layers/formats/asn1.js';
import { extensionsOf } from '../../layers/formats/x509.js';

const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
/** Bits of the key usage, from the highest of the first byte (RFC 5280 §4.2.1.3). */
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;

/** RFC 5280 §4.2.1.3, §4.2.1.9. */
export interface Constraints {
  readonly isCa: boolean;
  /** CA certificates that may stand between this one and a leaf. */
  readonly pathLength: number;
  readonly signsCertificates: boolean;
  readonly signsMessages: boolean;
  /** Critical extensions that are none of the two above, by OID: whoever does not know them must refuse the certificate. */
  readonly unknownCritical: readonly string[];
}

/** Reads the constraints of a certificate. Throws what the DER reader throws when it has none that can be read. */
export function constraintsOf(certificate: X509Certificate): Constraints {
  const extensions = new Map<string, Buffer>();
  const unknownCritical: string[] = [];
  for (const [type, ...rest] of extensionsOf(certificate)) {
    const oid = dotted(type as Asn1);
    if (extensions.has(oid)) throw new RangeError(`extension ${oid} twice`);
    extensions.set(oid, content(rest.at(-1)));
    if (rest.length === 2 && oid !== BASIC_CONSTRAINTS && oid !== KEY_USAGE) unknownCritical.push(oid);
  }
  const usage = extensions.get(KEY_USAGE);
  const allows = (bit: number) => usage === undefined || ((bitBytes(fromDer(usage))[0] ?? 0) & bit) !== 0;
  return {
    isCa: certificate.ca,
    pathLength: pathLengthOf(extensions.get(BASIC_CONSTRAINTS)),
    signsCertificates: allows(KEY_CERT_SIGN),
    signsMessages: allows(DIGITAL_SIGNATURE),
    unknownCritical,
  };
}

/** `SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }`: no length means any. */
function pathLengthOf(extension: Buffer | undefined): number {
  const length = extension === undefined ? undefined : items(fromDer(extension))[1];
  if (length === undefined) return Number.POSITIVE_INFINITY;
  const bytes = content(length);
  if (bytes.length === 0 || bytes.length > 4 || (bytes[0] as number) > 0x7f) throw new RangeError('a path length that is none');
  return bytes.readUIntBE(0, bytes.length);
}
