/** Certificates and requests, by the eyes of node:crypto and of the openssl program. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { issue, makeAuthority, readAuthority } from '../../lib/attestation/authority.js';
import { type KeyAlgorithm, makeKey, pemOf } from '../../lib/attestation/certificate.js';
import { makeIdentity } from '../../lib/attestation/identity.js';
import { ENCLAVE_SUBJECT, makeRequest } from '../../lib/attestation/request.js';
import '../support/processes.js';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl program on this machine';
const ALGORITHMS: readonly KeyAlgorithm[] = ['ec', 'rsa'];
const HASH = Buffer.alloc(32, 0xa5);
const DAY = 86_400_000;

const folder = mkdtempSync(join(tmpdir(), 'vc-pki-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const file = (name: string, bytes: string | Buffer) => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const openssl = (...parameters: string[]) => {
  const { status, stdout, stderr } = spawnSync('openssl', parameters, { encoding: 'utf8' });
  return { status, text: stdout + stderr };
};

void t.test('an authority, what it issues, and a request: in agreement with node:crypto', async (t) => {
  for (const algorithm of ALGORITHMS) {
    const authority = makeAuthority({ algorithm });
    const ca = new X509Certificate(authority.certificate);
    t.ok(ca.ca);
    t.ok(ca.verify(ca.publicKey));
    t.ok(ca.checkPrivateKey(createPrivateKey(authority.key)));
    t.ok(ca.raw.equals(authority.certificateDer));
    const key = makeKey('ec');
    const leaf = new X509Certificate(issue(authority, { request: makeRequest(key), san: ['ComputeEnclave.dev'], runtimeHash: HASH }));
    t.notOk(leaf.ca);
    t.ok(leaf.checkIssued(ca));
    t.ok(leaf.verify(ca.publicKey));
    t.ok(leaf.checkPrivateKey(key));
    t.equal(leaf.issuer, ca.subject);
    t.equal(leaf.subject, 'C=US\nST=Texas\nL=Austin\nO=Veracruz\nOU=Compute Enclave\nCN=VeracruzCompute');
    t.equal(leaf.subjectAltName, 'DNS:ComputeEnclave.dev');
    const lifetime = Date.parse(leaf.validTo) - Date.parse(leaf.validFrom);
    t.equal(lifetime, DAY, 'one day');
  }
});

void t.test('openssl agrees', { skip }, async (t) => {
  for (const algorithm of ALGORITHMS) {
    const authority = makeAuthority({ algorithm });
    const inner = makeKey(algorithm);
    const innerCertificate = pemOf(issue(authority, { subject: 'inner', publicKey: createPublicKey(inner), isCa: true }));
    const intermediate = readAuthority(innerCertificate, inner.export({ type: 'pkcs8', format: 'pem' }).toString());
    const key = makeKey('ec');
    const request = makeRequest(key);
    t.match(openssl('req', '-inform', 'DER', '-in', file('csr', request), '-noout', '-verify'), { status: 0 }, 'the request');
    const ca = file('ca.pem', authority.certificate);
    const leaf = file('leaf.pem', pemOf(issue(authority, { request, san: ['ComputeEnclave.dev'], runtimeHash: HASH })));
    const verified = openssl('verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', ca, leaf);
    t.match(verified, { status: 0 }, verified.text);
    const second = file('second.pem', pemOf(issue(intermediate, { request })));
    const chain = openssl('verify', '-x509_strict', '-CAfile', ca, '-untrusted', file('inner.pem', innerCertificate), second);
    t.match(chain, { status: 0 }, chain.text);
    const { text } = openssl('x509', '-in', leaf, '-noout', '-text');
    t.match(text, /Version: 3/);
    t.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
    t.match(text, /X509v3 Key Usage: critical\s+Digital Signature/);
    t.match(text, /TLS Web Server Authentication/);
    t.match(text, /DNS:ComputeEnclave\.dev/);
    t.match(text, /2\.5\.30\.1: ?\n/);
    t.match(openssl('x509', '-in', ca, '-noout', '-text').text, /Basic Constraints: critical\s+CA:TRUE[\s\S]*Certificate Sign, CRL Sign/);
    const identity = makeIdentity({ commonName: 'Alice Liddell', algorithm });
    const own = file('identity.pem', identity.certificate);
    const self = openssl('verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', own, file('policy.pem', identity.policyCertificate));
    t.match(self, { status: 0 }, self.text);
  }
});

void t.test('identities', async (t) => {
  for (const algorithm of ALGORITHMS) {
    const identity = makeIdentity({ commonName: 'Alice', algorithm });
    const certificate = new X509Certificate(identity.certificate);
    t.equal(certificate.publicKey.asymmetricKeyType, algorithm);
    t.ok(certificate.verify(certificate.publicKey));
    t.ok(certificate.checkPrivateKey(createPrivateKey(identity.key)));
    t.match(identity.policyCertificate, /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/]+=*\n-----END CERTIFICATE-----$/);
    t.ok(identity.certificate.endsWith('-----END CERTIFICATE-----\n'));
    t.ok(identity.certificate.split('\n').every((line) => line.length <= 64));
    t.ok(new X509Certificate(identity.policyCertificate).raw.equals(identity.certificateDer));
  }
  t.equal(new X509Certificate(makeIdentity({ commonName: 'x', isCa: true }).certificate).ca, true);
});

void t.test('validity: given, past, and beyond 2049', async (t) => {
  const notBefore = new Date('2049-12-31T23:59:59Z');
  const notAfter = new Date('2050-01-01T00:00:00Z');
  const certificate = new X509Certificate(makeIdentity({ commonName: 'x', notBefore, notAfter }).certificate);
  t.equal(Date.parse(certificate.validFrom), notBefore.getTime());
  t.equal(Date.parse(certificate.validTo), notAfter.getTime());
  t.throws(() => makeIdentity({ commonName: 'x', notBefore, notAfter: notBefore }), { code: 'ERR_VC_INVALID_ARGUMENT' });
  t.throws(() => makeAuthority({ days: 0 }), { code: 'ERR_VC_INVALID_ARGUMENT' });
});

void t.test('serials are positive, short, and no two alike', async (t) => {
  const serials = Array.from({ length: 50 }, () => new X509Certificate(makeIdentity({ commonName: 'x' }).certificate).serialNumber);
  t.equal(new Set(serials).size, 50);
  for (const serial of serials) t.match(serial, /^[4-7][0-9A-F]{31}$/);
});

void t.test('issue: subject and key of the caller, PEM too; neither is an error', async (t) => {
  const authority = makeAuthority();
  const publicKey = createPublicKey(makeKey('ec')).export({ type: 'spki', format: 'pem' }).toString();
  const certificate = new X509Certificate(issue(authority, { subject: 'someone', publicKey, usages: ['client'], days: 7 }));
  t.equal(certificate.subject, 'CN=someone');
  t.throws(() => issue(authority, { subject: 'someone' }), { code: 'ERR_VC_INVALID_ARGUMENT' });
  t.throws(() => issue(authority, { publicKey }), { code: 'ERR_VC_INVALID_ARGUMENT' });
  const renamed = new X509Certificate(
    issue(authority, { request: makeRequest(makeKey('ec')), subject: { ...ENCLAVE_SUBJECT, commonName: 'other' } }),
  );
  t.match(renamed.subject, /CN=other$/);
});

void t.test('readAuthority takes a CA with its own key, and nothing else', async (t) => {
  const authority = makeAuthority();
  t.same(readAuthority(authority.certificate, authority.key), authority);
  const identity = makeIdentity({ commonName: 'x' });
  t.throws(() => readAuthority(identity.certificate, identity.key), { code: 'ERR_VC_INVALID_ARGUMENT' });
  t.throws(() => readAuthority(authority.certificate, identity.key), { code: 'ERR_VC_INVALID_ARGUMENT' });
  t.throws(() => readAuthority('none', authority.key), { code: 'ERR_VC_INVALID_ARGUMENT' });
});
