/** An attestation server, a Runtime Manager and a Server, a process each, with a line that can fail between any two. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createPolicy, type Identity, InsecureSoftwareAttester, makeAuthority, makeIdentity, VeracruzClient } from 'veracruz-streams';
import { Part } from '../../harness/part.js';
import { temporaryFolder } from '../../harness/temporary.js';
import { Random } from '../seed.js';
import { Clocks } from './clocks.js';
import { FaultyLine } from './line.js';
import type { AttestTask } from './parts/attest.js';
import type { ManagerTask } from './parts/manager.js';
import type { ServerTask } from './parts/server.js';
import { onSmallDisk } from './small-disk.js';

export const ROLES = ['attest', 'manager', 'server'] as const;
export type RoleName = (typeof ROLES)[number];

export const HOPS = ['client-server', 'server-manager', 'server-attest'] as const;
export type Hop = (typeof HOPS)[number];

/** Milliseconds of the deadlines of the Server and of clients: a silent peer costs no more. */
export const DEADLINE_MS = 3000;
/** Milliseconds that a manager's certificate holds: it is renewed all the time, over the lines. */
const CERTIFICATE_MS = 6000;
const DAY_MS = 86_400_000;

interface Fixture {
  readonly parts: Readonly<Record<RoleName, Part>>;
  readonly lines: Readonly<Record<Hop, FaultyLine>>;
  readonly policy: string;
  readonly identity: Identity;
  readonly clocks: Clocks | undefined;
  readonly smallDisk: boolean;
}

export class Deployment implements Fixture {
  readonly parts: Fixture['parts'];
  readonly lines: Fixture['lines'];
  readonly policy: string;
  readonly identity: Identity;
  /** Undefined where clocks cannot be moved. */
  readonly clocks: Clocks | undefined;
  /** Whether the store has a file system of its own, which may be filled. */
  readonly smallDisk: boolean;

  private constructor({ parts, lines, policy, identity, clocks, smallDisk }: Fixture) {
    this.parts = parts;
    this.lines = lines;
    this.policy = policy;
    this.identity = identity;
    this.clocks = clocks;
    this.smallDisk = smallDisk;
  }

  static async start(seed: number): Promise<Deployment> {
    const folder = temporaryFolder();
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const clocks = Clocks.in(folder);
    const within = onSmallDisk(disk);
    const launch = (role: RoleName) => ({ env: clocks?.environmentOf(role) ?? {}, ...(role === 'manager' && within ? { within } : {}) });
    const part = (role: RoleName) => new Part(role, `../proof/faults/parts/${role}`, launch(role));
    const parts = { attest: part('attest'), manager: part('manager'), server: part('server') };
    try {
      return new Deployment({
        ...(await listening(parts, folder, join(disk, 'store'), seed)),
        parts,
        clocks,
        smallDisk: within !== undefined,
      });
    } catch (error) {
      await Promise.all(Object.values(parts).map((each) => each.end()));
      throw error;
    }
  }

  connect(): Promise<VeracruzClient> {
    return VeracruzClient.connect({
      url: `http://127.0.0.1:${this.lines['client-server'].port}`,
      policy: this.policy,
      identity: this.identity,
      answerTimeoutMs: DEADLINE_MS,
      handshakeTimeoutMs: DEADLINE_MS,
    });
  }

  /** Fails when a process is gone, as one is after an error that nobody caught. */
  async alive(): Promise<void> {
    await Promise.all(Object.values(this.parts).map((part) => part.ask('alive')));
  }

  async end(): Promise<void> {
    for (const line of Object.values(this.lines)) line.close();
    await Promise.all(Object.values(this.parts).map((part) => part.end()));
  }
}

/** Starts the roles, each behind its lines, and makes the policy that holds them together. */
async function listening(
  { attest, manager, server }: Fixture['parts'],
  folder: string,
  store: string,
  seed: number,
): Promise<Pick<Fixture, 'lines' | 'policy' | 'identity'>> {
  const [authority, identity] = [makeAuthority({ commonName: 'faults' }), makeIdentity({ commonName: 'faults' })];
  const deviceKey = join(folder, 'device.key');
  const runtimeHash = randomBytes(32).toString('hex');
  const { publicKeyPem: device } = await InsecureSoftwareAttester.open({ keyFile: deviceKey });
  const line = async (hop: Hop, address: string) => FaultyLine.open(Number(/\d+$/.exec(address)?.[0]), new Random(seed, hop));
  const [toAttest, toManager] = await Promise.all([
    attest
      .ask<string>('listen', { authority, device, runtimeHash, certificateLifetimeMs: CERTIFICATE_MS } satisfies AttestTask)
      .then((address) => line('server-attest', address)),
    manager
      .ask<string>('listen', { store, deviceKey, runtimeHash, seed } satisfies ManagerTask)
      .then((address) => line('server-manager', address)),
  ]);
  const policy = createPolicy({
    identities: [{ certificate: identity.certificate, capabilities: '/:rw' }],
    // Clients are told where the line begins.
    serverUrl: '127.0.0.1:3011',
    attestationUrl: `127.0.0.1:${toAttest.port}`,
    authority: authority.certificate,
    certificateExpiry: new Date(Date.now() + DAY_MS),
    runtimeHashes: { linux: runtimeHash },
  });
  const runtime = `tcp://127.0.0.1:${toManager.port}`;
  const url = await server.ask<string>('listen', { runtime, policy, deadlineMs: DEADLINE_MS } satisfies ServerTask);
  const lines = { 'client-server': await line('client-server', url), 'server-manager': toManager, 'server-attest': toAttest };
  return { lines, policy, identity };
}
