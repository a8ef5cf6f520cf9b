/** How the roles' processes begin and end: signals, places that killed ones left, and who is waited for. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { until, within } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { Child, connectClient, freshFolder, managerIdentity, POLICY } from '../support/roles.js';
import '../support/processes.js';

const MAIN = join(PROJECT_ROOT, 'dist', 'lib', 'cli', 'main.js');
const folder = freshFolder(t);
const put = (name: string, text: string) => {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
  return join(folder, name);
};
const identity = managerIdentity();
const trust = [
  ...['--certificate', put('m.pem', identity.certificate), '--key', put('m.key', identity.key), '--policy', put('policy', POLICY)],
];
const socket = join(folder, 'manager.sock');

function runtime(t: Test, store = 'store'): Child {
  return new Child(t, [MAIN, 'runtime', '--listen', `unix://${socket}`, '--store', join(folder, store), ...trust]);
}

const where = async (child: Child) => (await child.line()).replace(/^listening at /, '');

void t.test('a manager on a Unix socket: killed, and started again', async (t) => {
  const killed = runtime(t);
  t.equal(await where(killed), `unix://${socket}`);
  const second = runtime(t, 'another');
  const [code] = (await within('the end of the second', second.exited)) as [number];
  t.equal(code, 1);
  t.match(second.stderr, /veracruz-streams: cannot listen at unix:\/\/.*: another process listens at that file \(EADDRINUSE\)/);
  t.notOk(existsSync(join(folder, 'another')), 'and it has touched nothing');
  await killed.kill('SIGKILL');
  t.ok(existsSync(socket), 'the killed one left its socket');
  const manager = runtime(t);
  await where(manager);

  const path = join(folder, 'server.sock');
  const server = new Child(t, [MAIN, 'server', '--listen', `unix://${path}`, '--runtime', `unix://${socket}`]);
  t.equal(await where(server), `unix://${path}`, 'a Server on one says where it listens');

  for (const child of [manager, server]) {
    child.process.kill('SIGHUP');
    await until('the signal is heard', () => child.stderr.includes('SIGHUP ignored'));
    child.process.kill('SIGTERM');
    t.same(await within('the end', child.exited), [0, null]);
  }
  t.notOk(existsSync(socket) || existsSync(path));
});

void t.test('a Server that is started first waits, and ends in good order while it does', async (t) => {
  const args = [MAIN, 'server', '--listen', 'tcp://127.0.0.1:0', '--runtime', `unix://${socket}`];
  const impatient = new Child(t, [...args, '--start-timeout-ms', '1']);
  t.same(await within('its end', impatient.exited), [1, null]);
  t.match(impatient.stderr, /veracruz-streams: cannot connect to unix:\/\/.*no such file/);
  const [told, waiting] = [new Child(t, args), new Child(t, args)];
  for (const child of [told, waiting]) await until('it waits', () => child.stderr.includes('the Runtime Manager is not there'));
  told.process.kill('SIGTERM');
  t.same(await within('its end', told.exited), [0, null]);
  await where(runtime(t));
  const client = await connectClient(t, await where(waiting));
  t.equal((await client.policyHash()).length, 64);
  await client.close();
});

void t.test('a client is told that its own certificate is about to expire', async (t) => {
  const [day, hour] = [86_400_000, 3_600_000];
  for (const [hours, warned] of [
    [20, false],
    [1, true],
  ] as const) {
    const own = makeIdentity({
      commonName: 'soon',
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + hours * hour),
    });
    const files = ['-i', put('own.pem', own.certificate), '-k', put('own.key', own.key)];
    const child = new Child(t, [
      MAIN,
      'client',
      put('policy', POLICY),
      ...files,
      '--url',
      'http://127.0.0.1:1',
      '-q',
      '-d',
      `/a=${files[1]}`,
    ]);
    await within('its end', child.exited);
    t.equal(/^veracruz-streams: WARNING: our certificate .*own\.pem expires at /m.test(child.stderr), warned, child.stderr);
  }
});
