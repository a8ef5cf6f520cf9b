/** Fixtures: the processes of one way to move a file, ours and the peers'. */
import { join } from 'node:path';
import { Part } from '../harness/part.js';
import type { Pki } from '../harness/pki.js';
import { OURS } from '../harness/result.js';
import { temporaryFolder } from '../harness/temporary.js';

export interface Fixture {
  /** Client first, then in the order in which an upload passes them. */
  readonly parts: readonly Part[];
  readonly client: Part;
  /** Who has the files at the far end. */
  readonly store: Part;
  /** Opens sessions, lets `use` use them, and closes them. */
  withSessions<T>(count: number, use: () => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

export interface FixtureOptions {
  readonly pki: Pki;
  /** Folder of the store; undefined: nothing is kept. */
  readonly folder?: string | undefined;
}

/** All sessions of a benchmark are of one principal. */
const ALL_OF_ONE = { maxSessionsPerPrincipal: 1024 };

/** One way to move a file. */
interface FixtureKind {
  /** `veracruz-streams`, or the peer. */
  readonly by: string;
  open(options: FixtureOptions): Promise<Fixture>;
}

/** Every fixture by its name on the command line and in tables. */
export const FIXTURES = {
  /** client → HTTP → Server → TCP → Runtime Manager */
  full: { by: OURS, open: (options) => threeRoles(options, 'tcp://127.0.0.1:0') },
  /** The same, with a Unix socket between Server and Runtime Manager. */
  unix: { by: OURS, open: (options) => threeRoles(options, `unix://${join(temporaryFolder(), 'link')}`) },
  /** client → TCP → a manager's upper half: protobuf, length prefix and TLS, without Server, HTTP and base64. */
  direct: { by: OURS, open: ({ pki, folder }) => twoEnds('client', 'endpoint', 'manager', { pki, folder }) },
  'node:tls': peer('node:tls', 'node-tls'),
  https: peer('https', 'https'),
  grpc: peer('@grpc/grpc-js', 'grpc'),
  libp2p: peer('libp2p', 'libp2p'),
} as const satisfies Record<string, FixtureKind>;

export type FixtureName = keyof typeof FIXTURES;
export const FIXTURE_NAMES = Object.keys(FIXTURES) as FixtureName[];

/** Two processes of one module. */
function peer(by: string, module: string): FixtureKind {
  return { by, open: ({ pki, folder }) => twoEnds(module, module, 'server', { pki, folder }) };
}

function threeRoles({ pki, folder }: FixtureOptions, listen: string): Promise<Fixture> {
  const [client, server, manager] = [new Part('client', 'client'), new Part('server', 'server'), new Part('manager', 'manager')];
  return assembled(pki, [client, server, manager], async () => {
    const runtime = await manager.ask<string>('listen', { pki, listen, folder, options: ALL_OF_ONE });
    return server.ask<string>('listen', { runtime });
  });
}

function twoEnds(near: string, far: string, farRole: string, options: FixtureOptions): Promise<Fixture> {
  const [client, store] = [new Part('client', near), new Part(farRole, far)];
  return assembled(options.pki, [client, store], () => store.ask<string>('listen', options));
}

/** A fixture of these processes; when it does not come about, nothing of it is left. `listen` tells where the client connects. */
async function assembled(pki: Pki, parts: readonly [Part, ...Part[]], listen: () => Promise<string>): Promise<Fixture> {
  const client = parts[0];
  const end = async () => {
    await Promise.all(parts.map((part) => part.end()));
  };
  try {
    const at = await listen();
    return {
      parts,
      client,
      store: parts[parts.length - 1] as Part,
      withSessions: async (count, use) => {
        await client.ask('connect', { pki, at, sessions: count });
        const used = await use();
        await client.ask('disconnect');
        return used;
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
