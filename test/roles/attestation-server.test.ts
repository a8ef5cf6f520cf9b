/** The attestation server's judgement: what passes, what does not and why, and what remains of it. */
import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { pemOf } from '../../lib/attestation/certificate.js';
import { InsecureNitroAttester } from '../../lib/attestation/evidence/index.js';
import { DeviceRegistry } from '../../lib/attestation/registry/index.js';
import { makeRequest } from '../../lib/attestation/request.js';
import { runtimeHashOf } from '../../lib/layers/tls/index.js';
import { databaseFolder } from '../support/databases.js';
import { seeded } from '../support/splits.js';
import { authority, chainOf, Device, FAILED, type HttpAnswer, nameless, Pas } from './attestation-server-support.js';
import '../support/processes.js';

const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl program on this machine';
const folder = mkdtempSync(join(tmpdir(), 'vc-pas-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** One for all tests: each has keys and hashes of its own in it. */
const registry = await DeviceRegistry.open({ folder: await databaseFolder() });
t.teardown(() => registry.close());
const clock = { now: 0 };
const nitroAttester = await InsecureNitroAttester.open({ keyFile: join(folder, 'nitro.pem'), runtimeHash: randomBytes(32) });
const pas = await Pas.start(t, { registry, clock: () => clock.now, nitroRoot: nitroAttester.root });

/** A device that is enrolled, with a runtime that is allowed. */
async function goodDevice(): Promise<Device> {
  const device = new Device();
  await registry.enrollKey(device.point);
  await registry.allowRuntime('linux', device.runtimeHash);
  return device;
}

void t.test('PSA: a challenge, a token, a certificate', async (t) => {
  for (const path of ['/PSA/AttestationToken', '/PSA']) {
    for (const shape of ['2207', 'head'] as const) {
      const device = await goodDevice();
      const { challenge, deviceId } = await pas.start();
      t.equal(challenge.length, 32);
      const name = shape === '2207' ? { name: 'enclave' } : {};
      const answer = await pas.psa(deviceId, device.token(challenge, { shape, ...name }), device.csr, path);
      const { root, certificate } = chainOf(answer);
      t.ok(root.equals(authority.certificateDer), 'the root, DER');
      const leaf = new X509Certificate(certificate);
      t.ok(leaf.verify(new X509Certificate(root).publicKey));
      t.ok(leaf.checkPrivateKey(device.enclaveKey), 'the key of the request');
      t.equal(leaf.subjectAltName, 'DNS:ComputeEnclave.dev');
      t.match(leaf.subject, 'CN=VeracruzCompute');
      t.ok(runtimeHashOf(new X509Certificate(certificate))?.equals(device.runtimeHash));
      t.equal(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom), 86_400_000, 'one day');
      t.match(await registry.findDevice(deviceId), {
        deviceId,
        pubkeyHash: createHash('sha256').update(device.point).digest('hex'),
        enclaveName: shape === '2207' ? 'enclave' : '',
        runtimeHash: device.runtimeHash.toString('hex'),
        platform: 'linux',
        firmwareVersion: '0.0',
      });
      t.match(pas.logs.at(-1), { level: 'info', event: 'device attested', figures: { device: deviceId, platform: 'linux' } });
    }
  }
});

void t.test('an RSA key of the enclave; IceCap; days', async (t) => {
  const device = new Device(randomBytes(32), generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey);
  await registry.enrollKey(device.point);
  await registry.allowRuntime('icecap', device.runtimeHash);
  const week = await Pas.start(t, { registry, days: 7 });
  const { answer, deviceId } = await week.attest(device);
  const leaf = new X509Certificate(chainOf(answer).certificate);
  t.equal(leaf.publicKey.asymmetricKeyType, 'rsa');
  t.equal(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom), 7 * 86_400_000);
  t.equal((await registry.findDevice(deviceId))?.platform, 'icecap');
});

