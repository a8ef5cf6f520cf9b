/** Checks that bind evidence to one attestation: to its challenge, and to its certificate signing request. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { given, givenBytes } from '../../core/check.js';
import { CertificateRequestError, ChallengeError, InvalidArgumentError } from '../../core/errors.js';

/** Bytes of a challenge, of a runtime hash and of a SHA-256 digest. */
export const CHALLENGE_BYTES = 32;
export const HASH_BYTES = 32;

export function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Compares in constant time, if the lengths are equal. */
export function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Throws `InvalidArgumentError` unless `bytes` has the expected length. */
export function checkLength(name: string, bytes: Buffer, expected: number): void {
  if (givenBytes(name, given(name, bytes)).length === expected) return;
  throw new InvalidArgumentError(`${name} has ${expected} bytes, got ${bytes.length}`, { expected, got: bytes.length });
}

/** Throws `ChallengeError` when the evidence has another challenge. */
export function checkChallenge(got: Buffer, challenge: Buffer): void {
  if (sameBytes(got, challenge)) return;
  throw new ChallengeError(`the evidence answers another challenge (of ${got.length} bytes) than was given`, {
    layer: 'evidence',
    expected: challenge.length,
    got: got.length,
  });
}

/** Throws `CertificateRequestError` when the evidence has none of the `expected` values. */
export function checkRequest(got: Buffer, expected: readonly Buffer[]): void {
  if (expected.some((each) => sameBytes(got, each))) return;
  throw new CertificateRequestError(`the evidence binds another certificate signing request (${got.length} bytes in it) than this one`, {
    layer: 'evidence',
    got: got.length,
  });
}
