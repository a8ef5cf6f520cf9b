/** Limits on evidence, which bound the cost of reading it before it is verified. */
import { givenRecord, integerInRange } from '../../core/check.js';
import { LimitError } from '../../core/errors.js';

/** What bounds evidence that is read. */
export interface EvidenceLimits {
  /** Most bytes of a token or document, checked before any of it is read: 1 to 16 MiB. Default 64 KiB. */
  maxEvidenceBytes?: number | undefined;
  /** Most nested levels of CBOR arrays, maps and tags: 1 to 256. Default 32. */
  maxDepth?: number | undefined;
}

/** Defaults of `EvidenceLimits`. */
export const EVIDENCE_DEFAULTS = Object.freeze({ maxEvidenceBytes: 65_536, maxDepth: 32 });

/** The limits with their defaults. Throws `InvalidOptionError`. */
export function evidenceLimits(limits: EvidenceLimits): { maxEvidenceBytes: number; maxDepth: number } {
  givenRecord('options', limits);
  return {
    maxEvidenceBytes: integerInRange('maxEvidenceBytes', limits.maxEvidenceBytes ?? EVIDENCE_DEFAULTS.maxEvidenceBytes, 1, 16_777_216),
    maxDepth: integerInRange('maxDepth', limits.maxDepth ?? EVIDENCE_DEFAULTS.maxDepth, 1, 256),
  };
}

/** Throws `LimitError` when the evidence is too large. */
export function checkSize(evidence: Buffer, maxEvidenceBytes: number): void {
  if (evidence.length <= maxEvidenceBytes) return;
  throw new LimitError(`evidence of ${evidence.length} bytes, ${maxEvidenceBytes} at most`, {
    layer: 'evidence',
    got: evidence.length,
    limit: maxEvidenceBytes,
  });
}
