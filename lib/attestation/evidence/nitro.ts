/** Verifies attestation documents of AWS Nitro Enclaves (wire spec §F). */

import { given, integerInRange, oneOf } from '../../core/check.js';
import { clock } from '../../core/clock.js';
import { EvidenceError, InvalidOptionError } from '../../core/errors.js';
import { CHALLENGE_BYTES, checkChallenge, checkLength, checkRequest, HASH_BYTES, sha256 } from './binding.js';
import { pinnedRoot, verifyChain } from './chain.js';
import { readCoseSign1, verifyCoseSign1 } from './cose.js';
import { malformed } from './fields.js';
import { EVIDENCE_DEFAULTS, type EvidenceLimits, evidenceLimits } from './limits.js';
import { type NitroPayload, nitroPayload } from './nitro-payload.js';
import { AWS_NITRO_ROOT } from './nitro-root.js';

/** Contents of user_data: the certificate signing request in DER (2207), its SHA-256 (head), or either of them. */
export type NitroUserData = 'request' | 'hash' | 'either';
const USER_DATA: readonly NitroUserData[] = ['request', 'hash', 'either'];
const NOTHING = Buffer.alloc(0);

/** Which certificates of a document are trusted. */
export interface NitroTrustOptions extends EvidenceLimits {
  /** The root certificate, PEM or DER, with which `cabundle` must begin. Default `AWS_NITRO_ROOT`. */
  root?: string | Buffer | undefined;
  /** The time at which the certificates must be valid. Default: now. */
  now?: Date | undefined;
  /** Most certificates in `cabundle`, 1 to 64. Default 8; AWS sends 4. */
  maxCertificates?: number | undefined;
}

export interface VerifyNitroOptions extends NitroTrustOptions {
  /** The challenge that was given, 32 bytes. */
  challenge: Buffer;
  /**
   * The certificate signing request, DER. Omit it for a 2207 document, which carries the request itself: it is `userData` of
   * the result.
   */
  request?: Buffer | undefined;
  /** Default `either`. Without a `request`, only `request` is possible and is the default. */
  userData?: NitroUserData | undefined;
  /**
   * Accepts documents of enclaves in debug mode. Their PCR0 is all zero and proves nothing about the program. Default false.
   */
  allowDebug?: boolean | undefined;
}

/** Defaults of `NitroTrustOptions`. */
export const NITRO_DEFAULTS = Object.freeze({ ...EVIDENCE_DEFAULTS, maxCertificates: 8, allowDebug: false });

/** What a Nitro document says, once it has been verified. */
export interface NitroEvidence {
  /** The first 32 bytes of PCR0. */
  readonly runtimeHash: Buffer;
  readonly moduleId: string;
  readonly timestamp: Date;
  /** The platform configuration registers by number: 32, 48 or 64 bytes each. */
  readonly pcrs: ReadonlyMap<number, Buffer>;
  /** The request in DER, or its SHA-256. */
  readonly userData: Buffer;
  readonly publicKey?: Buffer;
}

/**
 * Verifies a document and returns its contents. The document may be untagged or have tag 18. Its leaf certificate must lead
 * to the pinned root and must have signed the document with ES384. The caller must check whether the runtime hash is
 * allowed.
 *
 * Throws, in this order: `LimitError`; `EvidenceError` when the document is malformed; `EvidenceChainError`;
 * `EvidenceSignatureError`; `EvidenceError` for debug mode; `ChallengeError`; `CertificateRequestError`. Throws
 * `InvalidOptionError` and `InvalidArgumentError` for wrong options.
 */
export function verifyNitroDocument(document: Buffer, options: VerifyNitroOptions): NitroEvidence {
  checkLength('a challenge', given('options', options).challenge, CHALLENGE_BYTES);
  const expected = expectedUserData(options);
  const { moduleId, timestamp, pcrs, nonce = NOTHING, userData = NOTHING, publicKey } = authenticateNitro(document, options);
  const pcr0 = pcrs.get(0);
  if (pcr0 === undefined) throw malformed('pcrs', 'PCR0', 'none');
  if (options.allowDebug !== true && pcr0.every((byte) => byte === 0)) {
    throw new EvidenceError('the enclave runs in debug mode: its PCR0 is all zero', { layer: 'nitro', got: pcr0.length });
  }
  checkChallenge(nonce, options.challenge);
  checkRequest(userData, userData.length === 0 ? [] : (expected ?? [userData]));
  return { runtimeHash: pcr0.subarray(0, HASH_BYTES), moduleId, timestamp, pcrs, userData, ...(publicKey && { publicKey }) };
}

/**
 * Reads a document and verifies its certificates and its signature. It does not check the challenge or the certificate
 * signing request. Throws `LimitError`, `EvidenceError`, `EvidenceChainError` and `EvidenceSignatureError`.
 */
export function authenticateNitro(document: Buffer, options: NitroTrustOptions = {}): NitroPayload {
  const { maxDepth } = evidenceLimits(options);
  const maxCertificates = integerInRange('maxCertificates', options.maxCertificates ?? NITRO_DEFAULTS.maxCertificates, 1, 64);
  const root = pinnedRoot(options.root ?? AWS_NITRO_ROOT);
  const now = options.now ?? new Date(clock.now());
  if (Number.isNaN(now.getTime())) throw new InvalidOptionError('now must be a valid date', { got: String(now) });
  const message = readCoseSign1(document, { ...options, tagged: 'either' });
  const payload = nitroPayload(message.payload, { maxDepth, maxCertificates });
  const leafKey = verifyChain(payload.certificate, payload.cabundle, root, now);
  verifyCoseSign1(message, leafKey, 'ES384');
  return payload;
}

/** The permitted values of user_data; undefined when it is the request itself and so is not known beforehand. */
function expectedUserData({ request, userData = request === undefined ? 'request' : 'either' }: VerifyNitroOptions): Buffer[] | undefined {
  oneOf('userData', userData, USER_DATA);
  if (request === undefined) {
    if (userData !== 'request')
      throw new InvalidOptionError(`userData ${userData} needs the request`, { expected: 'request', got: userData });
    return undefined;
  }
  return [...(userData === 'hash' ? [] : [request]), ...(userData === 'request' ? [] : [sha256(request)])];
}
