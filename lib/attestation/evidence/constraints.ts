/** What a certificate may be used for, from its extensions. X509Certificate of node:crypto does not tell most of it. */
import type { X509Certificate } from 'node:crypto';
import { type Asn1, bitBytes, content, dotted, fromDer, items } from '../../layers/formats/asn1.js';
import { extensionsOf } from '../../layers/formats/x509.js';

const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
/** Bits in the first byte of the key usage (RFC 5280 §4.2.1.3). */
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;

/** Key usage and basic constraints of a certificate (RFC 5280 §4.2.1.3, §4.2.1.9). */
export interface Constraints {
  readonly isCa: boolean;
  /** Most CA certificates between this one and a leaf. */
  readonly pathLength: number;
  readonly signsCertificates: boolean;
  readonly signsMessages: boolean;
  /** OIDs of all other critical extensions. A verifier that does not know such an extension must refuse the certificate. */
  readonly unknownCritical: readonly string[];
}

/** Reads the constraints of a certificate. Throws the errors of the DER reader when its extensions are malformed. */
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

/** `SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }`. Without a length there is no limit. */
function pathLengthOf(extension: Buffer | undefined): number {
  const length = extension === undefined ? undefined : items(fromDer(extension))[1];
  if (length === undefined) return Number.POSITIVE_INFINITY;
  const bytes = content(length);
  if (bytes.length === 0 || bytes.length > 4 || (bytes[0] as number) > 0x7f) throw new RangeError('a path length that is none');
  return bytes.readUIntBE(0, bytes.length);
}
