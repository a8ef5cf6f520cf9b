/** What is wrong with a target is told before the kit takes a port, connects, or has a peer started. */
import { optionsOf } from '../core/check.js';
import { InvalidOptionError } from '../core/errors.js';
import { readPolicy } from '../enclave/policy/index.js';
import { readPrivateKey } from '../layers/formats/private-key.js';
import { addressText } from '../transports/address.js';
import type { Target } from './index.js';
import type { Material } from './material.js';

const LAYER = 'conformance';
const HASH_BYTES = 32;

/** @throws InvalidOptionError for an address or a part of the material that is none; PolicyError */
export function checkTarget(target: Target): void {
  optionsOf(LAYER, () => {
    // Where a peer speaks HTTP, the kit connects to it by TCP.
    addressText('address', target.address.replace(/^http:/, 'tcp:').replace(/\/$/, ''));
    if (target.role === 'server') {
      addressText('manager', target.manager);
      if (target.attestation !== undefined) addressText('attestation', target.attestation);
    }
    if (target.role === 'client' && target.material.policy === undefined) {
      throw new InvalidOptionError('to try a client, a policy is needed (--policy or --material)', { expected: 'policy' });
    }
    checkMaterial(target.material);
  });
}

function checkMaterial({ policy, runtimeHash, deviceKey }: Material): void {
  if (policy !== undefined) readPolicy(policy);
  if (deviceKey !== undefined) readPrivateKey('deviceKey', deviceKey, LAYER);
  if (runtimeHash !== undefined && runtimeHash.length !== HASH_BYTES) {
    throw new InvalidOptionError(`runtimeHash has 32 bytes, 64 hexadecimal digits; got ${runtimeHash.length} bytes`, {
      expected: HASH_BYTES,
      got: runtimeHash.length,
    });
  }
}
