/** The claims of PSA tokens, in the two formats ("shapes") that Veracruz has used (wire spec §F). */
import { CHALLENGE_BYTES, HASH_BYTES } from './binding.js';
import { readCbor } from './cbor.js';
import { bytesOf, integerOf, kindOf, malformed, mapOf, textOf } from './fields.js';

export const PSA_SHAPES = ['2207', 'head'] as const;
/** `2207`: the map of four claims of that release; `head`: the claims of a standard PSA token. */
export type PsaShape = (typeof PSA_SHAPES)[number];

/** Labels of the first profile of PSA tokens. The 2207 shape gives four of them other meanings. */
export const CLAIM = Object.freeze({
  /** head: name of the profile, text. Not in 2207. */
  profile: -75000,
  /** head: the caller's partition, a number. 2207: name of the enclave, bytes. */
  client: -75001,
  lifecycle: -75002,
  implementationId: -75003,
  bootSeed: -75004,
  /** head: an array of one component. 2207: the runtime hash, bytes. */
  software: -75006,
  nonce: -75008,
  instanceId: -75009,
  /** 2207: SHA-256 of the request. */
  requestHash: -75010,
});

/** Keys of a software component. */
export const COMPONENT = Object.freeze({ type: 1, value: 2, signerId: 5 });

/** First byte of an instance id. The SHA-256 of the device key follows it. */
export const INSTANCE_ID_PREFIX = 0x01;

/** The claims of a token. They are verified only if they come from `verifyPsaToken`, not from `readPsaClaims`. */
export interface PsaClaims {
  readonly shape: PsaShape;
  /** 32 bytes. */
  readonly runtimeHash: Buffer;
  /** 32 bytes. */
  readonly challenge: Buffer;
  /** SHA-256 of the certificate signing request (DER), 32 bytes. */
  readonly requestHash: Buffer;
  /** 33 bytes: `01` and the key id. head only. */
  readonly instanceId?: Buffer;
  /** Name of the enclave, often empty. 2207 only. */
  readonly name?: string;
  /** Id of the key that the token names as its signer: from its instance id, or else the `kid` of its header. */
  readonly keyId?: Buffer;
}

/**
 * Reads a payload. Throws `EvidenceError` when a claim is missing or has a wrong type or size. Ignores unknown labels.
 *
 * In `head`, the profile, client, lifecycle, implementation id and boot seed are optional. Only their types are checked,
 * because the original writes fixed values (wire spec §F). So the lifecycle does not tell whether the device can be
 * debugged.
 */
export function claimsOf(payload: Buffer, headerKeyId: Buffer | undefined, maxDepth: number): PsaClaims {
  const claims = mapOf(readCbor(payload, 'the claims', { maxDepth }), 'the claims');
  const challenge = bytesOf(claims.get(CLAIM.nonce), 'the challenge', CHALLENGE_BYTES);
  if (Array.isArray(claims.get(CLAIM.software))) return { challenge, ...headClaims(claims) };
  return {
    shape: '2207',
    challenge,
    runtimeHash: bytesOf(claims.get(CLAIM.software), 'the runtime hash', HASH_BYTES),
    requestHash: bytesOf(claims.get(CLAIM.requestHash), 'the hash of the request', HASH_BYTES),
    name: nameOf(claims.get(CLAIM.client)),
    ...(headerKeyId && { keyId: headerKeyId }),
  };
}

function headClaims(claims: ReadonlyMap<unknown, unknown>): Omit<PsaClaims, 'challenge'> {
  const components = claims.get(CLAIM.software) as unknown[];
  if (components.length !== 1) throw malformed('the software components', 'one', kindOf(components));
  const component = mapOf(components[0], 'the software component');
  if (component.has(COMPONENT.type)) textOf(component.get(COMPONENT.type), 'the measurement type');
  const optional = (label: number, read: (claim: unknown, what: string) => unknown, what: string): void => {
    if (claims.has(label)) read(claims.get(label), what);
  };
  optional(CLAIM.profile, textOf, 'the profile');
  optional(CLAIM.client, integerOf, 'the client');
  optional(CLAIM.lifecycle, integerOf, 'the lifecycle');
  optional(CLAIM.implementationId, bytesOf, 'the implementation id');
  optional(CLAIM.bootSeed, bytesOf, 'the boot seed');
  const instanceId = bytesOf(claims.get(CLAIM.instanceId), 'the instance id', 1 + HASH_BYTES);
  if (instanceId[0] !== INSTANCE_ID_PREFIX) throw malformed('the instance id', '01 first', `${instanceId[0]}`);
  return {
    shape: 'head',
    runtimeHash: bytesOf(component.get(COMPONENT.value), 'the measurement', HASH_BYTES),
    requestHash: bytesOf(component.get(COMPONENT.signerId), 'the signer id', HASH_BYTES),
    instanceId,
    keyId: instanceId.subarray(1),
  };
}

/**
 * Reads the name, which the original writes as bytes. Invalid UTF-8 is refused, because logs and the registry get the name.
 */
function nameOf(claim: unknown): string {
  const bytes = bytesOf(claim, 'the name');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed('the name', 'UTF-8', kindOf(bytes));
  }
}
