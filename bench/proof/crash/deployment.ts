/** An attestation server, a Runtime Manager and a Server as processes, each of which can be killed and started again. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createPolicy, type Identity, InsecureSoftwareAttester, makeAuthority, makeIdentity, VeracruzClient } from 'veracruz-streams';
import { DeviceRegistry } from '../../../lib/attestation/registry/index.js';
import { temporaryFolder } from '../../harness/temporary.js';
import { READ_FILE } from './content.js';
import { PROBE, PROGRAM } from './names.js';
import { RoleProcess, type Running, until } from './processes.js';

export type RoleName = 'attest' | 'manager' | 'server';

const MODULE = new URL('../../../lib/cli/demo/programs/intersection.wasm', import.meta.url);
const DAY_MS = 86_400_000;
/** Errors for which it is tried again while a deployment comes up. */
const ATTEMPT_MS = 60_000;

export class Deployment {
  readonly url: string;
  readonly policy: string;
  readonly identity: Identity;
  /** Where running programs have their folders. */
  readonly scratch: string;
  readonly #commands: Readonly<Record<RoleName, readonly string[]>>;
  readonly #running = new Map<RoleName, RoleProcess>();

  private constructor(
    parts: Pick<Deployment, 'url' | 'policy' | 'identity' | 'scratch'>,
    commands: Readonly<Record<RoleName, readonly string[]>>,
  ) {
    this.url = parts.url;
    this.policy = parts.policy;
    this.identity = parts.identity;
    this.scratch = parts.scratch;
    this.#commands = commands;
  }

  /** Makes keys, a registry and a policy, starts all roles, and puts the files there that a round needs. */
  static async start(): Promise<Deployment> {
    const folder = temporaryFolder();
    const put = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const authority = makeAuthority({ commonName: 'crash' });
    const deviceKey = join(folder, 'device.key');
    const device = await InsecureSoftwareAttester.open({ keyFile: deviceKey });
    const runtimeHash = device.runtimeHash.toString('hex');
    const state = join(folder, 'state');
    await enrol(join(state, 'registry'), device.publicKeyPem, runtimeHash);
    const [attestPort, managerPort, serverPort] = [await freePort(), await freePort(), await freePort()];
    const identity = makeIdentity({ commonName: 'crash' });
    const module = readFileSync(fileURLToPath(MODULE));
    const policy = createPolicy({
      identities: [{ certificate: identity.certificate, capabilities: '/:rwx' }],
      programs: [
        { name: PROGRAM, sha256: createHash('sha256').update(module).digest('hex'), capabilities: '/first/:r,/second/:r,/output/:w' },
      ],
      serverUrl: `127.0.0.1:${serverPort}`,
      attestationUrl: `127.0.0.1:${attestPort}`,
      authority: authority.certificate,
      certificateExpiry: new Date(Date.now() + DAY_MS),
      runtimeHashes: { linux: runtimeHash },
    });
    const at = (port: number) => `tcp://127.0.0.1:${port}`;
    const quiet = ['--log-level', 'warn'];
    const [cert, key] = [put('ca.pem', authority.certificate), put('ca.key', authority.key)];
    const deployment = new Deployment(
      { url: `http://127.0.0.1:${serverPort}`, policy, identity, scratch: folder },
      {
        attest: [
          'attest',
          '--listen',
          at(attestPort),
          '--state',
          state,
          '--ca-cert',
          cert,
          '--ca-key',
          key,
          '--max-requests-per-second',
          '0',
          ...quiet,
        ],
        manager: [
          ...['runtime', '--listen', at(managerPort), '--store', join(folder, 'store'), '--scratch', folder],
          ...['--attester', 'software', '--device-key', deviceKey, '--measurement', runtimeHash, ...quiet],
        ],
        server: [
          'server',
          '--listen',
          at(serverPort),
          '--runtime',
          at(managerPort),
          '--policy',
          put('policy.json', policy),
          '--max-sessions-per-address',
          '0',
          ...quiet,
        ],
      },
    );
    await Promise.all([deployment.bring('attest'), deployment.bring('manager')]);
    await deployment.bring('server');
    await deployment.usable();
    await deployment.with(async (client) => {
      await client.writeFile(PROGRAM, module);
      await client.writeFile(READ_FILE.name, READ_FILE.content);
    });
    return deployment;
  }

  /** Starts a role, and waits until it listens. */
  async bring(role: RoleName): Promise<void> {
    const started = new RoleProcess(this.#commands[role]);
    this.#running.set(role, started);
    await started.ready();
  }

  /** kill -9. Returns what the role had started itself. */
  async kill(role: RoleName): Promise<readonly Running[]> {
    return (await this.#running.get(role)?.kill()) ?? [];
  }

  async end(): Promise<void> {
    await Promise.all([...this.#running.values()].map((role) => role.kill()));
  }

  /** Waits until a client can write; returns the milliseconds that it took. */
  async usable(): Promise<number> {
    const begun = performance.now();
    let last: unknown;
    await until('a client that can write', async () => {
      try {
        await this.with((client) => client.writeFile(PROBE, Buffer.from('probe')));
        return true;
      } catch (error) {
        last = error;
        return false;
      }
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${String(last)}`);
    });
    return performance.now() - begun;
  }

  /** Does `work` with a client of this process. */
  async with<T>(work: (client: VeracruzClient) => Promise<T>): Promise<T> {
    const { url, policy, identity } = this;
    const client = await VeracruzClient.connect({ url, policy, identity, signal: AbortSignal.timeout(ATTEMPT_MS) });
    try {
      return await work(client);
    } finally {
      await client.close().catch(() => {});
    }
  }

  /** A file at the manager; undefined when there is none. */
  async read(name: string): Promise<Buffer | undefined> {
    return this.with(async (client) => {
      try {
        return await buffer(await client.readFile(name));
      } catch (error) {
        if ((error as { code?: string }).code === 'ERR_VC_REQUEST_FAILED') return undefined;
        throw error;
      }
    });
  }

  /** The folders of runs that are there. */
  runFolders(): string[] {
    return readdirSync(this.scratch).filter((name) => name.startsWith('veracruz-run-'));
  }
}

async function enrol(folder: string, publicKey: string, runtimeHash: string): Promise<void> {
  const registry = await DeviceRegistry.open({ folder });
  await registry.enrollKey(publicKey, { label: 'crash' });
  await registry.allowRuntime('linux', runtimeHash, { label: 'crash' });
  await registry.close();
}

/** A port at which nobody listens; a role that is started again listens where it did. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}
