/** The kinds of evidence that a Proxy Attestation Server takes: the `protocol` of `StartMsg` (wire spec §F). */
export type AttestationProtocol = 'psa' | 'nitro';

/**
 * What makes the evidence of a Runtime Manager: the platform, or something that stands in for it.
 */
export interface Attester {
  readonly protocol: AttestationProtocol;
  /**
   * Evidence over `challenge` (32 bytes) and `request` (the CSR, DER): for `psa` a COSE_Sign1 token that has its SHA-256,
   * for `nitro` a document that has the request itself as user_data (wire spec §F).
   */
  attest(challenge: Buffer, request: Buffer): Promise<Buffer>;
}
