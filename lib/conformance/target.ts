/** The peer that is tried. What is wrong with what is said of it is told before the kit takes a port or connects. */
import { optionsOf } from '../core/check.js';
import { InvalidOptionError } from '../core/errors.js';
import { readPolicy } from '../enclave/policy/index.js';
import { readPrivateKey } from '../layers/formats/private-key.js';
import { addressText, isConnectAddress, parseAddress } from '../transports/address.js';
import type { AttestationTarget } from './attestation/index.js';
import type { ClientTarget } from './client/index.js';
import type { ManagerTarget } from './manager/index.js';
import type { Material } from './material.js';
import type { ServerTarget } from './server/index.js';

const LAYER = 'conformance';
const HASH_BYTES = 32;

/** The peer that is tried: which role, where, and what it was started with. */
export type Target =
  | ({ readonly role: 'server' } & ServerTarget)
  | ({ readonly role: 'manager' } & ManagerTarget)
  | ({ readonly role: 'client' } & ClientTarget)
  | ({ readonly role: 'attestation' } & AttestationTarget);

/**
 * Looks at the address of a peer. Where it speaks HTTP, the kit connects to it by TCP.
 *
 * @throws InvalidOptionError
 */
export function checkPeerAddress(address: string): void {
  optionsOf(LAYER, () => {
    const text = addressText('address', address.replace(/^http:/, 'tcp:').replace(/\/$/, ''));
    if (!isConnectAddress(parseAddress(text))) throw new InvalidOptionError(`${address} is no address to connect to`, { got: address });
  });
}

/** @throws InvalidOptionError for an address or a part of the material that is none; PolicyError */
export function checkTarget(target: Target): void {
  optionsOf(LAYER, () => {
    // Where a Server listens may be known only when it is started, which is when the kit listens.
    if (target.role === 'client') addressText('address', target.address);
    else if (target.role !== 'server') checkPeerAddress(target.address);
    else {
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
