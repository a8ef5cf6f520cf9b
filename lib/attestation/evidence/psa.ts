/** Verifies PSA tokens, and other tokens that a device key signed (wire spec §F). */
import type { KeyObject } from 'node:crypto';
import { given } from '../../core/check.js';
import { EvidenceSignatureError } from '../../core/errors.js';
import { CHALLENGE_BYTES, checkChallenge, checkLength, checkRequest, sameBytes, sha256 } from './binding.js';
import { type CoseSign1, readCoseSign1, verifyCoseSign1 } from './cose.js';
import { psaKeyId, psaPublicKey } from './keys.js';
import { type EvidenceLimits, evidenceLimits } from './limits.js';
import { claimsOf, type PsaClaims } from './psa-claims.js';

/** What a PSA token is compared with. */
export interface VerifyPsaOptions extends EvidenceLimits {
  /** The device's public key: its 65-byte point, PEM, or a key object. */
  publicKey: Buffer | string | KeyObject;
  /** The challenge that was given, 32 bytes. */
  challenge: Buffer;
  /** The certificate signing request, DER. Only its SHA-256 is compared. */
  request: Buffer;
}

/**
 * Verifies a PSA token (COSE_Sign1, tag 18, ES256, either shape of payload) and returns its claims. The caller must check
 * whether the runtime hash is allowed.
 *
 * Throws, in this order: `LimitError`; `EvidenceError` when the token is malformed; `EvidenceSignatureError` when
 * `publicKey` did not sign the token, or the token names another key; `ChallengeError` for another challenge;
 * `CertificateRequestError` for another request. Throws `InvalidArgumentError` when `challenge` has a wrong length.
 */
export function verifyPsaToken(token: Buffer, options: VerifyPsaOptions): PsaClaims {
  checkLength('a challenge', given('options', options).challenge, CHALLENGE_BYTES);
  const publicKey = psaPublicKey(options.publicKey);
  const message = readCoseSign1(token, { ...options, tagged: 'required' });
  verifyCoseSign1(message, publicKey, 'ES256');
  const claims = readClaims(message, options);
  const keyId = psaKeyId(publicKey);
  for (const named of [message.keyId, claims.keyId]) {
    if (named === undefined || sameBytes(named, keyId)) continue;
    throw new EvidenceSignatureError(`the token names another key (id of ${named.length} bytes) than signed it`, {
      layer: 'psa',
      expected: keyId.length,
      got: named.length,
    });
  }
  checkChallenge(claims.challenge, options.challenge);
  checkRequest(claims.requestHash, [sha256(options.request)]);
  return claims;
}

/**
 * Reads the claims of a token without verifying it. Use this only to find the key to verify it with (`keyId`).
 * Throws `LimitError` and `EvidenceError`.
 */
export function readPsaClaims(token: Buffer, limits: EvidenceLimits = {}): PsaClaims {
  return readClaims(readCoseSign1(token, { ...limits, tagged: 'required' }), limits);
}

/**
 * Verifies a COSE_Sign1 token (with tag 18 or without) that a device signed with ES256, and returns its payload, as
 * `/VerifyPAT` does. `publicKey` is the uncompressed P-256 point, 65 bytes. The payload is not examined. Throws
 * `LimitError`, `EvidenceError` when the token or key is malformed, and `EvidenceSignatureError`.
 */
export function verifyDeviceToken(token: Buffer, publicKey: Buffer, limits: EvidenceLimits = {}): Buffer {
  const message = readCoseSign1(token, { ...limits, tagged: 'either' });
  verifyCoseSign1(message, psaPublicKey(publicKey), 'ES256');
  return message.payload;
}

function readClaims(message: CoseSign1, limits: EvidenceLimits): PsaClaims {
  return claimsOf(message.payload, message.keyId, evidenceLimits(limits).maxDepth);
}
