import { createHash, createPublicKey } from 'node:crypto';
import { type Authority, issue, makeAuthority } from '../../lib/attestation/authority.js';
import { makeKey, pemOf } from '../../lib/attestation/certificate.js';
import type { Attester } from '../../lib/attestation/evidence/attester.js';
import { sha256 } from '../../lib/attestation/evidence/binding.js';
import { psaPoint } from '../../lib/attestation/evidence/keys.js';
import { makePsaToken } from '../../lib/attestation/evidence/psa-token.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { DeviceRegistry } from '../../lib/attestation/registry/index.js';
import { useClock } from '../../lib/core/clock.js';
import { createPolicy } from '../../lib/enclave/policy/index.js';
import { VirtualClock } from './clock.js';

/** Clients that there are at most. */
export const CLIENTS = 3;

export interface Credentials {
  readonly authority: Authority;
  readonly clients: readonly { readonly certificate: string; readonly key: string }[];
  readonly manager: { readonly certificate: string; readonly key: string };
  /** Client `k` may do everything below `/c<k>/`, and read below `/all/`. */
  readonly policy: string;
  readonly attester: Attester;
  /** Knows the attester's key, and keeps its devices in memory. */
  registry(): DeviceRegistry;
}

/** Keys and certificates of all runs, which hold from before `epoch` on. */
export function makeCredentials(epoch: number): Credentials {
  const restore = useClock(new VirtualClock(epoch - 86_400_000).parts);
  try {
    return made();
  } finally {
    restore();
  }
}

function made(): Credentials {
  const authority = makeAuthority({ commonName: 'simulation' });
  const clients = Array.from({ length: CLIENTS }, (_, k) => makeIdentity({ commonName: `client ${k}` }));
  const runtimeHash = createHash('sha256').update('simulation').digest();
  const key = makeKey('ec');
  const certificate = issue(authority, {
    subject: 'manager',
    publicKey: createPublicKey(key),
    san: ['ComputeEnclave.dev'],
    runtimeHash,
    days: 3650,
  });
  const device = makeKey('ec');
  const policy = createPolicy({
    identities: clients.map(({ certificate }, k) => ({ certificate, capabilities: `/c${k}/:rw,/all/:r` })),
    serverUrl: '127.0.0.1:3011',
    attestationUrl: '127.0.0.1:3010',
    authority: authority.certificate,
    certificateExpiry: new Date(Date.UTC(2040, 0, 1)),
    runtimeHashes: { linux: runtimeHash.toString('hex') },
    cipherSuite: 'TLS1_3_AES_256_GCM_SHA384',
  });
  return {
    authority,
    clients,
    manager: { certificate: pemOf(certificate) + authority.certificate, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() },
    policy,
    attester: {
      protocol: 'psa',
      attest: async (challenge, request) =>
        makePsaToken({ key: device, challenge, runtimeHash, requestHash: sha256(request), shape: '2207' }),
    },
    registry: () => registryOf(psaPoint(device).toString('hex'), runtimeHash.toString('hex')),
  };
}

/** A registry without a database: one key, one runtime. */
function registryOf(point: string, hash: string): DeviceRegistry {
  const key = { id: sha256(Buffer.from(point, 'hex')).toString('hex'), point, label: '', enrolledAt: new Date(0), revokedAt: null };
  const runtime = { platform: 'linux', hash, label: '', allowedAt: new Date(0), revokedAt: null };
  const devices = new Map<number, object>();
  const methods = {
    liveKeys: async () => [key],
    findKey: async () => key,
    listRuntimes: async () => [runtime],
    findRuntime: async (asked: string) => (asked === hash ? runtime : undefined),
    findDevice: async (id: number) => devices.get(id),
    recordAttestation: async (device: { readonly deviceId: number }) => {
      devices.set(device.deviceId, device);
      return device;
    },
    ping: async () => {},
    close: async () => {},
  };
  return Object.assign(Object.create(DeviceRegistry.prototype), methods) as DeviceRegistry;
}
