/** Identities of clients: self-signed certificates that a policy lists (wire spec §B, §E). */
import { createPublicKey } from 'node:crypto';
import { type KeyAlgorithm, makeCertificate, makeKey, pemOf, policyPemOf, type Validity } from './certificate.js';

/** A private key, and the certificate by which its owner is known. */
export interface Identity {
  /** Private key, PKCS#8 PEM. */
  readonly key: string;
  /** Certificate, PEM. */
  readonly certificate: string;
  /** The same as a policy carries it: one line of base64, no newline at the end. */
  readonly policyCertificate: string;
  readonly certificateDer: Buffer;
}

export interface IdentityOptions extends Validity {
  commonName: string;
  /** `ec` (P-256, default) or `rsa` (2048 bits). */
  algorithm?: KeyAlgorithm;
  /** CA:TRUE: such an identity could sign others, which a server must refuse. For tests. Default false. */
  isCa?: boolean;
}

/** Makes a self-signed client identity. Valid 3,650 days unless told otherwise. */
export function makeIdentity(options: IdentityOptions): Identity {
  const { commonName, algorithm = 'ec', isCa = false, days = 3650, ...validity } = options;
  const key = makeKey(algorithm);
  const name = { organization: 'Veracruz', commonName };
  const certificateDer = makeCertificate(
    {
      ...validity,
      days,
      subject: name,
      issuer: name,
      publicKey: createPublicKey(key),
      isCa,
      usages: isCa ? [] : ['client'],
      san: [commonName.toLowerCase().replace(/[^a-z0-9.-]+/g, '-')],
    },
    key,
  );
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: pemOf(certificateDer),
    policyCertificate: policyPemOf(certificateDer),
    certificateDer,
  };
}
