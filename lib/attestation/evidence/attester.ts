/** The kinds of evidence that a Proxy Attestation Server accepts: the `protocol` of `StartMsg` (wire spec §F). */
export type AttestationProtocol = 'psa' | 'nitro';

/**
 * Makes the evidence of a Runtime Manager. It is the platform, or a substitute for it.
 */
export interface Attester {
  readonly protocol: AttestationProtocol;
  /**
   * Makes evidence that contains `challenge` (32 bytes) and binds `request` (the CSR, DER). For `psa` it is a COSE_Sign1
   * token with the SHA-256 of the request, for `nitro` a document with the request itself as user_data (wire spec §F).
   */
  attest(challenge: Buffer, request: Buffer): Promise<Buffer>;
}
