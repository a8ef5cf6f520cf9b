/** What the kit and the peer must share beforehand: a policy, identities of principals, an authority, a device. */
import { createHash, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Authority, issue, makeAuthority, readAuthority } from '../attestation/authority.js';
import { makeKey, pemOf } from '../attestation/certificate.js';
import { makeIdentity } from '../attestation/identity.js';
import { InvalidArgumentError } from '../core/errors.js';
import { cannotRead, cannotWrite, fileFault } from '../core/file-faults.js';
import { makeFolder } from '../core/make-folder.js';
import { createPolicy, type Policy, readPolicy } from '../enclave/policy/index.js';
import { CaseSkipped } from './case.js';

/** A certificate and its private key, PEM. */
export interface Credentials {
  readonly certificate: string;
  readonly key: string;
}

/** Each part may be missing; the cases that need it are skipped then. */
export interface Material {
  /** The policy's exact text, and what it says. */
  readonly policy?: string;
  /** A principal who may do everything. */
  readonly alice?: Credentials;
  /** A principal who may do everything below `/bob/`, and nothing elsewhere. */
  readonly bob?: Credentials;
  /** A principal whose certificate is a CA. */
  readonly carol?: Credentials;
  /** The authority of the policy's `proxy_service_cert`. */
  readonly authority?: Authority;
  /** The runtime hash of the policy, 32 bytes. */
  readonly runtimeHash?: Buffer;
  /** The private key of an enrolled device, PEM. */
  readonly deviceKey?: string;
}

/** Contents of the file that the policy pins. */
export const PINNED = Object.freeze({ name: '/pinned/file', contents: Buffer.from('pinned\n') });

/** What `prepare` writes a policy about. */
export interface Preparation {
  /** `host:port` of the Veracruz Server. */
  readonly serverUrl: string;
  /** `host:port` of the Proxy Attestation Server. */
  readonly attestationUrl: string;
  readonly cipherSuite: string;
  /** 64 hexadecimal digits. Default: random ones. */
  readonly runtimeHash?: string;
}

/** Defaults of `Preparation`. */
export const PREPARATION_DEFAULTS = Object.freeze({
  serverUrl: '127.0.0.1:3011',
  attestationUrl: '127.0.0.1:3010',
  cipherSuite: 'TLS1_3_AES_256_GCM_SHA384',
});

const ALL = '/:rwx,stdin:rw,stdout:rw,stderr:rw';
/** Files of the folder that hold PEM texts of the material. */
const PAIRS = Object.freeze({ alice: 'alice', bob: 'bob', carol: 'carol' });

/** Makes all of it. */
export function makeMaterial({ serverUrl, attestationUrl, cipherSuite, runtimeHash }: Preparation): Required<Material> {
  const authority = makeAuthority({ commonName: 'Veracruz conformance' });
  const [alice, bob] = [makeIdentity({ commonName: 'alice' }), makeIdentity({ commonName: 'bob', algorithm: 'rsa' })];
  const carol = makeIdentity({ commonName: 'carol', isCa: true });
  const hash = runtimeHash === undefined ? randomBytes(32) : Buffer.from(runtimeHash, 'hex');
  const policy = createPolicy({
    identities: [
      { certificate: alice.certificate, capabilities: ALL },
      { certificate: bob.certificate, capabilities: '/bob/:rw' },
      { certificate: carol.certificate, capabilities: '/carol/:rw' },
    ],
    hashes: [{ name: PINNED.name, sha256: createHash('sha256').update(PINNED.contents).digest('hex') }],
    serverUrl,
    attestationUrl,
    authority: authority.certificate,
    certificateExpiry: new Date(Date.UTC(2040, 0, 1)),
    runtimeHashes: { linux: hash.toString('hex') },
    cipherSuite,
  });
  const deviceKey = makeKey('ec').export({ type: 'pkcs8', format: 'pem' }).toString();
  return { policy, alice, bob, carol, authority, runtimeHash: hash, deviceKey };
}

