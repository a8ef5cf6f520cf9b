/** All cases for a Proxy Attestation Server. The kit is the Server that asks it. */
import type { Case } from '../case.js';
import type { AttestationContext } from './context.js';
import { EVIDENCE_CASES } from './evidence.js';
import { REQUEST_CASES } from './requests.js';

export { AttestationContext, type AttestationTarget } from './context.js';

export const ATTESTATION_CASES: readonly Case<AttestationContext>[] = [...REQUEST_CASES, ...EVIDENCE_CASES];
