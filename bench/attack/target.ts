/** What is attacked: the roles as processes, with honest clients at them. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  type Authority,
  InsecureSoftwareAttester,
  makeAuthority,
  makeIdentity,
  type RuntimeManagerOptions,
  type ServerOptions,
  type WasiEngineOptions,
} from 'veracruz-streams';
import loadWabt from 'wabt';
import { Part } from '../harness/part.js';
import { type Credentials, type Pki, policyWith, serverCredentials } from '../harness/pki.js';
import { temporaryFolder } from '../harness/temporary.js';
import type { ManagerTask } from '../parts/manager.js';

/** How the roles are started for an attack. Default: with their own defaults, a store that keeps nothing, and no programs. */
export interface Stage {
  /** The manager is led through attestation by its Server, as in a deployment. */
  readonly attested?: true;
  /** Files are on disk; so they are where programs are run. */
  readonly disk?: true;
  /** Programs are run, and honest clients run one, too. */
  readonly compute?: WasiEngineOptions;
}

/** What the attacking processes know: all that a principal knows, and where the ports are. */
export interface Target {
  /** The Server's URL. */
  readonly url: string;
  readonly managerPort: number;
  /** The honest clients' principal is `pki.client`. */
  readonly pki: Pki;
  /** A principal of the policy who wants everything for himself. He may write and read below /greedy/, and run all programs. */
  readonly greedy: Credentials;
}

/** The programs, by their names in the store: what each does. */
const PROGRAMS = {
  '/program/nothing': '',
  '/program/loop': '(loop $again (br $again))',
  /** Takes a mebibyte more each time, and writes to the last byte. */
  '/program/grow': `(loop $again
      (drop (memory.grow (i32.const 16)))
      (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 1))
      (br $again))`,
} as const;
export type ProgramName = keyof typeof PROGRAMS;

/** Weaker roles than their defaults make them, for a test that has to see a goal missed. */
export interface Weakened {
  readonly server?: ServerOptions;
  readonly manager?: Partial<RuntimeManagerOptions>;
}

export interface Attacked {
  readonly target: Target;
  /** The roles by their names. */
  readonly roles: Readonly<Record<string, Part>>;
  /** Programs, base64, by their names. */
  readonly programs: Readonly<Record<string, string>>;
  end(): Promise<void>;
}

/** Starts the roles. When that fails, no process is left. */
export async function startRoles(stage: Stage, weakened: Weakened = {}): Promise<Attacked> {
  const authority = makeAuthority({ commonName: 'bench' });
  const programs = await assembled();
  const { pki, greedy } = makePrincipals(authority, programs);
  const [manager, server] = [new Part('manager', 'manager'), new Part('server', 'server')];
  const attestation = stage.attested && new Part('attestation', 'attestation');
  const parts = { server, manager, ...(attestation && { attestation }) };
  const end = async () => {
    await Promise.all(Object.values(parts).map((part) => part.end()));
  };
  try {
    const attester = attestation && (await startAttestation(attestation, authority));
    const runtime = await manager.ask<string>('listen', {
      pki,
      listen: 'tcp://127.0.0.1:0',
      folder: stage.disk === true || stage.compute !== undefined ? temporaryFolder() : undefined,
      compute: stage.compute,
      deviceKey: attester?.keyFile,
      options: weakened.manager ?? {},
    } satisfies ManagerTask);
    const options: ServerOptions = { ...(attester && { policy: pki.policy, attestation: attester.url }), ...weakened.server };
    const url = await server.ask<string>('listen', { runtime, options });
    const target = { url, managerPort: Number(new URL(runtime).port), pki, greedy };
    return { target, roles: parts, programs: stage.compute === undefined ? {} : programs, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function startAttestation(part: Part, authority: Authority): Promise<{ url: string; keyFile: string }> {
  const keyFile = join(temporaryFolder(), 'device.key');
  const { publicKeyPem: deviceKey } = await InsecureSoftwareAttester.open({ keyFile });
  return { url: await part.ask<string>('listen', { authority, deviceKey }), keyFile };
}

function makePrincipals(authority: Authority, programs: Readonly<Record<string, string>>): Pick<Target, 'pki' | 'greedy'> {
  const [client, greedy] = ['honest', 'greedy'].map((commonName) => {
    const { certificate, key } = makeIdentity({ commonName });
    return { certificate, key };
  }) as [Credentials, Credentials];
  const policy = policyWith(authority, {
    identities: [
      { certificate: client.certificate, capabilities: '/bench/:rw,/program/:wx' },
      { certificate: greedy.certificate, capabilities: '/greedy/:rw,/program/:x' },
    ],
    programs: Object.entries(programs).map(([name, base64]) => ({
      name,
      sha256: createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex'),
      capabilities: '/output/:w',
    })),
  });
  return { pki: { authority: authority.certificate, server: serverCredentials(authority), client, policy }, greedy };
}

async function assembled(): Promise<Record<string, string>> {
  const wabt = await loadWabt();
  return Object.fromEntries(
    Object.entries(PROGRAMS).map(([name, start]) => {
      const module = wabt.parseWat(name, `(module (memory (export "memory") 1) (func (export "_start") ${start}))`);
      const bytes = Buffer.from(module.toBinary({}).buffer);
      module.destroy();
      return [name, bytes.toString('base64')];
    }),
  );
}