/**
 * Writes it into a folder: `policy.json`, a `.pem` and a `.key` for each name, and what a Runtime Manager may be started with.
 *
 * @throws InvalidArgumentError for a folder that cannot be made or written, LocalFileError when the system fails
 */
export async function writeMaterial(folder: string, material: Required<Material>): Promise<void> {
  try {
    await makeFolder(folder);
  } catch (cause) {
    throw fileFault(`cannot make ${folder}: ${(cause as Error).message}`, cause);
  }
  const put = (name: string, text: string) => {
    const path = join(folder, name);
    try {
      writeFileSync(path, text, { mode: 0o600 });
    } catch (cause) {
      throw cannotWrite(path, cause);
    }
  };
  put('policy.json', material.policy);
  for (const [name, pair] of Object.entries({ ...pairsOf(material), ca: material.authority, manager: managerCredentials(material) })) {
    put(`${name}.pem`, pair.certificate);
    put(`${name}.key`, pair.key);
  }
  put('device.key', material.deviceKey);
  put('device.pem', createPublicKey(createPrivateKey(material.deviceKey)).export({ type: 'spki', format: 'pem' }).toString());
  put('runtime-hash', material.runtimeHash.toString('hex'));
}

function pairsOf({ alice, bob, carol }: Required<Material>): Record<keyof typeof PAIRS, Credentials> {
  return { alice, bob, carol };
}

/**
 * Reads what `writeMaterial` wrote. A file that is not there is a part that is missing.
 *
 * @throws InvalidArgumentError when the folder is not there, or has none of the files; LocalFileError when the system fails
 */
export function readMaterial(folder: string): Material {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new InvalidArgumentError(`there is no folder ${folder}: "conformance prepare" makes one`);
  }
  const get = (name: string) => textOf(join(folder, name));
  const pair = (name: string) => pairOf(get(`${name}.pem`), get(`${name}.key`));
  const [authority, hash, policy, deviceKey] = [pair('ca'), get('runtime-hash'), get('policy.json'), get('device.key')];
  const pairs = Object.values(PAIRS).map((name) => [name, pair(name)] as const);
  const found = pairs.filter(([, each]) => each !== undefined);
  if (found.length === 0 && [authority, hash, policy, deviceKey].every((part) => part === undefined)) {
    throw new InvalidArgumentError(`nothing in ${folder} is what "conformance prepare" makes`);
  }
  return {
    ...Object.fromEntries(found),
    ...(policy !== undefined && { policy }),
    ...(authority !== undefined && { authority: readAuthority(authority.certificate, authority.key) }),
    ...(hash !== undefined && { runtimeHash: Buffer.from(hash.trim(), 'hex') }),
    ...(deviceKey !== undefined && { deviceKey }),
  };
}

function pairOf(certificate: string | undefined, key: string | undefined): Credentials | undefined {
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cannotRead(path, error);
  }
}

/** What a Runtime Manager proves itself with: a certificate of the authority, with the runtime hash, and its chain. */
export function managerCredentials(
  { authority, runtimeHash }: { readonly authority: Authority; readonly runtimeHash?: Buffer | undefined },
  signer: Authority = authority,
): Credentials {
  const key = makeKey('ec');
  const certificate = issue(signer, {
    subject: 'manager',
    publicKey: createPublicKey(key),
    san: ['ComputeEnclave.dev'],
    ...(runtimeHash !== undefined && { runtimeHash }),
  });
  return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: pemOf(certificate) + signer.certificate };
}

/** A part of the material. @throws CaseSkipped that says what is needed */
export function need<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw new CaseSkipped(`needs ${what}`);
  return part;
}

/** What the material's policy says. @throws CaseSkipped without one */
export function policyOf({ policy }: Material): Policy {
  return readPolicy(need(policy, 'a policy (--policy or --material)'));
}
