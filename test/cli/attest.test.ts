/** `veracruz-streams attest` as a process: its state, its commands beside it, and what they refuse. */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeAuthority } from '../../lib/attestation/authority.js';
import type { AllowedRuntime, DeviceKey } from '../../lib/attestation/registry/index.js';
import { chainOf, Device, http } from '../roles/attestation-server-support.js';
import { within } from '../support/foreign.js';
import { attest, certified, emptyState, enrolled, folder, freshState, idOf, known, put, Server } from './attest-support.js';

void t.test('a state folder: made at the first start, and the commands beside a running server', async (t) => {
  const state = freshState();
  const where = ['--state', state];
  const device = enrolled(t, where);
  t.notOk(existsSync(join(state, 'ca.pem')), 'the commands need no authority');
  const first = new Server(t, where);
  const url = await first.url();
  t.equal(statSync(state).mode & 0o777, 0o700);
  t.equal(statSync(join(state, 'ca.key')).mode & 0o777, 0o600);
  t.equal(statSync(join(state, 'admin.sock')).mode & 0o777, 0o600);
  t.match(first.stderr, '"authority made: clients trust this certificate"');
  const ca = readFileSync(join(state, 'ca.pem'), 'utf8');
  t.equal((await http(url, { path: '/certificate', method: 'GET' })).body.toString(), ca);
  const { deviceId, token, answer } = await certified(url, device);
  const { root, certificate } = chainOf(answer);
  t.ok(new X509Certificate(ca).raw.equals(root));
  t.ok(new X509Certificate(certificate).verify(new X509Certificate(root).publicKey));

  const second = enrolled(t, where);
  t.equal((await certified(url, second)).answer.status, 200, 'what is enrolled and allowed while it runs counts at once');
  const keys = attest(['keys', ...where]);
  t.equal(keys.status, 0);
  t.match(keys.stdout, new RegExp(`^${idOf(second)}  since .*  rack 7\\n${idOf(device)}  since .*  rack 7\\n$`));
  t.same(
    (JSON.parse(attest(['keys', '--json', ...where]).stdout) as DeviceKey[]).map(({ id }) => id),
    [idOf(second), idOf(device)],
  );
  t.equal((JSON.parse(attest(['runtimes', '--json', ...where]).stdout) as AllowedRuntime[]).length, 2);
  t.match(attest(['runtimes', ...where]).stdout, `linux   ${device.runtimeHash.toString('hex')}  since `);
  t.match(
    attest(['devices', ...where]).stdout,
    new RegExp(`^ *\\d+  linux   [0-9a-f]{64}  .*\n *${deviceId}  linux   ${device.runtimeHash.toString('hex')}  .*\n$`),
  );
  t.match(attest(['devices', '--limit', '1', '--json', ...where]).stdout, /^\[\{[^{}]*\}\]\n$/);

  t.match(attest(['revoke', device.runtimeHash.toString('hex'), ...where]), { status: 0 });
  t.equal((await certified(url, device)).answer.status, 403);
  t.match(attest(['revoke-key', idOf(device), ...where]), { status: 0, stdout: `revoked ${idOf(device)}\n` });
  t.equal(await known(url, deviceId, token, device), false);
  t.match(attest(['keys', ...where]).stdout, `${idOf(device)}  REVOKED `);
  t.match(attest(['revoke-key', idOf(device), ...where]), { status: 2, stderr: /no key of this id/ });
  t.match(attest(['enroll', join(folder, 'device.pem'), '--json', ...where]).stdout, `{"id":"${idOf(second)}"`);

  const intruder = new Server(t, where);
  t.equal(await within('its refusal', intruder.ended), 1, 'a second server on one folder');
  t.match(intruder.stderr, new RegExp(`the registry is open in process ${first.child.pid} already`));
  t.equal((await certified(url, second)).answer.status, 200, 'the first is unharmed');

  t.equal(await first.end('SIGTERM'), 0);
  t.notOk(existsSync(join(state, 'admin.sock')));
  t.notMatch(first.stderr, /"level":[56]0/);
  const again = new Server(t, where);
  const there = await again.url();
  t.notMatch(again.stderr, 'authority made');
  t.equal(readFileSync(join(state, 'ca.pem'), 'utf8'), ca);
  t.equal((await certified(there, second)).answer.status, 200);
  t.match(attest(['forget', '0', '--json', ...where]), { status: 0, stdout: '{"forgotten":4}\n' });
  t.equal(await again.end('SIGINT'), 0);
});

void t.test('an authority of one’s own; a runtime that nobody lists; validity', async (t) => {
  const authority = makeAuthority({ commonName: 'my own' });
  const files = ['--ca-cert', put('ca.pem', authority.certificate), '--ca-key', put('ca.key', authority.key)];
  const state = await emptyState();
  const device = new Device();
  const enrol = attest(['enroll', put('own.pem', device.publicPem), '--state', state]);
  t.equal(enrol.status, 0, enrol.stderr);
  const server = new Server(t, [
    ...files,
    '--state',
    state,
    '--allow-any-runtime',
    '--days',
    '3',
    '--nitro-root',
    put('root.pem', authority.certificate),
  ]);
  const { answer } = await certified(await server.url(), device);
  const { root, certificate } = chainOf(answer);
  t.ok(root.equals(authority.certificateDer));
  const { validFrom, validTo } = new X509Certificate(certificate);
  t.equal(Date.parse(validTo) - Date.parse(validFrom), 3 * 86_400_000);
  t.match(server.stderr, 'ANY Runtime Manager is certified');
  t.notOk(existsSync(join(state, 'ca.pem')));
  t.equal(await server.end('SIGTERM'), 0);
});
