/** The operator's commands on a registry that a server has open, over a Unix socket. */
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { ADMIN_METHODS, type RegistryAdmin } from '../../lib/attestation/registry/admin.js';
import { DeviceRegistry, listenAdmin, type Platform, RegistryClient } from '../../lib/attestation/registry/index.js';
import { databaseFolder } from '../support/databases.js';
import { until, within } from '../support/foreign.js';
import { closing, device, freshFolder, HASH, pemOfKey, publicKey } from './registry-engines.js';

const folder = freshFolder();
mkdirSync(folder, { recursive: true });
const path = join(folder, 'admin.sock');
const registry = closing(t, await DeviceRegistry.open({ folder: await databaseFolder() }));
// What a killed server left there.
writeFileSync(path, 'stale');
const stop = await listenAdmin(registry, path);
t.teardown(stop);
const client = new RegistryClient(path);

/** What the socket answers to these bytes. */
async function say(bytes: string | Buffer): Promise<unknown> {
  const socket = connect(path);
  socket.on('error', () => {});
  socket.write(bytes);
  return JSON.parse(await within('an answer', text(socket)));
}

void t.test('it is its owner’s alone', async (t) => {
  t.ok(statSync(path).isSocket());
  t.equal(statSync(path).mode & 0o777, 0o600);
});

void t.test('every call gives what the registry itself does', async (t) => {
  const pem = pemOfKey(publicKey());
  const key = await client.enrollKey(pem, { label: "'); DROP TABLE device_keys; --" });
  t.same(key, await registry.findKey(key.id), 'dates included');
  t.same(await client.listKeys(), await registry.listKeys());
  t.equal(await client.revokeKey(key.id), true);
  t.equal(await client.revokeKey(key.id), false);
  await t.rejects(client.enrollKey(pem), { code: 'ERR_VC_INVALID_ARGUMENT', message: /revoked/ });
  t.equal((await client.enrollKey(pem, { restore: true })).revokedAt, null);

  const label = new Date().toISOString();
  const runtime = await client.allowRuntime('linux', HASH, { label });
  t.same(runtime, (await registry.listRuntimes())[0]);
  t.equal(runtime.label, label, 'a label that looks like a date is a label');
  t.same(await client.listRuntimes(), await registry.listRuntimes());
  t.equal(await client.revokeRuntime(HASH, 'nitro'), false);
  t.equal(await client.revokeRuntime(HASH), true);

  const [older, newer] = [await registry.recordAttestation(device()), await registry.recordAttestation(device())];
  t.same(await client.listDevices(), [newer, older]);
  t.same(await client.listDevices(1), [newer]);
  t.equal(await client.forgetDevices(newer.attestedAt), 1);
  t.same(await client.listDevices(), [newer]);
  await client.close();
});

void t.test('errors come over as they were thrown', async (t) => {
  await t.rejects(client.allowRuntime('sgx' as Platform, HASH), { code: 'ERR_VC_INVALID_ARGUMENT', name: 'InvalidArgumentError' });
  await t.rejects(client.listDevices(0), { code: 'ERR_VC_INVALID_ARGUMENT' });
  await t.rejects(client.enrollKey('x'.repeat(20_000)), { code: 'ERR_VC_LIMIT' });
  await t.rejects(new RegistryClient(join(folder, 'nobody')).listKeys(), { code: 'ERR_VC_TRANSPORT' });
});

void t.test('what is no call is answered as an error, and nothing else can be called', async (t) => {
  const calls = ['', '{}', 'null', '[]', '{"call":"listKeys"}', '{"call":"listKeys","with":{}}', '\0', '{"call":1,"with":[]}'];
  for (const name of ['close', 'constructor', 'recordAttestation', '__proto__', 'toString'])
    calls.push(JSON.stringify({ call: name, with: [] }));
  for (const call of calls) t.match(await say(`${call}\n`), { error: { code: 'ERR_VC_INVALID_ARGUMENT' } }, call);
  for (const call of ADMIN_METHODS) {
    for (const parameter of [null, 1, {}, [[]], { length: 64 }]) {
      const outcome = (await say(`${JSON.stringify({ call, with: [parameter, parameter, parameter] })}\n`)) as object;
      t.ok('error' in outcome || call.startsWith('list') || call === 'forgetDevices', `${call} ${JSON.stringify(parameter)}`);
    }
  }
  t.ok(await client.listKeys(), 'it is still there');
});

void t.test('a call at the limit, and one over', async (t) => {
  const call = `${JSON.stringify({ call: 'listKeys', with: [] })}\n`;
  t.match(await say(call.padStart(16_384)), { result: [] });
  t.match(await say(call.padStart(16_385)), { error: { code: 'ERR_VC_LIMIT' } });
});

void t.test('a call in pieces, and one that its caller leaves', async (t) => {
  const call = `${JSON.stringify({ call: 'listKeys', with: [] })}\n`;
  const socket = connect(path);
  for (const letter of call) await new Promise<void>((resolve) => socket.write(letter, () => resolve()));
  t.match(JSON.parse(await within('an answer', text(socket))), { result: [] });
  const gone = connect(path);
  gone.write('{"call":');
  gone.destroy();
  t.ok(await client.listKeys());
});

void t.test('calls at once: at the limit, and one over', async (t) => {
  const works = () =>
    client.listKeys().then(
      () => true,
      () => false,
    );
  const idle = Array.from({ length: 15 }, () => connect(path).on('error', () => {}));
  t.teardown(() => {
    for (const socket of idle) socket.destroy();
  });
  await Promise.all(idle.map((socket) => once(socket, 'connect')));
  t.equal(await works(), true, 'the sixteenth');
  const last = connect(path).on('error', () => {});
  idle.push(last);
  await once(last, 'connect');
  await until('the sixteenth is taken', async () => !(await works()));
  await t.rejects(client.listKeys(), { code: 'ERR_VC_TRANSPORT' }, 'the seventeenth');
  for (const socket of idle) socket.destroy();
  await until('room again', works);
});

void t.test('somebody who listens there and is no server of ours', async (t) => {
  const other = join(folder, 'other');
  const server = createServer((socket) => socket.end('hello\n')).listen(other);
  t.teardown(() => server.close());
  await t.rejects(new RegistryClient(other).listKeys(), { code: 'ERR_VC_TRANSPORT' });
});

void t.test('the arrival of a call is timed, not how long it is carried out', async (t) => {
  const slow = join(folder, 'slow');
  const listKeys = async () => {
    await new Promise((go) => setTimeout(go, 2500));
    return [];
  };
  const stopSlow = await listenAdmin({ listKeys } as unknown as RegistryAdmin, slow, 1000);
  t.teardown(stopSlow);
  t.same(await new RegistryClient(slow).listKeys(), []);
  const silent = connect(slow).on('error', () => {});
  await within('the end of a call that does not come', once(silent, 'close'));
});

void t.test('stopped: the file is gone; a place that is none is refused', async (t) => {
  await stop();
  t.notOk(existsSync(path));
  await t.rejects(client.listKeys(), { code: 'ERR_VC_TRANSPORT' });
  await t.rejects(listenAdmin(registry, join(folder, 'no', 'such')), { code: 'ERR_VC_TRANSPORT' });
});
