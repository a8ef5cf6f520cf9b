import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Authority, makeAuthority } from '../../attestation/authority.js';
import { InsecureSoftwareAttester } from '../../attestation/evidence/index.js';
import { type Identity, makeIdentity } from '../../attestation/identity.js';
import { createPolicy } from '../../enclave/policy/index.js';
import { PROGRAM, PROGRAM_RIGHTS } from './computation.js';

/** Name of Bob's file at the manager. The program has no right to read it. */
export const TRANSFER_NAME = '/transfer/demo';
const DAY_MS = 86_400_000;

/** Keys and certificates that a run needs before its processes start. */
export interface Stage {
  /** The demo's own certificate authority. The attestation server issues certificates with it. */
  readonly authority: Authority;
  /** File with the device's private key. Whoever can read it can make evidence. */
  readonly deviceKeyFile: string;
  /** The device's public key, PEM. */
  readonly deviceKey: string;
  /** Runtime hash of this code, 64 hex digits. (The manager measures itself again.) */
  readonly runtimeHash: string;
  readonly alice: Identity;
  readonly bob: Identity;
}

/** Makes the keys and certificates of a run. The device's key is written to `folder`. */
export async function setStage(folder: string): Promise<Stage> {
  const deviceKeyFile = join(folder, 'device.key');
  const device = await InsecureSoftwareAttester.open({ keyFile: deviceKeyFile });
  return {
    authority: makeAuthority({ commonName: 'veracruz-streams demo authority' }),
    deviceKeyFile,
    deviceKey: device.publicKeyPem,
    runtimeHash: device.runtimeHash.toString('hex'),
    alice: makeIdentity({ commonName: 'alice' }),
    bob: makeIdentity({ commonName: 'bob' }),
  };
}

/**
 * Writes the policy of a run. Alice may write the program and one list, Bob another list. Neither can read the other's list.
 * Both can run the program and read its result; the policy pins the program's contents. Only Bob may use `/transfer/`.
 */
export function writePolicy(folder: string, stage: Stage, attestationUrl: string, module: Buffer): { path: string; text: string } {
  const text = createPolicy({
    identities: [
      { certificate: stage.alice.certificate, capabilities: '/program/:wx,/first/:w,/output/:r' },
      { certificate: stage.bob.certificate, capabilities: '/program/:x,/second/:w,/output/:r,/transfer/:rw' },
    ],
    programs: [{ name: PROGRAM, sha256: createHash('sha256').update(module).digest('hex'), capabilities: PROGRAM_RIGHTS }],
    // The Server's port is not known yet. The clients get the real URL later, so this one is not used.
    serverUrl: '127.0.0.1:3011',
    attestationUrl: new URL(attestationUrl).host,
    authority: stage.authority.certificate,
    certificateExpiry: new Date(Date.now() + DAY_MS),
    runtimeHashes: { linux: stage.runtimeHash },
    // The fastest suite on processors with AES instructions, unlike the default of createPolicy.
    cipherSuite: 'TLS1_3_AES_256_GCM_SHA384',
  });
  const path = join(folder, 'policy.json');
  writeFileSync(path, text, { mode: 0o600 });
  return { path, text };
}
