/** One process to a folder: who has it is known, and who had it and was killed is not in the way. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { FolderLock } from '../../lib/attestation/registry/folder-lock.js';
import { DeviceRegistry } from '../../lib/attestation/registry/index.js';
import { identityOfProcess, type ProcessIdentity } from '../../lib/core/process-identity.js';
import { until } from '../support/foreign.js';
import { PROJECT_ROOT } from '../support/golden.js';
import { Child } from '../support/roles.js';
import { closing, freshFolder } from './registry-engines.js';
import '../support/processes.js';
import { putDatabase } from '../support/databases.js';

const CHILD = join(PROJECT_ROOT, 'dist', 'test', 'attestation', 'registry-child.js');
const child = (t: Pick<Test, 'teardown'>, ...args: string[]) => new Child(t, [CHILD, ...args]);
const linux = process.platform === 'linux' ? false : 'the start time of a process is read from /proc';

function folder(): string {
  const path = freshFolder();
  mkdirSync(path, { recursive: true });
  return path;
}
const locks = (path: string) => readdirSync(path).filter((name) => name.startsWith('lock'));
const written = (path: string, name: string) =>
  JSON.parse(readFileSync(join(path, name), 'utf8')) as { pid: number; host: string; began: string };

void t.test('taken once, and again when it was let go', async (t) => {
  const path = folder();
  const lock = FolderLock.take(path);
  t.match(written(path, 'lock.1'), { pid: process.pid, host: hostname() });
  t.throws(() => FolderLock.take(path), { code: 'ERR_VC_REGISTRY', got: process.pid, message: /in this process already/ });
  t.same(locks(path), ['lock.1'], 'a refusal leaves nothing behind');
  lock.release();
  const second = FolderLock.take(path);
  t.same(locks(path), ['lock.2']);
  second.release();
  second.release();
});

void t.test('another process has it: refused by name; killed: no hindrance', async (t) => {
  const path = folder();
  const holder = child(t, 'lock', path);
  t.equal(await holder.line(), 'held');
  t.throws(() => FolderLock.take(path), {
    code: 'ERR_VC_REGISTRY',
    got: holder.process.pid,
    message: new RegExp(`process ${holder.process.pid} `),
  });
  await holder.kill('SIGKILL');
  t.same(locks(path), ['lock.1'], 'it could not let go');
  FolderLock.take(path).release();
  t.same(locks(path), ['lock.2']);
});

void t.test('a process that was given the number of a dead one is another', { skip: linux }, async (t) => {
  const path = folder();
  FolderLock.take(path).release();
  const self = { pid: process.pid, host: hostname(), began: '0:0' };
  writeFileSync(join(path, 'lock.1'), JSON.stringify(self));
  FolderLock.take(path).release();
  t.same(locks(path), ['lock.2']);
});

void t.test('a holder that was killed and that nobody reaps is no hindrance', { skip: linux }, async (t) => {
  const path = folder();
  // What the shell becomes did not start the holder, and waits for no child.
  const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  t.teardown(() => process.kill(-(parent.pid as number), 'SIGKILL'));
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  const pid = Number(line);
  // The shell itself reaps, until it has become the other program.
  await until('what waits for no child', () => readFileSync(`/proc/${parent.pid}/comm`, 'latin1').startsWith('sleep'));
  const { start, boot } = identityOfProcess(pid) as ProcessIdentity;
  writeFileSync(join(path, 'lock.1'), JSON.stringify({ pid, host: hostname(), began: `${boot}:${start}` }));
  t.throws(() => FolderLock.take(path), { code: 'ERR_VC_REGISTRY', got: pid });
  process.kill(pid, 'SIGKILL');
  await until('a zombie', () => / Z \d+ /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')));
  FolderLock.take(path).release();
  t.same(locks(path), ['lock.2']);
});

void t.test('a process of another machine cannot be judged: refused, with the file to remove', async (t) => {
  const path = folder();
  writeFileSync(join(path, 'lock.4'), JSON.stringify({ pid: 1, host: 'elsewhere' }));
  t.throws(() => FolderLock.take(path), { code: 'ERR_VC_REGISTRY', message: new RegExp(`elsewhere.*remove ${path}/lock.4`) });
});

void t.test('what is no lock is no hindrance', async (t) => {
  for (const text of ['', '{', '{}', '[]', 'null', '{"pid":-1,"host":"x"}', '{"pid":"1","host":"x"}', '\0\0\0']) {
    const path = folder();
    writeFileSync(join(path, 'lock.1'), text);
    for (const name of ['lock.x', 'lock.01', 'lock.', 'lock.draft.1.x']) writeFileSync(join(path, name), '');
    FolderLock.take(path).release();
    t.ok(existsSync(join(path, 'lock.2')), JSON.stringify(text));
  }
});

void t.test('many that come for the lock of a killed process at once: one gets it', async (t) => {
  for (let round = 0; round < 3; round++) {
    const path = folder();
    const dead = child(t, 'lock', path);
    await dead.line();
    await dead.kill('SIGKILL');
    const comers = Array.from({ length: 5 }, () => child(t, 'lock', path));
    const said = await Promise.all(comers.map((comer) => comer.line()));
    t.equal(said.filter((line) => line === 'held').length, 1, said.join('; '));
    t.ok(said.every((line) => line === 'held' || line.startsWith('refused ')));
    await Promise.all(comers.map((comer) => comer.kill()));
  }
});

void t.test('a registry in a folder', async (t) => {
  const path = freshFolder();
  await putDatabase(path);
  const other = child(t, 'open', JSON.stringify({ folder: path }));
  t.equal(await other.line(), 'open');
  await t.rejects(DeviceRegistry.open({ folder: path }), { code: 'ERR_VC_REGISTRY', message: new RegExp(`process ${other.process.pid} `) });
  await other.kill('SIGKILL');
  const registry = closing(t, await DeviceRegistry.open({ folder: path }));
  t.same(await registry.listDevices(), []);
  await registry.close();
  const again = closing(t, await DeviceRegistry.open({ folder: path }));
  await again.ping();
});

void t.test('killed while the database is being made: made anew', async (t) => {
  const path = freshFolder();
  mkdirSync(join(path, 'data.draft', 'base'), { recursive: true });
  writeFileSync(join(path, 'data.draft', 'PG_VERSION'), '18\n');
  const registry = closing(t, await DeviceRegistry.open({ folder: path }));
  await registry.ping();
  t.notOk(existsSync(join(path, 'data.draft')));
});
