/** The deployment by hand of docs/guides/run-the-four-roles.md: its commands as they stand there, but on free ports. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { putDatabase } from '../support/databases.js';
import { within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { commandsOf, type Ended, Shell } from './shell.js';

const sizesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => [name, statSync(join(folder, name)).size]);

void t.test('the commands of the guide, one after the other', async (t) => {
  const commands = commandsOf(readFileSync(join(PROJECT_ROOT, 'docs', 'guides', 'run-the-four-roles.md'), 'utf8'), 'deployment');
  t.match(commands.at(-1), /^cat /);
  const shell = new Shell(t, { programs: join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'demo', 'programs') });
  // How the first start makes a database is seen in attest.test.ts.
  await putDatabase(join(shell.folder, 'attestation', 'registry'));
  /** Places that stand in the guide, and what they are here. */
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
  t.match(made, {
    code: 0,
    stderr: 'made a new private key: device.key (0600)\n',
    stdout: /^-----BEGIN PUBLIC KEY-----\n[\s\S]*-----END PUBLIC KEY-----\n$/,
  });
  t.equal(statSync(file('device.key')).mode & 0o777, 0o600);
  const key = readFileSync(file('device.key'), 'utf8');
  t.match(await shell.run('veracruz-streams device device.key --out device.pem'), { code: 0, stdout: '', stderr: '' });
  t.equal(readFileSync(file('device.pem'), 'utf8'), made.stdout, 'the same key');
  t.match(await shell.run('veracruz-streams device device.key --out device.pem'), { code: 2, stderr: /exists.*ERR_VC_INVALID_ARGUMENT/ });
  t.match(await shell.run('veracruz-streams device other.key --out device.pem --force'), { code: 0 });
  t.not(readFileSync(file('device.pem'), 'utf8'), made.stdout);
  t.equal(readFileSync(file('device.key'), 'utf8'), key);
  t.match(await shell.run('veracruz-streams device --help'), { stdout: /A\s+key file that is not there is made/ });
  for (const [out, says] of [
    ['./device.key', /--out \.\/device\.key is the file of the private key/],
    ['new.key', /--out new\.key is the file of the private key/],
    ['device.pem', /device\.pem exists/],
    ['no/device.pem', /cannot write no\/device\.pem: ENOENT/],
  ] as const) {
    const force = out === 'device.pem' ? '' : '--force';
    const name = out === './device.key' ? 'device.key' : 'new.key';
    t.match(await shell.run(`veracruz-streams device ${name} --out ${out} ${force}`), { code: 2, stdout: '', stderr: says }, out);
  }
  t.equal(readFileSync(file('device.key'), 'utf8'), key, 'no private key is replaced');
  t.notOk(existsSync(file('new.key')), 'and none made where the public one cannot be written');
  writeFileSync(file('none.key'), 'no key');
  t.match(await shell.run('veracruz-streams device none.key'), {
    code: 2,
    stdout: '',
    stderr: /no private P-256 key in PEM \(ERR_VC_INVALID_OPTION\)/,
  });
  t.match(await shell.run('veracruz-streams device'), { code: 2, stderr: /missing required argument/ });
});
