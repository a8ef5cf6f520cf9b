/** Certificate signing requests, and what an enclave gets for one: by the eyes of node:crypto and of the openssl program. */
import { spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { issue, issueEnclaveCertificate, makeAuthority } from '../../lib/attestation/authority.js';
import { makeCertificate, makeKey, nameOf, pemOf, publicKeyInfo, signed } from '../../lib/attestation/certificate.js';
import { makeRequest, readRequest } from '../../lib/attestation/request.js';
import { VeracruzError } from '../../lib/core/errors.js';
import { bits, implicit, integer, nil, octets, oid, printable, sequence, set, tagged, toDer, utf8 } from '../../lib/layers/formats/asn1.js';
import '../support/processes.js';

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl program on this machine';
const HASH = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const DAY = 86_400_000;
const REFUSED = { code: 'ERR_VC_CERTIFICATE_REQUEST' };

const folder = mkdtempSync(join(tmpdir(), 'vc-csr-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const openssl = (...parameters: string[]) => {
  const { status, stdout, stderr } = spawnSync('openssl', parameters, { encoding: 'utf8' });
  return { status, text: stdout + stderr };
};

const key = makeKey('ec');
const ec = makeRequest(key);
const rsa = makeRequest(makeKey('rsa'));
const authority = makeAuthority();

void t.test('a request: its key, and nothing but the original', async (t) => {
  t.ok(readRequest(ec).publicKey.equals(createPublicKey(key)));
  t.equal(readRequest(rsa).publicKey.asymmetricKeyType, 'rsa');
  for (const request of [ec, rsa]) {
    const accepted: number[] = [];
    const foreign: unknown[] = [];
    for (let bit = 0; bit < request.length * 8; bit++) {
      const bad = Buffer.from(request);
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      try {
        readRequest(bad);
        accepted.push(bit);
      } catch (thrown) {
        if (!(thrown instanceof VeracruzError && thrown.code === REFUSED.code)) foreign.push(thrown);
      }
    }
    t.same([accepted, foreign], [[], []], `${request.length * 8} bits`);
    for (let end = 0; end < request.length; end++) t.throws(() => readRequest(request.subarray(0, end)), REFUSED, `${end} bytes`);
    t.throws(() => readRequest(Buffer.concat([request, Buffer.of(0)])), REFUSED, 'one byte more');
    t.throws(() => readRequest(Buffer.concat([request, request])), REFUSED, 'twice');
  }
});

void t.test('requests of each other: keys, subjects and signatures do not mix', async (t) => {
  const info = (subject: string, of: KeyObject) =>
    sequence(integer(Buffer.of(0)), nameOf({ commonName: subject }), publicKeyInfo(createPublicKey(of)), tagged(0));
  t.doesNotThrow(() => readRequest(signed(info('x', key), key)));
  t.throws(() => readRequest(signed(info('x', key), makeKey('ec'))), REFUSED, 'signed by another');
  t.throws(() => readRequest(signed(info('x', key), makeKey('rsa'))), REFUSED, 'by another kind of key');
  t.throws(() => readRequest(toDer(sequence(info('x', key), sequence(), bits(Buffer.alloc(70))))), REFUSED, 'by nobody');
  const noName = sequence(integer(Buffer.of(0)), sequence(), publicKeyInfo(createPublicKey(key)), tagged(0));
  t.throws(() => readRequest(signed(noName, key)), REFUSED, 'of nobody');
});

void t.test('requests that their key signed, and that are none all the same', async (t) => {
  const [version, keyInfo, attributes] = [integer(Buffer.of(0)), publicKeyInfo(createPublicKey(key)), tagged(0)];
  const name = nameOf({ commonName: 'x' });
  const part = (...pair: Parameters<typeof sequence>) => sequence(set(sequence(...pair)));
  const type = oid('2.5.4.3');
  const of = (subject: typeof name) => sequence(version, subject, keyInfo, attributes);
  t.doesNotThrow(() => readRequest(signed(of(part(type, printable('x'))), key)));
  const refused: Readonly<Record<string, typeof name>> = {
    'a text for a version': sequence(utf8('v'), name, keyInfo, attributes),
    'version 2': sequence(integer(Buffer.of(1)), name, keyInfo, attributes),
    'no version': sequence(name, keyInfo, attributes),
    'no attributes': sequence(version, name, keyInfo),
    'attributes under another tag': sequence(version, name, keyInfo, tagged(1)),
    'attributes that are bytes': sequence(version, name, keyInfo, implicit(0, Buffer.alloc(0))),
    'one part more': sequence(version, name, keyInfo, attributes, nil()),
    'a set of parts': set(version, name, keyInfo, attributes),
    'a subject that is a set': of(set(sequence(type, utf8('x')))),
    'a subject under a tag': of(tagged(3, octets(Buffer.from('x')))),
    'bytes in a subject': of(sequence(octets(Buffer.from('x')))),
    'a sequence where a set belongs': of(sequence(sequence(sequence(type, utf8('x'))))),
    'an empty set in a subject': of(sequence(set())),
    'a name without its type': of(part(utf8('x'))),
    'a type that is a text': of(part(utf8('x'), utf8('x'))),
    'a name without its text': of(part(type)),
    'bytes for a text': of(part(type, octets(Buffer.from('x')))),
    'a text that is no UTF-8': of(part(type, { ...utf8(''), value: '\xff' })),
    'a text too many': of(part(type, utf8('x'), utf8('y'))),
  };
  for (const [what, info] of Object.entries(refused)) {
    const request = signed(info, key);
    t.throws(() => readRequest(request), REFUSED, what);
    t.throws(() => issueEnclaveCertificate(authority, { request, runtimeHash: HASH }), REFUSED, what);
  }
});

void t.test('subjects that no certificate is issued for', async (t) => {
  const ofName = (...parts: readonly (readonly [type: string, text: ReturnType<typeof utf8>])[]) => {
    const name = sequence(...parts.map(([type, text]) => set(sequence(oid(type), text))));
    return signed(sequence(integer(Buffer.of(0)), name, publicKeyInfo(createPublicKey(key)), tagged(0)), key);
  };
  const CN = '2.5.4.3';
  const many = (count: number) => ofName(...Array.from({ length: count }, (_, i) => [CN, utf8(`${i}`)] as const));
  const taken: Readonly<Record<string, Buffer>> = {
    'a text of 128 bytes': ofName([CN, utf8('x'.repeat(128))]),
    '16 parts': many(16),
    Greek: ofName([CN, utf8('Ελλάδα')]),
    'a name like that of the authority': ofName([CN, utf8('Veracruz Proxy Attestation Server')]),
  };
  for (const [what, request] of Object.entries(taken)) {
    const certificate = new X509Certificate(issueEnclaveCertificate(authority, { request, runtimeHash: HASH }));
    t.equal(certificate.issuer, new X509Certificate(authority.certificate).subject, what);
  }
  const O = '2.5.4.10';
  const [organization, own] = ['Veracruz', 'Veracruz Proxy Attestation Server'];
  const refused: Readonly<Record<string, Buffer>> = {
    'a name of 15 KB': ofName([CN, utf8('x'.repeat(15_000))]),
    'one byte over': ofName([CN, utf8('x'.repeat(129))]),
    'an empty text': ofName([CN, utf8('')]),
    '17 parts': many(17),
    NUL: ofName([CN, utf8('ComputeEnclave.dev\0.example')]),
    'NUL in a text of bytes': ofName([CN, printable('a\0b')]),
    'a line feed': ofName([CN, utf8('a\nCN=b')]),
    'a C1 control': ofName([CN, utf8('a\u0085b')]),
    'text that turns round': ofName([CN, utf8('a\u202eb')]),
    'BMPString, two bytes a character': ofName([CN, { ...utf8('xx'), type: 30 }]),
    "the authority's own": ofName([O, utf8(organization)], [CN, utf8(own)]),
    'the same in capitals': ofName([O, utf8(organization.toUpperCase())], [CN, utf8(own.toUpperCase())]),
    'the same with more spaces': ofName([O, utf8(organization)], [CN, utf8(own.replaceAll(' ', '   '))]),
    'the same in another encoding': ofName([O, printable(organization)], [CN, printable(own)]),
  };
  for (const [what, request] of Object.entries(refused)) {
    t.throws(() => issueEnclaveCertificate(authority, { request, runtimeHash: HASH }), REFUSED, what);
  }
  const name = { organization, commonName: own };
  t.throws(() => issue(authority, { subject: name, publicKey: createPublicKey(key) }), { code: 'ERR_VC_INVALID_ARGUMENT' });
});

void t.test('what comes of a certificate can be read, or it is not made', async (t) => {
  const content = { issuer: { commonName: 'x' }, publicKey: createPublicKey(key), isCa: false };
  t.doesNotThrow(() => makeCertificate({ ...content, subject: { commonName: 'x' } }, key));
  t.throws(() => makeCertificate({ ...content, subject: sequence(octets(Buffer.from('x'))) }, key), { code: 'ERR_VC_INVALID_ARGUMENT' });
});

void t.test('keys that no certificate is issued for', async (t) => {
  const ofRsa = (modulusLength: number, publicExponent = 65_537) =>
    generateKeyPairSync('rsa', { modulusLength, publicExponent }).privateKey;
  const ofCurve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
  t.doesNotThrow(() => readRequest(makeRequest(ofRsa(3072))));
  const refused: ReadonlyArray<readonly [what: string, key: KeyObject]> = [
    ['RSA of 1,024 bits', ofRsa(1024)],
    ['RSA of 2,040 bits', ofRsa(2040)],
    ['RSA with exponent 3', ofRsa(2048, 3)],
    ['P-384', ofCurve('P-384')],
    ['P-521', ofCurve('P-521')],
    ['P-224', ofCurve('secp224r1')],
    ['secp256k1', ofCurve('secp256k1')],
  ];
  for (const [what, weak] of refused) {
    t.throws(() => readRequest(makeRequest(weak)), { ...REFUSED, message: /a certificate is issued for EC P-256/ }, what);
    t.throws(() => issueEnclaveCertificate(authority, { request: makeRequest(weak), runtimeHash: HASH }), REFUSED, what);
  }
  t.throws(() => makeRequest(generateKeyPairSync('ed25519').privateKey), { code: 'ERR_VC_INVALID_ARGUMENT' });
});

void t.test('RSA of 8,192 bits is looked at, a longer one is not: to check its signature takes for ever', async (t) => {
  const unsigned = (bytes: number) => {
    const n = Buffer.alloc(bytes, 0xff).toString('base64url');
    const modulus = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
    const info = sequence(integer(Buffer.of(0)), nameOf({ commonName: 'x' }), publicKeyInfo(modulus), tagged(0));
    return toDer(sequence(info, sequence(), bits(Buffer.alloc(bytes))));
  };
  t.throws(() => readRequest(unsigned(1024)), { ...REFUSED, message: /not signed by its own key/ });
  t.throws(() => readRequest(unsigned(1025)), { ...REFUSED, got: 'rsa of 8200 bits, exponent 65537' });
});

void t.test('size: at the limit and one over, before any of it is read', async (t) => {
  // An RSA signature has one length, so that the attributes alone decide.
  const signer = makeKey('rsa');
  const padded = (bytes: number) => {
    const keyInfo = publicKeyInfo(createPublicKey(signer));
    return signed(sequence(integer(Buffer.of(0)), nameOf({ commonName: 'x' }), keyInfo, tagged(0, octets(Buffer.alloc(bytes)))), signer);
  };
  const sized = (bytes: number) => padded(2 * (bytes - 1000) - padded(bytes - 1000).length + 1000);
  t.equal(sized(16_384).length, 16_384);
  t.doesNotThrow(() => readRequest(sized(16_384)));
  t.throws(() => readRequest(sized(16_385)), { code: 'ERR_VC_LIMIT', got: 16_385, limit: 16_384 });
  t.doesNotThrow(() => readRequest(sized(16_385), { maxRequestBytes: 16_385 }));
  t.throws(() => readRequest(Buffer.alloc(16_385, 0x30)), { code: 'ERR_VC_LIMIT' });
  t.throws(() => readRequest(Buffer.alloc(16_384, 0x30)), REFUSED);
  t.throws(() => readRequest(ec, { maxRequestBytes: ec.length - 1 }), { code: 'ERR_VC_LIMIT' });
  for (const maxRequestBytes of [0, 1_048_577, Number.NaN])
    t.throws(() => readRequest(ec, { maxRequestBytes }), { code: 'ERR_VC_INVALID_OPTION' });
  t.throws(() => issue(authority, { request: Buffer.alloc(16_385) }), { code: 'ERR_VC_LIMIT' });
});

void t.test('the certificate of an enclave', async (t) => {
  const ca = new X509Certificate(authority.certificate);
  for (const request of [ec, rsa]) {
    const der = issueEnclaveCertificate(authority, { request, runtimeHash: HASH });
    const leaf = new X509Certificate(der);
    t.ok(leaf.checkIssued(ca) && leaf.verify(ca.publicKey));
    t.ok(leaf.publicKey.equals(readRequest(request).publicKey));
    t.notOk(leaf.ca);
    t.equal(leaf.subject, 'C=US\nST=Texas\nL=Austin\nO=Veracruz\nOU=Compute Enclave\nCN=VeracruzCompute');
    t.equal(leaf.subjectAltName, 'DNS:ComputeEnclave.dev');
    t.equal(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom), DAY, 'one day');
    t.equal(der.indexOf(Buffer.concat([Buffer.from('30270603551e010420', 'hex'), HASH])) > 0, true, 'the extension, byte by byte');
    t.not(leaf.serialNumber, '17', 'not the serial of the original');
  }
  const options = { request: ec, runtimeHash: HASH };
  const week = new X509Certificate(issueEnclaveCertificate(authority, { ...options, days: 7 }));
  t.equal(Date.parse(week.validTo) - Date.parse(week.validFrom), 7 * DAY);
  const [notBefore, notAfter] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-01T01:00:00Z')];
  const hour = new X509Certificate(issueEnclaveCertificate(authority, { ...options, notBefore, notAfter }));
  t.same([Date.parse(hour.validFrom), Date.parse(hour.validTo)], [notBefore.getTime(), notAfter.getTime()]);
  const serials = new Set(Array.from({ length: 20 }, () => new X509Certificate(issueEnclaveCertificate(authority, options)).serialNumber));
  t.equal(serials.size, 20);
  for (const bytes of [0, 31, 33, 48]) {
    t.throws(() => issueEnclaveCertificate(authority, { request: ec, runtimeHash: Buffer.alloc(bytes) }), {
      code: 'ERR_VC_INVALID_ARGUMENT',
    });
  }
  for (const days of [0, -1, Number.NaN])
    t.throws(() => issueEnclaveCertificate(authority, { ...options, days }), { code: 'ERR_VC_INVALID_ARGUMENT' });
  t.throws(() => issueEnclaveCertificate(authority, { ...options, notBefore: new Date(Number.NaN) }), { code: 'ERR_VC_INVALID_ARGUMENT' });
});

void t.test('requests that openssl made, and the chains that it verifies', { skip }, async (t) => {
  writeFileSync(at('ca.pem'), authority.certificate);
  const made = (name: string, ...newKey: string[]) => {
    const all = [
      'req',
      '-new',
      '-nodes',
      '-keyout',
      at(`${name}.key`),
      '-outform',
      'DER',
      '-out',
      at(name),
      '-subj',
      '/O=Else where/CN=an enclave',
    ];
    const { status, text } = openssl(
      ...all,
      '-addext',
      'subjectAltName=DNS:evil.example',
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      ...newKey,
    );
    t.equal(status, 0, text);
    return readFileSync(at(name));
  };
  const accepted = [
    made('ec', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'),
    made('rsa2048', '-newkey', 'rsa:2048'),
    made('rsa4096', '-newkey', 'rsa:4096'),
  ];
  for (const request of accepted) {
    const leaf = issueEnclaveCertificate(authority, { request, runtimeHash: HASH });
    writeFileSync(at('leaf.pem'), pemOf(leaf));
    t.match(openssl('verify', '-CAfile', at('ca.pem'), at('leaf.pem')), { status: 0 });
    t.match(
      openssl(
        'verify',
        '-x509_strict',
        '-purpose',
        'sslserver',
        '-verify_hostname',
        'ComputeEnclave.dev',
        '-CAfile',
        at('ca.pem'),
        at('leaf.pem'),
      ),
      { status: 0 },
    );
    const { text } = openssl('x509', '-in', at('leaf.pem'), '-noout', '-text');
    t.match(text, /Subject: O ?= ?Else where, CN ?= ?an enclave/);
    t.match(text, /Basic Constraints: critical\s+CA:FALSE/, 'whatever was asked for');
    t.match(text, /Key Usage: critical\s+Digital Signature\n/);
    t.match(text, /DNS:ComputeEnclave\.dev/);
    t.notMatch(text, /evil/);
    t.match(text, /2\.5\.30\.1: *\n/);
    const dump = openssl('asn1parse', '-in', at('leaf.pem')).text;
    t.match(
      dump,
      new RegExp(`OBJECT +:2\\.5\\.30\\.1\\n.*OCTET STRING +\\[HEX DUMP\\]:${HASH.toString('hex').toUpperCase()}`),
      'raw, without ASN.1 inside',
    );
  }
  for (const [name, ...newKey] of [
    ['weak', '-newkey', 'rsa:1024'],
    ['p384', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
    ['ed25519', '-newkey', 'ed25519'],
    ['explicit', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'],
    ['sha384', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-sha384'],
  ] as const) {
    t.throws(() => readRequest(made(name, ...newKey)), REFUSED, name);
  }
});
