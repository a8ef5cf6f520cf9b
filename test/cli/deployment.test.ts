/** The README's deployment by hand: its commands as they stand there, but on free ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { freshFolder } from '../support/roles.js';
import '../support/processes.js';
import { putDatabase } from '../support/databases.js';

const COMPILED = join(PROJECT_ROOT, 'dist', 'lib', 'cli');

/** The commands, those of several lines on one. */
function commandsOf(markdown: string): string[] {
  const [, block = ''] = /^```sh deployment\n([\s\S]*?)^```$/m.exec(markdown) ?? [];
  return block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean);
}

interface Ended {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A shell in a folder of its own, which knows the command by its name. */
class Shell {
  readonly folder: string;
  readonly #t: Test;

  constructor(t: Test) {
    this.#t = t;
    this.folder = freshFolder(t);
    const script = `#!/bin/sh\nexec '${process.execPath}' '${join(COMPILED, 'main.js')}' "$@"\n`;
    writeFileSync(join(this.folder, 'veracruz-streams'), script, { mode: 0o755 });
  }

  start(command: string): { child: ChildProcess; said: { stdout: string; stderr: string }; ended: Promise<Ended> } {
    const child = spawn('sh', ['-c', command], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: [this.folder, process.env.PATH].join(delimiter), programs: join(COMPILED, 'demo', 'programs') },
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] += text;
      });
    }
    const ended = once(child, 'close').then(([code, signal]) => ({ code: (code ?? signal) as Ended['code'], ...said }));
    this.#t.teardown(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    return { child, said, ended };
  }

  run(command: string): Promise<Ended> {
    return within(command, this.start(command).ended);
  }

  /** A role on a free port, when it listens. */
  async serve(command: string) {
    // In the shell's place: a signal is for the role.
    const role = this.start(`exec ${command} --listen tcp://127.0.0.1:0 --log-level error`);
    await until(`${command} listens`, () => {
      if (role.child.exitCode !== null) throw new Error(`${command}: ${role.said.stderr}`);
      return role.said.stdout.includes('\n');
    });
    return { ...role, at: role.said.stdout.replace(/^listening at (?:\w+:\/\/)?(.*)\n$/, '$1') };
  }
}

const sizesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => [name, statSync(join(folder, name)).size]);

void t.test('the commands of the README, one after the other', async (t) => {
  const commands = commandsOf(readFileSync(join(PROJECT_ROOT, 'README.md'), 'utf8'));
  t.match(commands.at(-1), /^cat /);
  const shell = new Shell(t);
  // How the first start makes a database is seen in attest.test.ts.
  await putDatabase(join(shell.folder, 'attestation', 'registry'));
  /** Places that stand in the README, and what they are here. */
  const places = new Map<string, string>();
  const roles = new Map<string, Awaited<ReturnType<Shell['serve']>>>();
  const isClient = (command: string) => command.startsWith('veracruz-streams client ');
  let clients = 0;
  for (const written of commands) {
    let command = written;
    for (const [there, here] of places) if (!isClient(command)) command = command.replaceAll(there, here);
    if (command.endsWith(' &')) {
      const [, name = ''] = command.split(' ');
      const role = await shell.serve(command.slice(0, -2));
      roles.set(name, role);
      places.set({ attest: '127.0.0.1:3010', runtime: '127.0.0.1:6000', server: '127.0.0.1:3011' }[name] as string, role.at);
      continue;
    }
    if (isClient(command)) {
      command += ` --url http://${places.get('127.0.0.1:3011')}`;
      if (++clients === 2) await tampered(t, shell, command);
    }
    const { code, stdout, stderr } = await shell.run(command);
    t.equal(code, 0, `${written}\n${stderr}`);
    if (written === commands.at(-1)) t.equal(stdout, 'ben\neve\n', 'what both have');
  }
  t.equal(clients, 2);
  t.same([...roles.keys()], ['attest', 'runtime', 'server']);
  for (const name of ['runtime', 'server', 'attest']) {
    const role = roles.get(name);
    // The output has ended the other two.
    if (name === 'attest') role?.child.kill('SIGTERM');
    t.match(await within(`the end of ${name}`, role?.ended as Promise<Ended>), { code: 0 }, name);
  }
});

/** A client whose policy says another runtime hash sends nothing, and says why. */
async function tampered(t: Test, shell: Shell, command: string): Promise<void> {
  const policy = JSON.parse(readFileSync(join(shell.folder, 'policy.json'), 'utf8')) as { runtime_manager_hash_linux: string };
  const { runtime_manager_hash_linux: hash } = policy;
  const other = `${hash.startsWith('0') ? '1' : '0'}${hash.slice(1)}`;
  writeFileSync(join(shell.folder, 'other.json'), JSON.stringify({ ...policy, runtime_manager_hash_linux: other }));
  const before = sizesIn(join(shell.folder, 'files'));
  const refused = await shell.run(command.replace('policy.json', 'other.json'));
  t.equal(refused.code, 1);
  t.match(refused.stderr, /runtime hash is none of those expected \(ERR_VC_CERTIFICATE\)\n$/);
  t.match(await shell.run(`${command.replace('policy.json', 'other.json')} --skip-runtime-hash`), {
    code: 1,
    stderr: /WARNING: the code of the Runtime Manager is not checked[^\n]*\n[\s\S]*another policy \(ERR_VC_CERTIFICATE\)\n$/,
  });
  t.same(sizesIn(join(shell.folder, 'files')), before, 'nothing has come to the store');
}

void t.test('measure and device', async (t) => {
  const shell = new Shell(t);
  const hash = (await shell.run('veracruz-streams measure')).stdout;
  t.match(hash, /^[0-9a-f]{64}\n$/);
  t.same(JSON.parse((await shell.run('veracruz-streams measure --json')).stdout), { runtimeHash: hash.trim() });

  const file = (name: string) => join(shell.folder, name);
  const made = await shell.run('veracruz-streams device device.key');
  t.match(made, { code: 0, stderr: '', stdout: /^-----BEGIN PUBLIC KEY-----\n[\s\S]*-----END PUBLIC KEY-----\n$/ });
  t.equal(statSync(file('device.key')).mode & 0o777, 0o600);
  const key = readFileSync(file('device.key'), 'utf8');
  t.match(await shell.run('veracruz-streams device device.key --out device.pem'), { code: 0, stdout: '', stderr: '' });
  t.equal(readFileSync(file('device.pem'), 'utf8'), made.stdout, 'the same key');
  t.match(await shell.run('veracruz-streams device device.key --out device.pem'), { code: 2, stderr: /exists.*ERR_VC_INVALID_ARGUMENT/ });
  t.match(await shell.run('veracruz-streams device other.key --out device.pem --force'), { code: 0 });
  t.not(readFileSync(file('device.pem'), 'utf8'), made.stdout);
  t.equal(readFileSync(file('device.key'), 'utf8'), key);
  writeFileSync(file('none.key'), 'no key');
  t.match(await shell.run('veracruz-streams device none.key'), {
    code: 2,
    stdout: '',
    stderr: /no private P-256 key in PEM \(ERR_VC_INVALID_OPTION\)/,
  });
  t.match(await shell.run('veracruz-streams device'), { code: 2, stderr: /missing required argument/ });
});
