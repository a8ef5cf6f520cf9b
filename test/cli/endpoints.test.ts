/**
 * Every pair of endpoints with real processes: manager, Server and client of the command line. What ran here is the table of
 * endpoints in docs/endpoints.md; the console's row is a pty here, and a real VirtIO console in `npm run test:qemu`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { createPolicy } from '../../lib/enclave/policy/index.js';
import { ARRANGEMENTS, type ArrangementName } from '../../lib/roles/arrangements.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { alice, authority, Child, content, freshFolder, managerIdentity, RUNTIME_HASH } from '../support/roles.js';
import '../support/processes.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
const FILE = content(100_000, 9);
const hasSocat = spawnSync('socat', ['-V']).status === 0;

interface EndpointCase {
  readonly arrangement: ArrangementName;
  /** How the Server is told of the manager, and the manager of the Server; `folder` is the test's own. */
  readonly server: (folder: string, runtimeAt: string) => string;
  readonly runtime: (folder: string) => readonly string[];
  readonly dialect?: string;
  /** The client speaks TLS straight over TCP. */
  readonly direct?: true;
  /** The Server must be there first. */
  readonly serverFirst?: true;
  readonly pty?: true;
  readonly row: { readonly server: string; readonly runtime: string };
}

const CASES: readonly EndpointCase[] = [
  {
    arrangement: 'linux',
    server: (_, at) => at,
    runtime: () => ['--listen', 'tcp://127.0.0.1:0'],
    row: { server: 'TCP, connects', runtime: 'TCP, listens' },
  },
  {
    arrangement: 'linux',
    dialect: 'head',
    direct: true,
    serverFirst: true,
    server: (folder) => `unix-listen://${folder}/server.sock`,
    runtime: (folder) => ['--connect', `unix://${folder}/server.sock`],
    row: { server: 'Unix socket, listens', runtime: 'Unix socket, connects' },
  },
  {
    arrangement: 'nitro',
    server: (folder) => `unix://${folder}/5005.sock`,
    runtime: (folder) => ['--listen', `unix://${folder}/5005.sock`],
    row: { server: 'Unix socket, 5 tries', runtime: 'Unix socket, listens' },
  },
  {
    arrangement: 'icecap',
    pty: true,
    server: (folder) => `unix://${folder}/console0`,
    runtime: (folder) => ['--listen', `serial://${folder}/hvc0`, '--hello'],
    row: { server: 'Unix socket of QEMU, retried', runtime: 'console (`serial:///dev/hvc0`)' },
  },
];

const ran: string[] = [];

function rowOf({ arrangement, dialect, direct, row }: EndpointCase): string {
  const preset = ARRANGEMENTS[arrangement];
  const client = direct === true ? 'TLS over TCP' : 'HTTP';
  return `${arrangement} | ${client} | ${row.server} | ${row.runtime} | ${preset.frame} | ${dialect ?? preset.dialect}`;
}

/** The files that the three processes are told of. */
function prepare(folder: string): Record<'policy' | 'certificate' | 'key' | 'identity' | 'ownKey' | 'file', string> {
  const put = (name: string, text: string | Buffer) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const manager = managerIdentity();
  return {
    policy: put(
      'policy.json',
      createPolicy({
        identities: [{ certificate: alice.certificate, capabilities: '/input/:rw' }],
        serverUrl: '127.0.0.1:3011',
        attestationUrl: '127.0.0.1:3010',
        authority: authority.certificate,
        certificateExpiry: new Date(Date.UTC(2040, 0, 1)),
        runtimeHashes: { linux: RUNTIME_HASH.toString('hex') },
      }),
    ),
    certificate: put('manager.pem', manager.certificate),
    key: put('manager.key', manager.key),
    identity: put('alice.pem', alice.certificate),
    ownKey: put('alice.key', alice.key),
    file: put('file', FILE),
  };
}

/** A port that was free a moment ago: a Server says only where its HTTP is. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

async function listening(child: Child): Promise<string> {
  return (await child.line()).replace('listening at ', '');
}

for (const endpoints of CASES) {
  const { arrangement, dialect, direct } = endpoints;
  void t.test(rowOf(endpoints), { skip: endpoints.pty === true && !hasSocat && 'socat is not installed' }, async (t) => {
    const folder = freshFolder(t);
    const files = prepare(folder);
    const directPort = await freePort();
    const link = ['--arrangement', arrangement, ...(dialect === undefined ? [] : ['--dialect', dialect]), '--log-level', 'warn'];
    const startRuntime = () =>
      new Child(t, [
        ...[MAIN, 'runtime', '--store', join(folder, 'store'), ...endpoints.runtime(folder), ...link],
        ...['--certificate', files.certificate, '--key', files.key, '--policy', files.policy],
      ]);
    const startServer = (at: string) =>
      new Child(t, [
        ...[MAIN, 'server', '--listen', 'tcp://127.0.0.1:0', '--runtime', endpoints.server(folder, at), ...link],
        ...(endpoints.pty === true ? ['--hello'] : []),
        ...(direct === true ? ['--direct', `tcp://127.0.0.1:${directPort}`] : []),
      ]);
    if (endpoints.pty === true) {
      const socat = spawn('socat', [`pty,raw,echo=0,link=${folder}/hvc0`, `unix-listen:${folder}/console0,fork`], { stdio: 'ignore' });
      t.teardown(() => socat.kill('SIGKILL'));
      await until('the pty', () => spawnSync('test', ['-e', `${folder}/hvc0`]).status === 0);
    }
    let server: Child;
    let runtime: Child;
    let url: string;
    if (endpoints.serverFirst === true) {
      server = startServer('');
      url = await listening(server);
      runtime = startRuntime();
      await listening(runtime);
    } else {
      runtime = startRuntime();
      server = startServer(await listening(runtime));
      url = await listening(server);
    }

    const target = direct === true ? ['--direct', `tcp://127.0.0.1:${directPort}`] : ['--url', url];
    const client = async (...flags: string[]) => {
      const child = new Child(t, [
        ...[MAIN, 'client', files.policy, '-i', files.identity, '-k', files.ownKey, ...target, '--json', ...flags],
        ...(dialect === undefined ? [] : ['--dialect', dialect]),
      ]);
      const [code] = (await within('the client', child.exited)) as [number];
      t.equal(code, 0, child.stderr);
    };
    await client('-d', `/input/file=${files.file}`, '-n');
    const back = join(folder, 'back');
    await client('-o', `/input/file=${back}`, '-s');
    t.ok(readFileSync(back).equals(FILE), 'the bytes that came back are those that went');
    await within('the end of the manager, which was asked to shut down', runtime.exited);
    await server.kill('SIGTERM');
    ran.push(rowOf(endpoints));
  });
}

void t.test('docs/endpoints.md has the endpoints that ran', async (t) => {
  const page = readFileSync(join(PROJECT_ROOT, 'docs', 'endpoints.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (linux|nitro|icecap) .*\|$/gm)].map(([row]) =>
    row
      .split('|')
      .map((cell) => cell.trim())
      .filter((cell) => cell !== '')
      .join(' | '),
  );
  t.same(rows, CASES.map(rowOf), 'every row is a case of this test');
  for (const row of ran) t.ok(rows.includes(row), row);
});
