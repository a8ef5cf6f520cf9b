/** COSE_Sign1 (RFC 9052 §4.2): one payload, one signature. */
import { type KeyObject, sign, verify } from 'node:crypto';
import { EvidenceSignatureError } from '../../core/errors.js';
import { COSE_SIGN1_TAG, readCbor, Tagged, writeCbor } from './cbor.js';
import { bytesOf, kindOf, malformed, mapOf } from './fields.js';
import { checkSize, type EvidenceLimits, evidenceLimits } from './limits.js';

/** Whether CBOR tag 18 must stand before the array, must not, or may. */
export type Tagging = 'required' | 'forbidden' | 'either';

export type CoseAlgorithm = 'ES256' | 'ES384';

/** Number in the header, digest, curve by OpenSSL's name, and bytes of `r ‖ s` (RFC 9053 §2.1). */
const ALGORITHMS = Object.freeze({
  ES256: { id: -7, digest: 'sha256', curve: 'prime256v1', signatureBytes: 64 },
  ES384: { id: -35, digest: 'sha384', curve: 'secp384r1', signatureBytes: 96 },
});

/** Header labels (RFC 9052 §3.1). */
const ALG = 1;
const CRIT = 2;
const KID = 4;
const NO_HEADER: ReadonlyMap<unknown, unknown> = new Map();

/** A COSE_Sign1 message, read but not verified. */
export interface CoseSign1 {
  /** The protected header, CBOR, as received. */
  readonly protectedHeader: Buffer;
  /** Out of the protected header: −7 is ES256, −35 ES384. */
  readonly algorithm: number;
  /** Of either header, the protected one first. */
  readonly keyId?: Buffer;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** What is signed: the `Sig_structure` around the received bytes. */
  readonly toBeSigned: Buffer;
}

/**
 * Reads one COSE_Sign1 message and no byte more. Its algorithm is the one of the protected header; an `alg` beside it, in the
 * unprotected one, counts for nothing.
 *
 * Throws `LimitError` when it is too large, and `EvidenceError` when it is malformed, has no algorithm, has no payload
 * (detached), asks for extensions (`crit`), or has anything else than `alg` and `kid` in the header that nobody signs.
 */
export function readCoseSign1(bytes: Buffer, options: EvidenceLimits & { tagged: Tagging }): CoseSign1 {
  const { maxEvidenceBytes, maxDepth } = evidenceLimits(options);
  checkSize(bytes, maxEvidenceBytes);
  const message = untag(readCbor(bytes, 'COSE_Sign1', { maxDepth }), options.tagged);
  if (!Array.isArray(message) || message.length !== 4) throw malformed('COSE_Sign1', 'an array of 4', kindOf(message));
  const protectedHeader = bytesOf(message[0], 'the protected header');
  const header =
    protectedHeader.length === 0
      ? NO_HEADER
      : mapOf(readCbor(protectedHeader, 'the protected header', { maxDepth }), 'the protected header');
  const unprotected = mapOf(message[1], 'the unprotected header');
  for (const label of unprotected.keys()) {
    if (label !== ALG && label !== KID) throw malformed('the unprotected header', 'nothing but alg and kid', 'another parameter');
  }
  if (header.has(CRIT)) throw malformed('the protected header', 'no critical parameters', 'crit');
  const algorithm = header.get(ALG);
  if (typeof algorithm !== 'number') throw malformed('the algorithm in the protected header', 'a number', kindOf(algorithm));
  const keyId = header.get(KID) ?? unprotected.get(KID);
  const payload = bytesOf(message[2], 'the payload');
  return {
    protectedHeader,
    algorithm,
    ...(keyId !== undefined && { keyId: bytesOf(keyId, 'the key id') }),
    payload,
    signature: bytesOf(message[3], 'the signature'),
    toBeSigned: sigStructure(protectedHeader, payload),
  };
}

/**
 * Checks that the message says `algorithm` and that `key` signed it so. Throws `EvidenceError` when it says another, and
 * `EvidenceSignatureError` when the signature or the kind of key is not right.
 */
export function verifyCoseSign1(message: CoseSign1, key: KeyObject, algorithm: CoseAlgorithm): void {
  const { id, digest, curve, signatureBytes } = ALGORITHMS[algorithm];
  if (message.algorithm !== id) {
    throw malformed('the algorithm in the protected header', `${id} (${algorithm})`, String(message.algorithm));
  }
  const gotCurve = key.asymmetricKeyDetails?.namedCurve ?? String(key.asymmetricKeyType);
  if (gotCurve !== curve) throw notSigned(`${algorithm} needs a key on ${curve}`, curve, gotCurve);
  const gotBytes = message.signature.length;
  if (gotBytes !== signatureBytes) throw notSigned(`a signature by ${algorithm} has ${signatureBytes} bytes`, signatureBytes, gotBytes);
  if (verify(digest, message.toBeSigned, { key, dsaEncoding: 'ieee-p1363' }, message.signature)) return;
  throw new EvidenceSignatureError('the evidence is not signed by this key', { layer: 'evidence' });
}

function notSigned(rule: string, expected: string | number, got: string | number): EvidenceSignatureError {
  return new EvidenceSignatureError(`${rule}, got ${got}`, { layer: 'evidence', expected, got });
}

/** Signs `payload`. `keyId` goes into the unprotected header; the protected one has the algorithm alone. */
export function makeCoseSign1(
  payload: Buffer,
  key: KeyObject,
  { algorithm, tagged, keyId }: { algorithm: CoseAlgorithm; tagged: boolean; keyId?: Buffer },
): Buffer {
  const { id, digest } = ALGORITHMS[algorithm];
  const header = writeCbor(new Map([[ALG, id]]));
  const unprotected = new Map(keyId === undefined ? [] : [[KID, keyId]]);
  const signature = sign(digest, sigStructure(header, payload), { key, dsaEncoding: 'ieee-p1363' });
  const message = writeCbor([header, unprotected, payload, signature]);
  return tagged ? Buffer.concat([Buffer.of(0xc0 | COSE_SIGN1_TAG), message]) : message;
}

/** RFC 9052 §4.4, without external data. */
function sigStructure(protectedHeader: Buffer, payload: Buffer): Buffer {
  return writeCbor(['Signature1', protectedHeader, Buffer.alloc(0), payload]);
}

function untag(value: unknown, tagged: Tagging): unknown {
  const isTagged = value instanceof Tagged;
  if (tagged === 'required' && !isTagged) throw malformed('COSE_Sign1', `tag ${COSE_SIGN1_TAG}`, kindOf(value));
  if (tagged === 'forbidden' && isTagged) throw malformed('COSE_Sign1', 'no tag', kindOf(value));
  return isTagged ? value.value : value;
}
