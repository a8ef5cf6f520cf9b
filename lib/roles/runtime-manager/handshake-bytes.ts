import type { X509Certificate } from 'node:crypto';

/** Bytes in front of each certificate of a TLS 1.3 Certificate message, and behind it (RFC 8446 §4.4.2). */
const CERTIFICATE_BYTES = 3 + 2;
/** The headers of Certificate and CertificateVerify, and all of Finished with SHA-384. */
const MESSAGES_BYTES = 4 + 1 + 3 + 8 + 52;
/** What is not counted one by one: headers and tags of records, and what a client pads them with. */
const SLACK_BYTES = 512;
/** Bytes of the longest ECDSA signature (P-521), and more than those of EdDSA. */
const SIGNATURE_BYTES = 144;
/** Certificates of authorities that we do not know may be between those that we know and a client's own. */
const CHAIN_BYTES = 4096;

/**
 * Bytes of ciphertext that a client with one of these certificates needs for its part of a handshake at most, ClientHello not
 * counted. A stranger who has more to say has made it up.
 *
 * @param identities the certificate of each principal, with what leads to its issuer where that is there
 * @param authorities those that have issued identities
 */
export function handshakeBytes(identities: readonly (readonly X509Certificate[])[], authorities: readonly X509Certificate[]): number {
  const largest = Math.max(...identities.map((chain) => chainBytes(chain) + signatureBytes(chain[0] as X509Certificate)));
  const chain = authorities.length === 0 ? 0 : chainBytes(authorities) + CHAIN_BYTES;
  return MESSAGES_BYTES + largest + chain + SLACK_BYTES;
}

function chainBytes(chain: readonly X509Certificate[]): number {
  return chain.reduce((sum, { raw }) => sum + raw.length + CERTIFICATE_BYTES, 0);
}

function signatureBytes({ publicKey }: X509Certificate): number {
  return Math.max(SIGNATURE_BYTES, (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}
