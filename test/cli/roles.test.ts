/** `runtime` and `server` as processes: how they start, how they end, and what they say when they cannot. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { VeracruzClient } from '../../lib/roles/client/client.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { alice, authority, managerIdentity, POLICY, stranger } from '../support/roles.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'vc-cli-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const own = managerIdentity();
const put = (name: string, text: string) => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const FILES = {
  '--certificate': put('manager.pem', own.certificate),
  '--key': put('manager.key', own.key),
  '--identity': put('alice.pem', alice.certificate),
  '--policy': put('policy.json', POLICY),
};
let stores = 0;

/** Arguments of `runtime`, with `changes` to them. */
function runtime(changes: Record<string, string> = {}): string[] {
  const flags = {
    '--listen': 'tcp://127.0.0.1:0',
    '--store': join(folder, `store${stores++}`),
    ...FILES,
    '--log-level': 'warn',
    ...changes,
  };
  return ['runtime', ...Object.entries(flags).flat()];
}

class Role {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string | null>;
  stdout = '';
  stderr = '';

  constructor(t: Pick<Test, 'teardown'>, args: readonly string[]) {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.ended = within(`the end of ${args[0]}`, once(child, 'close')).then(([code, signal]) => (code ?? signal) as number | string | null);
    this.ended.catch(() => {});
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    t.teardown(() => child.kill('SIGKILL'));
  }

  /** Where it says that it listens. */
  async at(): Promise<string> {
    await until('its address', () => {
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.stderr}`);
      return this.stdout.includes('\n');
    });
    return this.stdout.replace(/^listening at (.*)\n$/, '$1');
  }
}

/** A port of loopback that somebody else has. */
async function takenPort(t: Pick<Test, 'teardown'>): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

const oneLine = (t: Test, stderr: string) => {
  t.match(stderr, /^veracruz-streams: [^\n]+\n$/, 'one line');
  t.notMatch(stderr, 'PRIVATE KEY');
};

for (const flag of Object.keys(FILES)) {
  void t.test(`runtime with a ${flag} that is not there`, async (t) => {
    const role = new Role(t, runtime({ [flag]: join(folder, 'missing') }));
    t.equal(await role.ended, 2);
    oneLine(t, role.stderr);
    t.match(role.stderr, `cannot read ${join(folder, 'missing')}`);
  });
}

void t.test('runtime with files that are not what they should be', async (t) => {
  const wrong: Record<string, string> = {
    '--certificate': FILES['--policy'],
    '--key': FILES['--policy'],
    '--identity': FILES['--policy'],
  };
  for (const [flag, path] of Object.entries(wrong)) {
    const role = new Role(t, runtime({ [flag]: path }));
    t.equal(await role.ended, 2, flag);
    oneLine(t, role.stderr);
    t.match(role.stderr, /\(ERR_VC_INVALID_OPTION\)\n$/);
  }
  const role = new Role(t, runtime({ '--key': put('other.key', stranger.key) }));
  t.equal(await role.ended, 2);
  t.match(role.stderr, 'key is not the key of the first certificate');
});

void t.test('a port that is in use', async (t) => {
  const port = await takenPort(t);
  const at = `tcp://127.0.0.1:${port}`;
  const manager = new Role(t, runtime({ '--listen': at }));
  t.equal(await manager.ended, 1);
  oneLine(t, manager.stderr);
  t.match(manager.stderr, `cannot listen at ${at}`);

  const other = new Role(t, runtime());
  const server = new Role(t, ['server', '--listen', at, '--runtime', await other.at(), '--log-level', 'warn']);
  t.equal(await server.ended, 1);
  oneLine(t, server.stderr);
  t.match(server.stderr, `cannot listen at ${at}`);
});

void t.test('a server whose Runtime Manager is not there', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const role = new Role(t, ['server', '--listen', 'tcp://127.0.0.1:0', '--runtime', `tcp://127.0.0.1:${port}`]);
  t.equal(await role.ended, 1);
  oneLine(t, role.stderr);
  t.match(role.stderr, 'ECONNREFUSED');
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  void t.test(`${signal} ends both in good order, with a session open`, async (t) => {
    const manager = new Role(t, runtime());
    const server = new Role(t, ['server', '--listen', 'tcp://127.0.0.1:0', '--runtime', await manager.at(), '--log-level', 'warn']);
    const client = await VeracruzClient.connect({ url: await server.at(), identity: alice, authority: authority.certificate });
    await client.writeFile('/kept', Buffer.from('kept'));
    server.child.kill(signal);
    t.equal(await server.ended, 0);
    manager.child.kill(signal);
    t.equal(await manager.ended, 0);
    t.notMatch(server.stderr + manager.stderr, /"level":[56]0|Error/, 'nothing went wrong');
    t.match(server.stdout, /^listening at http:\/\/127\.0\.0\.1:\d+\n$/);
    await t.rejects(client.readFile('/kept'));
    await client.close();
  });
}
