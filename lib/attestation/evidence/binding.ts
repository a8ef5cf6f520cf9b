/** What ties evidence to one attestation: the challenge that it answers, and the certificate signing request that it speaks for. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { CertificateRequestError, ChallengeError, InvalidArgumentError } from '../../core/errors.js';

/** Bytes of a challenge, of a runtime hash and of a SHA-256 digest. */
export const CHALLENGE_BYTES = 32;
export const HASH_BYTES = 32;

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Takes the same time wherever the bytes differ. */
export function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Throws `InvalidArgumentError` when a caller's `bytes` are not of the one length that they must have. */
export function checkLength(name: string, bytes: Buffer, expected: number): void {
  if (bytes.length === expected) return;
  throw new InvalidArgumentError(`${name} has ${expected} bytes, got ${bytes.length}`, { expected, got: bytes.length });
}

/** Throws `ChallengeError` when the evidence answers another challenge. */
export function checkChallenge(got: Buffer, challenge: Buffer): void {
  if (sameBytes(got, challenge)) return;
  throw new ChallengeError(`the evidence answers another challenge (of ${got.length} bytes) than was given`, {
    layer: 'evidence',
    expected: challenge.length,
    got: got.length,
  });
}

/** Throws `CertificateRequestError` when none of `expected` is what the evidence has. */
export function checkRequest(got: Buffer, expected: readonly Buffer[]): void {
  if (expected.some((each) => sameBytes(got, each))) return;
  throw new CertificateRequestError(`the evidence binds another certificate signing request (${got.length} bytes in it) than this one`, {
    layer: 'evidence',
    got: got.length,
  });
}
