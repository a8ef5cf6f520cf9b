import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Authority, makeAuthority } from '../../attestation/authority.js';
import { InsecureSoftwareAttester } from '../../attestation/evidence/index.js';
import { type Identity, makeIdentity } from '../../attestation/identity.js';
import { createPolicy } from '../../enclave/policy/index.js';
import { PROGRAM, PROGRAM_RIGHTS } from './computation.js';

/** Where Bob's file goes at the manager: the program does not see it. */
export const TRANSFER_NAME = '/transfer/demo';
const DAY_MS = 86_400_000;

/** What a run has before its processes are there. */
export interface Stage {
  /** The demo's own certificate authority, which the attestation server issues with. */
  readonly authority: Authority;
  /** The device's key: whoever has the file can attest. */
  readonly deviceKeyFile: string;
  /** Its public key, PEM. */
  readonly deviceKey: string;
  /** What this code is measured as, 64 hex digits. (The manager measures itself.) */
  readonly runtimeHash: string;
  readonly alice: Identity;
  readonly bob: Identity;
}

/** Makes the keys and certificates of a run; `folder` gets the device's key. */
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
 * Writes the policy of a run: Alice brings the program and a list, Bob another list, and a file that is nobody else's.
 * Neither can read the other one's list; both can run the program, which is pinned, and read its result.
 */
export function writePolicy(folder: string, stage: Stage, attestationUrl: string, module: Buffer): { path: string; text: string } {
  const text = createPolicy({
    identities: [
      { certificate: stage.alice.certificate, capabilities: '/program/:wx,/first/:w,/output/:r' },
      { certificate: stage.bob.certificate, capabilities: '/program/:x,/second/:w,/output/:r,/transfer/:rw' },
    ],
    programs: [{ name: PROGRAM, sha256: createHash('sha256').update(module).digest('hex'), capabilities: PROGRAM_RIGHTS }],
    // Where the Server listens is known when it is there: the clients are told.
    serverUrl: '127.0.0.1:3011',
    attestationUrl: new URL(attestationUrl).host,
    authority: stage.authority.certificate,
    certificateExpiry: new Date(Date.now() + DAY_MS),
    runtimeHashes: { linux: stage.runtimeHash },
    // With AES in hardware it is the fastest; what createPolicy takes by itself is not.
    cipherSuite: 'TLS1_3_AES_256_GCM_SHA384',
  });
  const path = join(folder, 'policy.json');
  writeFileSync(path, text, { mode: 0o600 });
  return { path, text };
}
