/** Peers for the kit: our own roles, started with the material that the kit makes. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { Test } from 'tap';
import { InsecureNitroAttester } from '../../lib/attestation/evidence/index.js';
import {
  conform,
  type Listening,
  makeMaterial,
  managerCredentials,
  PREPARATION_DEFAULTS,
  type Report,
  type StartClient,
  type Target,
  type Trying,
} from '../../lib/conformance/index.js';
import type { ServerTarget } from '../../lib/conformance/server/index.js';
import { DirectoryStore } from '../../lib/enclave/store/file-store.js';
import type { Dialect } from '../../lib/layers/formats/dialect.js';
import type { FrameKind } from '../../lib/layers/frame/index.js';
import { AttestationServer } from '../../lib/roles/attestation-server/server.js';
import { VeracruzClient } from '../../lib/roles/client/client.js';
import { RuntimeManager } from '../../lib/roles/runtime-manager/runtime-manager.js';
import { VeracruzServer } from '../../lib/roles/server/server.js';
import { plainAttester } from '../support/enrol.js';
import { collect, freshFolder, portOf } from '../support/roles.js';
import { patience } from '../support/time.js';

type T = Pick<Test, 'teardown'>;

export const material = makeMaterial(PREPARATION_DEFAULTS);
/** The kit's deadlines, for a machine that may be busy. */
export const WAITS = Object.freeze({ waitMs: patience(20_000), caseMs: patience(60_000) });
const ANYWHERE = 'tcp-listen://127.0.0.1:0';

/** A store that makes no fsync: nothing here survives the test. */
async function store(t: T): Promise<DirectoryStore> {
  const made = await DirectoryStore.open(`${freshFolder(t)}/store`, { sync: 'none' });
  t.teardown(() => made.close());
  return made;
}

/** Our Runtime Manager, and the kit's view of it. */
export async function managerTarget(
  t: T,
  dialect: Dialect,
  attested: boolean,
  frame: FrameKind = 'tcp9',
): Promise<Extract<Target, { readonly role: 'manager' }>> {
  const nitro = () => InsecureNitroAttester.open({ keyFile: `${freshFolder(t)}/nitro.key`, runtimeHash: material.runtimeHash });
  const attester = dialect === '2207-nitro' ? await nitro() : plainAttester();
  const own = attested ? { attester } : { ...managerCredentials(material), policy: material.policy };
  const manager = await RuntimeManager.start({ listen: 'tcp://127.0.0.1:0', dialect, frame, store: await store(t), ...own });
  t.teardown(() => manager.close());
  return { role: 'manager', address: `tcp://127.0.0.1:${portOf(manager)}`, dialect, frame, material, attested, singleLink: false };
}

/** Our Proxy Attestation Server, and the kit's view of it. */
export async function attestationTarget(t: T, dialect: Dialect): Promise<Extract<Target, { readonly role: 'attestation' }>> {
  const { authority, deviceKey, runtimeHash } = material;
  const server = await AttestationServer.start({
    listen: 'tcp://127.0.0.1:0',
    authority,
    registry: { memory: true },
    maxRequestsPerSecond: 0,
  });
  t.teardown(() => server.close());
  await server.registry.enrollKey(createPublicKey(createPrivateKey(deviceKey)));
  await server.registry.allowRuntime('linux', runtimeHash);
  return { role: 'attestation', address: server.url, dialect, material };
}

/** Tries our client, which connects, writes a file of 400,000 bytes and reads it, once a case. */
export async function tryClient(dialect: Dialect, trying: Partial<Trying> = {}, start: StartOf = ourClient): Promise<Report> {
  let port = 0;
  const begin: StartClient = (signal) => start(dialect, port)(signal);
  const target = { role: 'client', address: ANYWHERE, dialect, material, start: begin, idleMs: 1000 } as const;
  return conform(target, {
    ...WAITS,
    ...trying,
    onListening: (place) => {
      port = place.port as number;
    },
  });
}

/** Makes what starts a client of the kit at `port`. */
export type StartOf = (dialect: Dialect, port: number) => StartClient;

export const ourClient: StartOf = (dialect, port) => async (signal) => {
  const url = `${dialect === 'head' ? 'tcp' : 'http'}://127.0.0.1:${port}`;
  try {
    const client = await VeracruzClient.connect({ url, policy: material.policy, identity: material.alice, dialect, signal });
    await client.writeFile('/in', Buffer.alloc(400_000, 7));
    const got = await collect(await client.readFile('/in'));
    await client.close();
    return { ok: got.length === 400_000, said: '' };
  } catch (error) {
    return { ok: false, said: (error as Error).message };
  }
};

/** Where a Server finds the kit, and what it does about it. */
export type StartServer = (listening: Listening) => Promise<{ readonly address: string }>;

/** Tries our Server, whose manager and attestation server the kit is. */
export async function tryServer(t: T, dialect: Dialect, attested: boolean, trying: Partial<Trying> = {}): Promise<Report> {
  return tryServerWith(dialect, attested, (listening) => ourServer(t, dialect, attested, listening), trying);
}

export async function ourServer(
  t: T,
  dialect: Dialect,
  attested: boolean,
  { port, attestationPort }: Listening,
  frame: FrameKind = 'tcp9',
) {
  const server = await VeracruzServer.start({
    listen: 'tcp://127.0.0.1:0',
    ...(dialect === 'head' && { direct: 'tcp://127.0.0.1:0' }),
    dialect,
    frame,
    runtime: `tcp://127.0.0.1:${port}`,
    ...(attested && { policy: material.policy, attestation: `http://127.0.0.1:${attestationPort}` }),
  });
  t.teardown(() => server.close());
  return { address: dialect === 'head' ? `tcp://127.0.0.1:${(server.directAddress as { port: number }).port}` : server.url };
}

/** The kit listens first, so the Server's address is known only when it has been started. */
export async function tryServerWith(
  dialect: Dialect,
  attested: boolean,
  start: StartServer,
  trying: Partial<Trying> = {},
  more: Partial<Pick<ServerTarget, 'frame' | 'singleLink'>> = {},
): Promise<Report> {
  const target = {
    role: 'server' as const,
    address: '',
    manager: ANYWHERE,
    attestation: attested ? ANYWHERE : undefined,
    dialect,
    frame: 'tcp9' as const,
    material,
    singleLink: false,
    ...more,
  };
  return conform(target, {
    ...WAITS,
    ...trying,
    onListening: async (listening) => {
      target.address = (await start(listening)).address;
    },
  });
}

/** The results that are not `passed`, by name. */
export const notPassed = ({ results }: Report) =>
  Object.fromEntries(results.filter(({ verdict }) => verdict !== 'passed').map(({ name, verdict, saw }) => [name, `${verdict}: ${saw}`]));
