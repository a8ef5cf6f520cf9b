/** Attestation documents of AWS Nitro Enclaves (wire spec §F). */
import { integerInRange, oneOf } from '../../core/check.js';
import { EvidenceError, InvalidOptionError } from '../../core/errors.js';
import { CHALLENGE_BYTES, checkChallenge, checkLength, checkRequest, HASH_BYTES, sha256 } from './binding.js';
import { pinnedRoot, verifyChain } from './chain.js';
import { readCoseSign1, verifyCoseSign1 } from './cose.js';
import { malformed } from './fields.js';
import { EVIDENCE_DEFAULTS, type EvidenceLimits, evidenceLimits } from './limits.js';
import { type NitroPayload, nitroPayload } from './nitro-payload.js';
import { AWS_NITRO_ROOT } from './nitro-root.js';

/** What user_data is: the request in DER (2207), its SHA-256 (head), or one of the two. */
export type NitroUserData = 'request' | 'hash' | 'either';
const USER_DATA: readonly NitroUserData[] = ['request', 'hash', 'either'];
const NOTHING = Buffer.alloc(0);

/** How far a document is trusted. */
export interface NitroTrustOptions extends EvidenceLimits {
  /** The one certificate, PEM or DER, that `cabundle` must begin with. Default `AWS_NITRO_ROOT`. */
  root?: string | Buffer | undefined;
  /** When the certificates must hold. Default: now. */
  now?: Date | undefined;
  /** Certificates in `cabundle`, 1 to 64. Default 8; AWS has 4. */
  maxCertificates?: number | undefined;
}

export interface VerifyNitroOptions extends NitroTrustOptions {
  /** The challenge that was given, 32 bytes. */
  challenge: Buffer;
  /**
   * The certificate signing request, DER. A 2207 document carries the request itself, and none comes beside it: leave this out,
   * and take `userData` of the result for it.
   */
  request?: Buffer | undefined;
  /** Default `either`; without a `request` only `request`. */
  userData?: NitroUserData | undefined;
  /** Takes the documents of enclaves in debug mode, whose PCR0 is all zero: they prove nothing of the program. Default false. */
  allowDebug?: boolean | undefined;
}

export const NITRO_DEFAULTS = Object.freeze({ ...EVIDENCE_DEFAULTS, maxCertificates: 8, allowDebug: false });

export interface NitroEvidence {
  /** The first 32 bytes of PCR0. */
  readonly runtimeHash: Buffer;
  readonly moduleId: string;
  readonly timestamp: Date;
  /** Register by number: 32, 48 or 64 bytes. */
  readonly pcrs: ReadonlyMap<number, Buffer>;
  /** The request or its hash. */
  readonly userData: Buffer;
  readonly publicKey?: Buffer;
}

/**
 * Verifies a document: untagged or with tag 18, ES384 by its leaf certificate, which leads to the pinned root. Gives what it
 * says. Whether its runtime hash is an allowed one is for the caller to say.
 *
 * Throws, in this order, `LimitError`; `EvidenceError` when it is none; `EvidenceChainError`; `EvidenceSignatureError`;
 * `EvidenceError` for debug mode; `ChallengeError`; `CertificateRequestError`. `InvalidOptionError` and `InvalidArgumentError`
 * for what the caller did wrong.
 */
export function verifyNitroDocument(document: Buffer, options: VerifyNitroOptions): NitroEvidence {
  checkLength('a challenge', options.challenge, CHALLENGE_BYTES);
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
 * The part of it that needs nobody to have asked: reads a document, and checks its certificates and its signature.
 * Throws `LimitError`, `EvidenceError`, `EvidenceChainError` and `EvidenceSignatureError`.
 */
export function authenticateNitro(document: Buffer, options: NitroTrustOptions = {}): NitroPayload {
  const { maxDepth } = evidenceLimits(options);
  const maxCertificates = integerInRange('maxCertificates', options.maxCertificates ?? NITRO_DEFAULTS.maxCertificates, 1, 64);
  const root = pinnedRoot(options.root ?? AWS_NITRO_ROOT);
  const now = options.now ?? new Date();
  if (Number.isNaN(now.getTime())) throw new InvalidOptionError('now must be a valid date', { got: String(now) });
  const message = readCoseSign1(document, { ...options, tagged: 'either' });
  const payload = nitroPayload(message.payload, { maxDepth, maxCertificates });
  const leafKey = verifyChain(payload.certificate, payload.cabundle, root, now);
  verifyCoseSign1(message, leafKey, 'ES384');
  return payload;
}

/** What user_data may be; undefined when it is the request itself, which nobody has seen yet. */
function expectedUserData({ request, userData = request === undefined ? 'request' : 'either' }: VerifyNitroOptions): Buffer[] | undefined {
  oneOf('userData', userData, USER_DATA);
  if (request === undefined) {
    if (userData !== 'request')
      throw new InvalidOptionError(`userData ${userData} needs the request`, { expected: 'request', got: userData });
    return undefined;
  }
  return [...(userData === 'hash' ? [] : [request]), ...(userData === 'request' ? [] : [sha256(request)])];
}
