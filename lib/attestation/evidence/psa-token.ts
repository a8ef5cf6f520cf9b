/** Makes PSA tokens: for the software attester, and for tests. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { oneOf } from '../../core/check.js';
import { privateKeyOf } from '../certificate.js';
import { CHALLENGE_BYTES, checkLength, HASH_BYTES } from './binding.js';
import { writeCbor } from './cbor.js';
import { makeCoseSign1 } from './cose.js';
import { psaKeyId } from './keys.js';
import { CLAIM, COMPONENT, INSTANCE_ID_PREFIX, PSA_SHAPES, type PsaShape } from './psa-claims.js';

export interface NewPsaToken {
  /** Private P-256 key of the device: PEM or object. */
  key: KeyObject | string;
  /** 32 bytes. */
  challenge: Buffer;
  /** 32 bytes. */
  runtimeHash: Buffer;
  /** SHA-256 of the certificate signing request (DER), 32 bytes. */
  requestHash: Buffer;
  shape: PsaShape;
  /** Name of the enclave, 2207 only. Default empty, as the original has it. */
  name?: string | undefined;
}

const PROFILE = 'PSA_IOT_PROFILE_1';
const COMPONENT_TYPE = 'ARoT';
/** "secured", and the rest of a platform that there is none of. */
const LIFECYCLE = 0x3000;
const CLIENT = 1;
const NO_PLATFORM = Buffer.alloc(32);

/**
 * A PSA token: COSE_Sign1 with tag 18, ES256, the algorithm alone in the protected header. The payload of `2207` is, byte by
 * byte, the one whose offsets the original reads (wire spec §F):
 *
 *     a4 3a000124ff 5820 <challenge>     [8..40)
 *        3a000124fd 5820 <runtime hash>  [47..79)
 *        3a00012501 5820 <request hash>  [86..118)
 *        3a000124f8 40                   <name>, here empty
 *
 * Nothing in it tells the device, so its key id stands in the unprotected header; `head` has the instance id.
 *
 * Throws `InvalidArgumentError` for bytes of another length, and `EvidenceError` for another kind of key.
 */
export function makePsaToken(content: NewPsaToken): Buffer {
  const { challenge, runtimeHash, requestHash, shape, name = '' } = content;
  checkLength('a challenge', challenge, CHALLENGE_BYTES);
  checkLength('a runtime hash', runtimeHash, HASH_BYTES);
  checkLength('the hash of a request', requestHash, HASH_BYTES);
  oneOf('shape', shape, PSA_SHAPES);
  const key = privateKeyOf(content.key);
  const keyId = psaKeyId(createPublicKey(key));
  if (shape === '2207') {
    const claims = new Map([
      [CLAIM.nonce, challenge],
      [CLAIM.software, runtimeHash],
      [CLAIM.requestHash, requestHash],
      [CLAIM.client, Buffer.from(name)],
    ]);
    return makeCoseSign1(writeCbor(claims), key, { algorithm: 'ES256', tagged: true, keyId });
  }
  const claims = new Map<number, unknown>([
    [CLAIM.profile, PROFILE],
    [CLAIM.client, CLIENT],
    [CLAIM.lifecycle, LIFECYCLE],
    [CLAIM.implementationId, NO_PLATFORM],
    [CLAIM.bootSeed, NO_PLATFORM],
    [CLAIM.software, [componentOf(runtimeHash, requestHash)]],
    [CLAIM.nonce, challenge],
    [CLAIM.instanceId, Buffer.concat([Buffer.of(INSTANCE_ID_PREFIX), keyId])],
  ]);
  return makeCoseSign1(writeCbor(claims), key, { algorithm: 'ES256', tagged: true });
}

/** head puts the request where a signer's id belongs (wire spec §F). */
function componentOf(runtimeHash: Buffer, requestHash: Buffer): Map<number, unknown> {
  return new Map<number, unknown>([
    [COMPONENT.type, COMPONENT_TYPE],
    [COMPONENT.value, runtimeHash],
    [COMPONENT.signerId, requestHash],
  ]);
}
