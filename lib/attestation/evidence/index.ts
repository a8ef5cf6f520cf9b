/**
 * Evidence: a platform's signed statement about the Runtime Manager that runs on it. Made and verified here (wire spec §F).
 */
export type { AttestationProtocol, Attester } from './attester.js';
export { type CoseSign1, readCoseSign1, type Tagging } from './cose.js';
export { psaKeyId, psaPoint } from './keys.js';
export { EVIDENCE_DEFAULTS, type EvidenceLimits } from './limits.js';
export { measureRuntime } from './measure.js';
export {
  authenticateNitro,
  NITRO_DEFAULTS,
  type NitroEvidence,
  type NitroTrustOptions,
  type NitroUserData,
  type VerifyNitroOptions,
  verifyNitroDocument,
} from './nitro.js';
export { InsecureNitroAttester, type InsecureNitroOptions } from './nitro-attester.js';
export { makeNitroDocument, type NewNitroDocument } from './nitro-document.js';
export type { NitroPayload } from './nitro-payload.js';
export { AWS_NITRO_ROOT, AWS_NITRO_ROOT_FINGERPRINT } from './nitro-root.js';
export { readPsaClaims, type VerifyPsaOptions, verifyDeviceToken, verifyPsaToken } from './psa.js';
export type { PsaClaims, PsaShape } from './psa-claims.js';
export { makePsaToken, type NewPsaToken } from './psa-token.js';
export { InsecureSoftwareAttester, type InsecureSoftwareOptions } from './software-attester.js';
