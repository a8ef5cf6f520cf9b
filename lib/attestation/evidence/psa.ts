/** PSA tokens, and what else a device key signs: verified with the key that the registry has (wire spec §F). */
import type { KeyObject } from 'node:crypto';
import { EvidenceSignatureError } from '../../core/errors.js';
import { CHALLENGE_BYTES, checkChallenge, checkLength, checkRequest, sameBytes, sha256 } from './binding.js';
import { type CoseSign1, readCoseSign1, verifyCoseSign1 } from './cose.js';
import { psaKeyId, psaPublicKey } from './keys.js';
import { type EvidenceLimits, evidenceLimits } from './limits.js';
import { claimsOf, type PsaClaims } from './psa-claims.js';

export interface VerifyPsaOptions extends EvidenceLimits {
  /** The device's public key: its 65-byte point, PEM, or a key object. */
  publicKey: Buffer | string | KeyObject;
  /** The challenge that was given, 32 bytes. */
  challenge: Buffer;
  /** The certificate signing request, DER. Only its SHA-256 is looked at here. */
  request: Buffer;
}

/**
 * Verifies a PSA token (COSE_Sign1, tag 18, ES256, either shape of payload) and gives its claims. Whether its runtime hash is
 * an allowed one is for the caller to say.
 *
 * Throws, in this order, `LimitError`; `EvidenceError` when it is none; `EvidenceSignatureError` when `publicKey` did not sign
 * it or it names another key; `ChallengeError` when it answers another challenge; `CertificateRequestError` when it binds
 * another request. `InvalidArgumentError` when the challenge is none.
 */
export function verifyPsaToken(token: Buffer, options: VerifyPsaOptions): PsaClaims {
  checkLength('a challenge', options.challenge, CHALLENGE_BYTES);
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
 * The claims of a token that nobody has verified: to find the key that must have signed it (`keyId`), and for nothing else.
 * Throws `LimitError` and `EvidenceError`.
 */
export function readPsaClaims(token: Buffer, limits: EvidenceLimits = {}): PsaClaims {
  return readClaims(readCoseSign1(token, { ...limits, tagged: 'required' }), limits);
}

/**
 * The payload of a COSE_Sign1 token (with tag 18 or without) that a device signed by ES256: what `/VerifyPAT` answers. `publicKey`
 * is its uncompressed P-256 point, 65 bytes. Nothing in the payload is looked at.
 * Throws `LimitError`, `EvidenceError` when token or key is none, and `EvidenceSignatureError`.
 */
export function verifyDeviceToken(token: Buffer, publicKey: Buffer, limits: EvidenceLimits = {}): Buffer {
  const message = readCoseSign1(token, { ...limits, tagged: 'either' });
  verifyCoseSign1(message, psaPublicKey(publicKey), 'ES256');
  return message.payload;
}

function readClaims(message: CoseSign1, limits: EvidenceLimits): PsaClaims {
  return claimsOf(message.payload, message.keyId, evidenceLimits(limits).maxDepth);
}