void t.test('Nitro: a challenge, a document, a certificate', async (t) => {
  await registry.allowRuntime('nitro', nitroAttester.runtimeHash);
  for (const path of ['/Nitro/AttestationToken', '/Nitro']) {
    const { challenge, deviceId } = await pas.start('nitro');
    const device = new Device();
    const { root, certificate } = chainOf(await pas.nitro(deviceId, await nitroAttester.attest(challenge, device.csr), path));
    t.ok(root.equals(authority.certificateDer));
    t.ok(new X509Certificate(certificate).checkPrivateKey(device.enclaveKey));
    t.ok(runtimeHashOf(new X509Certificate(certificate))?.equals(nitroAttester.runtimeHash));
    t.match(await registry.findDevice(deviceId), { platform: 'nitro', pubkeyHash: '' });
  }
  const aws = await Pas.start(t, { registry });
  const { challenge, deviceId } = await aws.start('nitro');
  t.equal((await aws.nitro(deviceId, await nitroAttester.attest(challenge, new Device().csr))).status, 403, 'by default the root of AWS');
  t.match(aws.refusal, { code: 'ERR_VC_EVIDENCE_CHAIN', device: deviceId });
});

void t.test('openssl makes the request and verifies the chain', { skip: noOpenssl }, async (t) => {
  const run = (...parameters: string[]) => {
    const { status, stdout, stderr } = spawnSync('openssl', parameters, { encoding: 'utf8', cwd: folder });
    t.equal(status, 0, `${parameters[0]}: ${stderr}`);
    return stdout;
  };
  const forms = { ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'], rsa: ['rsa:2048'] };
  for (const [name, newkey] of Object.entries(forms)) {
    run('req', '-newkey', ...newkey, '-nodes', '-subj', '/O=Somebody/CN=else', '-keyout', 'k.pem', '-outform', 'DER', '-out', 'csr.der');
    const csr = readFileSync(join(folder, 'csr.der'));
    const device = await goodDevice();
    const { challenge, deviceId } = await pas.start();
    const token = device.token(challenge, { requestHash: createHash('sha256').update(csr).digest() });
    const { root, certificate } = chainOf(await pas.psa(deviceId, token, csr));
    writeFileSync(join(folder, 'ca.pem'), pemOf(root));
    writeFileSync(join(folder, 'leaf.pem'), pemOf(certificate));
    t.match(run('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'leaf.pem'), 'leaf.pem: OK', name);
    t.match(run('x509', '-in', 'leaf.pem', '-noout', '-subject'), /O ?= ?Somebody, CN ?= ?else/);
  }
});

void t.test('what does not pass: its own code in the log, one and the same answer outside', async (t) => {
  const device = await goodDevice();
  const stranger = new Device(device.runtimeHash);
  const unlisted = new Device();
  await registry.enrollKey(unlisted.point);
  const nitroOnly = new Device();
  await registry.enrollKey(nitroOnly.point);
  await registry.allowRuntime('nitro', nitroOnly.runtimeHash);
  const withdrawn = await goodDevice();
  await registry.revokeRuntime(withdrawn.runtimeHash);
  const lost = await goodDevice();
  await registry.revokeKey(createHash('sha256').update(lost.point).digest());
  const other = makeRequest(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const forged = Buffer.from(device.csr);
  forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
  const hashOf = (csr: Buffer) => ({ requestHash: createHash('sha256').update(csr).digest() });

  type Given = { challenge: Buffer; deviceId: number };
  const cases: [string, string, (given: Given) => Promise<HttpAnswer>][] = [
    ['no token', 'ERR_VC_EVIDENCE', ({ deviceId }) => pas.psa(deviceId, Buffer.alloc(0), device.csr)],
    ['no CBOR', 'ERR_VC_EVIDENCE', ({ deviceId }) => pas.psa(deviceId, randomBytes(200), device.csr)],
    ['a token over its limit', 'ERR_VC_LIMIT', ({ deviceId }) => pas.psa(deviceId, Buffer.alloc(65_537), device.csr)],
    ['another nonce', 'ERR_VC_CHALLENGE', ({ deviceId }) => pas.psa(deviceId, device.token(randomBytes(32)), device.csr)],
    ['another request', 'ERR_VC_CERTIFICATE_REQUEST', ({ challenge, deviceId }) => pas.psa(deviceId, device.token(challenge), other)],
    ['no request', 'ERR_VC_CERTIFICATE_REQUEST', ({ challenge, deviceId }) => pas.psa(deviceId, device.token(challenge), Buffer.alloc(0))],
    [
      'a request that its key did not sign',
      'ERR_VC_CERTIFICATE_REQUEST',
      ({ challenge, deviceId }) => pas.psa(deviceId, device.token(challenge, hashOf(forged)), forged),
    ],
    [
      'a key that is not enrolled',
      'ERR_VC_DEVICE_UNKNOWN',
      ({ challenge, deviceId }) => pas.psa(deviceId, stranger.token(challenge), device.csr),
    ],
    [
      'the same, unnamed',
      'ERR_VC_EVIDENCE_SIGNATURE',
      ({ challenge, deviceId }) => pas.psa(deviceId, nameless(stranger.token(challenge, hashOf(device.csr))), device.csr),
    ],
    ['a key that was revoked', 'ERR_VC_DEVICE_UNKNOWN', ({ challenge, deviceId }) => pas.psa(deviceId, lost.token(challenge), lost.csr)],
    [
      'a runtime that is not listed',
      'ERR_VC_RUNTIME_HASH',
      ({ challenge, deviceId }) => pas.psa(deviceId, unlisted.token(challenge), unlisted.csr),
    ],
    [
      'a runtime that is listed for Nitro',
      'ERR_VC_RUNTIME_HASH',
      ({ challenge, deviceId }) => pas.psa(deviceId, nitroOnly.token(challenge), nitroOnly.csr),
    ],
    [
      'a runtime that was revoked',
      'ERR_VC_RUNTIME_HASH',
      ({ challenge, deviceId }) => pas.psa(deviceId, withdrawn.token(challenge), withdrawn.csr),
    ],
    [
      'an expired challenge',
      'ERR_VC_CHALLENGE_EXPIRED',
      ({ challenge, deviceId }) => {
        clock.now += 60_001;
        return pas.psa(deviceId, device.token(challenge), device.csr);
      },
    ],
    [
      'a challenge of Nitro',
      'ERR_VC_CHALLENGE',
      async () => {
        const { challenge, deviceId } = await pas.start('nitro');
        return pas.psa(deviceId, device.token(challenge), device.csr);
      },
    ],
    [
      'a document for a challenge of PSA',
      'ERR_VC_CHALLENGE',
      async ({ challenge, deviceId }) => pas.nitro(deviceId, await nitroAttester.attest(challenge, device.csr)),
    ],
    ['a device that was given none', 'ERR_VC_CHALLENGE', ({ challenge }) => pas.psa(1, device.token(challenge), device.csr)],
    ['a device that cannot be', 'ERR_VC_CHALLENGE', ({ challenge }) => pas.psa(-5, device.token(challenge), device.csr)],
    [
      '/VerifyPAT of one that did not attest itself',
      'ERR_VC_DEVICE_UNKNOWN',
      ({ challenge, deviceId }) => pas.verify(deviceId, device.token(challenge), device.point),
    ],
  ];
  const answers = new Set<string>();
  for (const [what, code, ask] of cases) {
    const given = await pas.start();
    const answer = await ask(given);
    t.equal(answer.status, 403, what);
    t.equal(answer.body.toString(), FAILED);
    t.equal(pas.refusal.code, code, what);
    answers.add(JSON.stringify(answer));
  }
  t.equal(answers.size, 1, 'all alike, headers too');
  t.notMatch(JSON.stringify(pas.logs), /PRIVATE|BEGIN/);
  const { answer } = await pas.attest(device);
  t.equal(answer.status, 200, 'and the device passes when it does right');
});

void t.test('a challenge is burnt by any use', async (t) => {
  const device = await goodDevice();
  const { challenge, deviceId } = await pas.start();
  const token = device.token(challenge);
  t.equal((await pas.psa(deviceId, token, device.csr)).status, 200);
  t.equal((await pas.psa(deviceId, token, device.csr)).status, 403, 'replay');
  t.match(pas.refusal, { code: 'ERR_VC_CHALLENGE', device: deviceId });
  const second = await pas.start();
  t.equal((await pas.psa(second.deviceId, Buffer.from('wrong'), device.csr)).status, 403);
  t.equal((await pas.psa(second.deviceId, device.token(second.challenge), device.csr)).status, 403, 'the right one comes too late');
  t.match(pas.refusal, { code: 'ERR_VC_CHALLENGE', device: second.deviceId });
  const third = await pas.start();
  const right = device.token(third.challenge);
  const both = await Promise.all([pas.psa(third.deviceId, right, device.csr), pas.psa(third.deviceId, right, device.csr)]);
  t.same(both.map(({ status }) => status).sort(), [200, 403], 'two at once: one');
  t.equal((await pas.psa(third.deviceId + 1, right, device.csr)).status, 403, 'nor for another device');
});

void t.test('one bit changed in any byte of a token: refused', async (t) => {
  const device = await goodDevice();
  for (const shape of ['2207', 'head'] as const) {
    const bytes = device.token(randomBytes(32), { shape }).length;
    const passed: number[] = [];
    // Another bit of each byte; that all of them are seen is shown where tokens are verified.
    for (let at = 0; at < bytes; at++) {
      const { challenge, deviceId } = await pas.start();
      const token = device.token(challenge, { shape });
      token[at] = (token[at] as number) ^ (1 << (at & 7));
      const { status, body } = await pas.psa(deviceId, token, device.csr);
      if (status !== 403 || body.toString() !== FAILED) passed.push(at);
    }
    t.same(passed, [], `${bytes} bytes, ${shape}`);
    t.ok(bytes > 125);
  }
});

void t.test('one bit changed in a document: refused', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (at) => {
      const { challenge, deviceId } = await pas.start('nitro');
      const document = await nitroAttester.attest(challenge, new Device().csr);
      const bit = at % (document.length * 8);
      document[bit >> 3] = (document[bit >> 3] as number) ^ (1 << (bit & 7));
      t.equal((await pas.nitro(deviceId, document)).status, 403, `bit ${bit}`);
    }),
    seeded(60),
  );
});

void t.test('tokens that name no key: every key is tried, the newest first, up to the limit', async (t) => {
  const few = await Pas.start(t, { registry, maxKeysTried: 3 });
  const old = await goodDevice();
  const ask = async (device: Device) => {
    const { challenge, deviceId } = await few.start();
    return (await few.psa(deviceId, nameless(device.token(challenge)), device.csr)).status;
  };
  t.equal(await ask(old), 200, 'as the original makes it');
  await registry.enrollKey(new Device().point);
  const last = new Device();
  await registry.enrollKey(last.point);
  t.equal(await ask(old), 200, 'the third newest of three');
  await registry.enrollKey(new Device().point);
  t.equal(await ask(old), 403, 'the fourth newest of three');
  t.equal(few.refusal.code, 'ERR_VC_EVIDENCE_SIGNATURE');
  const { answer } = await few.attest(old);
  t.equal(answer.status, 200, 'a token that names its key needs no trying');
  t.match(few.logs, [{ level: 'warn', figures: { maxKeysTried: 3 } }]);
});

void t.test('no key is enrolled, no runtime allowed: nobody passes, and the log says so at the start', async (t) => {
  const bare = await DeviceRegistry.open({ folder: await databaseFolder() });
  t.teardown(() => bare.close());
  const server = await Pas.start(t, { registry: bare });
  t.match(server.logs, [
    { level: 'warn', event: /no runtime hash is allowed/ },
    { level: 'warn', event: /no device key is enrolled/ },
  ]);
  const device = new Device();
  const { challenge, deviceId } = await server.start();
  t.equal((await server.psa(deviceId, nameless(device.token(challenge)), device.csr)).status, 403);
  t.equal(server.refusal.code, 'ERR_VC_DEVICE_UNKNOWN');
  await bare.enrollKey(device.point);
  t.equal((await server.attest(device)).answer.status, 403);
  t.equal(server.refusal.code, 'ERR_VC_RUNTIME_HASH');

  const open = await Pas.start(t, { registry: bare, allowAnyRuntime: true });
  t.match(open.logs[0], { level: 'warn', event: /^ANY Runtime Manager/ });
  const { answer, deviceId: unlisted } = await open.attest(device);
  t.equal(answer.status, 200);
  t.equal((await bare.findDevice(unlisted))?.platform, 'psa', 'unlisted, of that protocol');
});

void t.test('/VerifyPAT', async (t) => {
  const device = await goodDevice();
  const { deviceId, answer } = await pas.attest(device);
  t.equal(answer.status, 200);
  const nonce = randomBytes(32);
  const token = device.token(nonce);
  for (const form of [token, nameless(token), nameless(token).subarray(1)]) {
    const { status, body } = await pas.verify(deviceId, form, device.point);
    t.equal(status, 200);
    const payload = Buffer.from(body.toString('latin1'), 'base64');
    t.equal(payload.toString('base64'), body.toString('latin1'));
    t.ok(payload.subarray(8, 40).equals(nonce), 'the payload, at the offsets of the original');
    t.ok(payload.subarray(47, 79).equals(device.runtimeHash));
  }
  const other = new Device();
  const compressed = Buffer.concat([Buffer.of(2 + ((device.point[64] as number) & 1)), device.point.subarray(1, 33)]);
  const refused: [string, number, Buffer, Buffer][] = [
    ['another device', deviceId + 1, token, device.point],
    ['device 0', 0, token, device.point],
    ['a negative device', -1, token, device.point],
    ['another key', deviceId, other.token(nonce), other.point],
    ['the token of another key', deviceId, other.token(nonce), device.point],
    ['a compressed key', deviceId, token, compressed],
    ['no key', deviceId, token, Buffer.alloc(0)],
    ['no token', deviceId, Buffer.alloc(0), device.point],
    ['a cut token', deviceId, token.subarray(0, -1), device.point],
  ];
  const answers = new Set<string>();
  for (const [what, id, form, key] of refused) {
    const answer = await pas.verify(id, form, key);
    t.equal(answer.status, 403, what);
    answers.add(JSON.stringify(answer));
  }
  t.equal(answers.size, 1);
  t.match(JSON.parse([...answers][0] as string), { status: 403 });

  await registry.revokeKey(createHash('sha256').update(device.point).digest());
  t.equal((await pas.verify(deviceId, token, device.point)).status, 403, 'the key was revoked');
  t.equal(pas.refusal.code, 'ERR_VC_DEVICE_UNKNOWN');
  await registry.enrollKey(device.point, { restore: true });
  t.equal((await pas.verify(deviceId, token, device.point)).status, 200);

  const historic = new Device();
  const row = { deviceId: 77, enclaveName: '', runtimeHash: '00'.repeat(32), platform: 'linux' };
  await registry.recordAttestation({ ...row, pubkeyHash: createHash('sha256').update(historic.point).digest('hex') });
  t.equal(
    (await pas.verify(77, historic.token(nonce), historic.point)).status,
    200,
    'a device of an old database, whose key nobody enrolled',
  );
});

void t.test('a name and a firmware version of any letters', async (t) => {
  const device = await goodDevice();
  for (const text of ["'); DROP TABLE devices; --", '\0\u001b[2J', '🗝️'.repeat(100), 'x'.repeat(5000)]) {
    const fields = { protocol: 'psa', firmware_version: text };
    t.equal((await pas.send('/Start', { oneof: 'start_msg', fields })).status, 200);
    const { answer, deviceId } = await pas.attest(device, { name: text });
    t.equal(answer.status, 200);
    const name = (await registry.findDevice(deviceId))?.enclaveName as string;
    t.ok(name.length > 0 && name.length <= 128);
    t.notMatch(name, /\p{Cc}/u);
  }
});

void t.test('a device id that somebody else has got meanwhile: no certificate for the second', async (t) => {
  const device = await goodDevice();
  const { challenge, deviceId } = await pas.start();
  const other = { pubkeyHash: 'ab'.repeat(32), enclaveName: '', runtimeHash: 'ab'.repeat(32), platform: 'linux' };
  await registry.recordAttestation({ deviceId, ...other });
  t.equal((await pas.psa(deviceId, device.token(challenge), device.csr)).status, 403);
  t.equal((await registry.findDevice(deviceId))?.pubkeyHash, other.pubkeyHash);
});

void t.test('devices are taken up to the limit; one more is 503', async (t) => {
  const small = await DeviceRegistry.open({ folder: await databaseFolder(), maxDevices: 1 });
  t.teardown(() => small.close());
  const server = await Pas.start(t, { registry: small });
  const device = new Device();
  await small.enrollKey(device.point);
  await small.allowRuntime('linux', device.runtimeHash);
  t.equal((await server.attest(device)).answer.status, 200);
  const { answer } = await server.attest(device);
  t.equal(answer.status, 503);
  t.equal(answer.body.toString(), 'the registry keeps at most 1 devices, and has them\n');
});
