/** The two stand-ins for a platform: keys made once and kept, evidence that verifies. */
import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { pemOf } from '../../../lib/attestation/certificate.js';
import {
  type Attester,
  InsecureNitroAttester,
  InsecureSoftwareAttester,
  psaPoint,
  verifyNitroDocument,
  verifyPsaToken,
} from '../../../lib/attestation/evidence/index.js';
import { makeRequest } from '../../../lib/attestation/request.js';
import { certify, root } from './nitro-pki.js';
import { newKey, outcome, sha256 } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'vc-attester-'));
t.teardown(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = () => join(folder, `key-${++files}.pem`);
const runtimeHash = randomBytes(32);
const challenge = randomBytes(32);
const request = makeRequest(newKey('P-256'));

void t.test('PSA, in software: what it makes verifies with the key that it shows', async (t) => {
  const keyFile = fresh();
  const attester: Attester & InsecureSoftwareAttester = await InsecureSoftwareAttester.open({ keyFile, runtimeHash });
  t.equal(attester.protocol, 'psa');
  t.same(attester.runtimeHash, runtimeHash);
  t.same(psaPoint(attester.publicKeyPem), attester.publicKey);
  const claims = verifyPsaToken(await attester.attest(challenge, request), { publicKey: attester.publicKey, challenge, request });
  t.match(claims, { shape: '2207', runtimeHash, requestHash: sha256(request), name: '' });
  const head = await InsecureSoftwareAttester.open({ keyFile, runtimeHash, shape: 'head' });
  t.same(head.publicKey, attester.publicKey, 'the key is the one of before');
  t.match(verifyPsaToken(await head.attest(challenge, request), { publicKey: attester.publicKey, challenge, request }), { shape: 'head' });
  const named = await InsecureSoftwareAttester.open({ keyFile, runtimeHash, name: 'enclave' });
  t.match(verifyPsaToken(await named.attest(challenge, request), { publicKey: named.publicKey, challenge, request }), { name: 'enclave' });
  await t.rejects(attester.attest(challenge.subarray(1), request), { code: 'ERR_VC_INVALID_ARGUMENT' });
});

void t.test('Nitro, under a root of its own', async (t) => {
  const keyFile = fresh();
  const attester: Attester & InsecureNitroAttester = await InsecureNitroAttester.open({ keyFile, runtimeHash });
  t.equal(attester.protocol, 'nitro');
  t.same(attester.runtimeHash, runtimeHash);
  t.match(new X509Certificate(attester.root).subject, 'INSECURE');
  const options = { root: attester.root, challenge, request };
  const [first, second] = [await attester.attest(challenge, request), await attester.attest(challenge, request)];
  const evidence = verifyNitroDocument(first, { ...options, userData: 'request' });
  t.same([evidence.runtimeHash, evidence.userData, evidence.pcrs.size], [runtimeHash, request, 16]);
  t.equal(first[0], 0x84, 'untagged');
  t.notSame(first.subarray(0, -96), second.subarray(0, -96), 'a leaf of its own for each');
  t.equal(
    outcome(() => verifyNitroDocument(first, { challenge, request })),
    'EvidenceChainError',
    'nothing that AWS vouches for',
  );
  const head = await InsecureNitroAttester.open({ keyFile, runtimeHash, userData: 'hash', tagged: true });
  t.equal(head.root, attester.root, 'the root is the one of before, byte by byte');
  const document = await head.attest(challenge, request);
  t.equal(document[0], 0xd2);
  t.same(verifyNitroDocument(document, { ...options, userData: 'hash' }).userData, sha256(request));
});

type Open = (options: { keyFile: string; runtimeHash: Buffer }) => Promise<InsecureSoftwareAttester | InsecureNitroAttester>;
const OPENERS: readonly Open[] = [(options) => InsecureSoftwareAttester.open(options), (options) => InsecureNitroAttester.open(options)];

void t.test('the key file: its owner alone, made once, nothing left beside it', async (t) => {
  for (const open of OPENERS) {
    const own = mkdtempSync(join(folder, 'own-'));
    const keyFile = join(own, 'device.pem');
    const all = await Promise.all(Array.from({ length: 8 }, () => open({ keyFile, runtimeHash })));
    t.same(readdirSync(own), ['device.pem'], 'no draft');
    t.equal(statSync(keyFile).mode & 0o777, 0o600);
    const content = readFileSync(keyFile, 'utf8');
    t.match(content, /^-----BEGIN PRIVATE KEY-----/);
    const shown = all.map((each) => ('root' in each ? each.root : each.publicKeyPem));
    t.equal(new Set(shown).size, 1, 'all who came at once have the key of the first');
    await open({ keyFile, runtimeHash });
    t.equal(readFileSync(keyFile, 'utf8'), content, 'it is not written again');
  }
});

void t.test('key files that are none', async (t) => {
  const pem = (key = newKey('P-256')) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const [p256, p384] = [newKey('P-256'), newKey('P-384')];
  const certificate = pemOf(root.der);
  const leaf = certify('leaf', { by: root, isCa: false });
  const ofPsa = ['', 'no key', pem(p384), createPublicKey(p256).export({ type: 'spki', format: 'pem' }).toString(), certificate];
  const ofNitro = ['', 'no key', pem(p384), certificate, pem(p384) + certificate, pem(leaf.key) + pemOf(leaf.der)];
  for (const [i, open] of OPENERS.entries()) {
    for (const content of i === 0 ? ofPsa : ofNitro) {
      const keyFile = fresh();
      writeFileSync(keyFile, content);
      await t.rejects(open({ keyFile, runtimeHash }), { code: 'ERR_VC_INVALID_OPTION', message: /^the key file has/ });
      t.equal(readFileSync(keyFile, 'utf8'), content, 'and it is left alone');
    }
    const directory = fresh();
    mkdirSync(directory);
    await t.rejects(open({ keyFile: directory, runtimeHash }), { code: 'ERR_VC_INVALID_OPTION', message: /EISDIR/ });
    await t.rejects(open({ keyFile: join(folder, 'no', 'such', 'folder'), runtimeHash }), {
      code: 'ERR_VC_INVALID_OPTION',
      message: /ENOENT/,
    });
  }
});

void t.test('options that are none', async (t) => {
  for (const open of OPENERS) {
    await t.rejects(open({ keyFile: fresh(), runtimeHash: Buffer.alloc(48) }), {
      code: 'ERR_VC_INVALID_ARGUMENT',
      expected: 32,
      got: 48,
    });
  }
  await t.rejects(InsecureSoftwareAttester.open({ keyFile: fresh(), shape: 'new' as 'head' }), { code: 'ERR_VC_INVALID_OPTION' });
  await t.rejects(InsecureNitroAttester.open({ keyFile: fresh(), userData: 'either' as 'hash' }), { code: 'ERR_VC_INVALID_OPTION' });
  t.notOk(readdirSync(folder).includes(`key-${files}.pem`), 'and no key is made for them');
});
