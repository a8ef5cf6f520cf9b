import { createHash, timingSafeEqual, type X509Certificate } from 'node:crypto';

const digest = (certificate: X509Certificate) => createHash('sha256').update(certificate.raw).digest();

/**
 * The exact principals of a policy. A peer is a principal when the DER of its leaf equals that of the first certificate of an
 * identity (wire spec §B). A chain that leads to an identity is not enough.
 */
export class Principals {
  readonly #digests: readonly Buffer[];

  /** `leaves`: the first certificate of each identity. */
  constructor(leaves: readonly X509Certificate[]) {
    this.#digests = leaves.map(digest);
  }

  /** The index of the first identity that equals `leaf`, or undefined. Compares SHA-256 of all DERs, in constant time. */
  match(leaf: X509Certificate): number | undefined {
    const own = digest(leaf);
    let found = -1;
    for (let i = this.#digests.length - 1; i >= 0; i--) {
      if (timingSafeEqual(own, this.#digests[i] as Buffer)) found = i;
    }
    return found < 0 ? undefined : found;
  }
}
