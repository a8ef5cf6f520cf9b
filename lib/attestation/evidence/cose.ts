/** COSE_Sign1 messages (RFC 9052 §4.2): one payload with one signature. */

import { type KeyObject, sign, verify } from 'node:crypto';
import { givenBytes } from '../../core/check.js';
import { EvidenceSignatureError } from '../../core/errors.js';
import { COSE_SIGN1_TAG, readCbor, Tagged, writeCbor } from './cbor.js';
import { bytesOf, kindOf, malformed, mapOf } from './fields.js';
import { checkSize, type EvidenceLimits, evidenceLimits } from './limits.js';

/** Whether the message must have CBOR tag 18 (`required`), must not have it (`forbidden`), or may (`either`). */
export type Tagging = 'required' | 'forbidden' | 'either';

export type CoseAlgorithm = 'ES256' | 'ES384';

/** Number in the header, digest, OpenSSL's name of the curve, and bytes of the signature `r ‖ s` (RFC 9053 §2.1). */
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
  /** The protected header as received, CBOR. */
  readonly protectedHeader: Buffer;
  /** From the protected header: −7 is ES256, −35 is ES384. */
  readonly algorithm: number;
  /** From the protected header or else the unprotected one. */
  readonly keyId?: Buffer;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** The signed bytes: the `Sig_structure` around the received header and payload. */
  readonly toBeSigned: Buffer;
}

/**
 * Reads one COSE_Sign1 message, after which no byte may follow. The algorithm is taken from the protected header; an `alg` in
 * the unprotected header is ignored.
 *
 * Throws `LimitError` when the message is too large. Throws `EvidenceError` when it is malformed, has no algorithm, has a
 * detached payload, asks for extensions (`crit`), or has parameters other than `alg` and `kid` in its unprotected header.
 */
export function readCoseSign1(bytes: Buffer, options: EvidenceLimits & { tagged: Tagging }): CoseSign1 {
  const { maxEvidenceBytes, maxDepth } = evidenceLimits(options);
  const evidence = givenBytes('the evidence', bytes);
  checkSize(evidence, maxEvidenceBytes);
  const message = untag(readCbor(evidence, 'COSE_Sign1', { maxDepth }), options.tagged);
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
 * Verifies that `key` signed the message with `algorithm`. Throws `EvidenceError` when the message names another algorithm,
 * and `EvidenceSignatureError` when the signature or the kind of key is wrong.
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

/** Signs `payload`. The protected header has only the algorithm; `keyId` goes into the unprotected header. */
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

/** The bytes to sign: `Sig_structure` of RFC 9052 §4.4, without external data. */
function sigStructure(protectedHeader: Buffer, payload: Buffer): Buffer {
  return writeCbor(['Signature1', protectedHeader, Buffer.alloc(0), payload]);
}

function untag(value: unknown, tagged: Tagging): unknown {
  const isTagged = value instanceof Tagged;
  if (tagged === 'required' && !isTagged) throw malformed('COSE_Sign1', `tag ${COSE_SIGN1_TAG}`, kindOf(value));
  if (tagged === 'forbidden' && isTagged) throw malformed('COSE_Sign1', 'no tag', kindOf(value));
  return isTagged ? value.value : value;
}
