/** Makes PSA tokens, for the software attester and for tests. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { given, oneOf } from '../../core/check.js';
import { privateKeyOf } from '../certificate.js';
import { CHALLENGE_BYTES, checkLength, HASH_BYTES } from './binding.js';
import { writeCbor } from './cbor.js';
import { makeCoseSign1 } from './cose.js';
import { psaKeyId } from './keys.js';
import { CLAIM, COMPONENT, INSTANCE_ID_PREFIX, PSA_SHAPES, type PsaShape } from './psa-claims.js';

/** What `makePsaToken` makes a token of. */
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
  /** Name of the enclave, 2207 only. Default empty, as in the original. */
  name?: string | undefined;
}

const PROFILE = 'PSA_IOT_PROFILE_1';
const COMPONENT_TYPE = 'ARoT';
/** Fixed claims, since there is no real platform: the lifecycle "secured", client 1, and zeros. */
const LIFECYCLE = 0x3000;
const CLIENT = 1;
const NO_PLATFORM = Buffer.alloc(32);

/**
 * Makes a PSA token: COSE_Sign1 with tag 18, ES256, and only the algorithm in the protected header. The original reads the
 * `2207` payload at fixed offsets (wire spec §F), so its bytes must be exactly these:
 *
 *     a4 3a000124ff 5820 <challenge>     [8..40)
 *        3a000124fd 5820 <runtime hash>  [47..79)
 *        3a00012501 5820 <request hash>  [86..118)
 *        3a000124f8 40                   <name>, here empty
 *
 * The `2207` payload does not name the device, so the key id is in the unprotected header. A `head` payload has the instance
 * id.
 *
 * Throws `InvalidArgumentError` for a wrong length, and `EvidenceError` for another kind of key.
 */
export function makePsaToken(content: NewPsaToken): Buffer {
  const { challenge, runtimeHash, requestHash, shape, name = '' } = given('content', content);
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

/** The software component of `head`. It has the hash of the request in place of the signer's id (wire spec §F). */
function componentOf(runtimeHash: Buffer, requestHash: Buffer): Map<number, unknown> {
  return new Map<number, unknown>([
    [COMPONENT.type, COMPONENT_TYPE],
    [COMPONENT.value, runtimeHash],
    [COMPONENT.signerId, requestHash],
  ]);
}
