/** The chain of a Nitro document: one that is right, and every way in which one is not. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { publicKeyInfo } from '../../../lib/attestation/certificate.js';
import { constraintsOf } from '../../../lib/attestation/evidence/constraints.js';
import { verifyNitroDocument } from '../../../lib/attestation/evidence/index.js';
import {
  type Asn1,
  boolean as asn1Boolean,
  bitBytes,
  bits,
  integer,
  items,
  oid,
  sequence,
  toDer,
} from '../../../lib/layers/formats/asn1.js';
import {
  CA,
  type Certified,
  CHAIN,
  certify,
  certifyWith,
  challenge,
  DAY,
  documentOf,
  enclave,
  extension,
  instance,
  NO_CA,
  region,
  request,
  root,
  usage,
  zone,
} from './nitro-pki.js';
import { newKey, outcome } from './support.js';
import '../../support/processes.js';

const check = (chain: readonly Certified[], more = {}, document = {}) =>
  outcome(() => verifyNitroDocument(documentOf(chain, document), { root: root.der, challenge, request, ...more }));
const CAS = CHAIN.slice(0, -1);
const leafUnder = (by: Certified, more = {}) => certify('leaf', { by, isCa: false, ...more });
const REFUSED = 'EvidenceChainError';

void t.test('a chain like that of AWS', async (t) => {
  t.equal(check(CHAIN), 'accepted');
  t.equal(check([root, leafUnder(root)]), 'accepted', 'the shortest');
});

void t.test('time: expired, not yet valid, at the edges', async (t) => {
  const now = new Date('2026-06-15T12:00:00Z');
  const past = { notBefore: new Date(now.getTime() - 2 * DAY), notAfter: new Date(now.getTime() - DAY) };
  const future = { notBefore: new Date(now.getTime() + DAY), notAfter: new Date(now.getTime() + 2 * DAY) };
  const present = { notBefore: past.notBefore, notAfter: future.notAfter };
  const [head, ca] = [certify('old root', present), (by: Certified, when: object) => certify('ca', { by, ...when })];
  const pinned = { root: head.der, now };
  const good = ca(head, present);
  t.equal(check([head, good, leafUnder(good, present)], pinned), 'accepted');
  for (const when of [past, future]) {
    t.equal(check([head, good, leafUnder(good, when)], pinned), REFUSED, 'the leaf');
    const bad = ca(head, when);
    t.equal(check([head, bad, leafUnder(bad, present)], pinned), REFUSED, 'a CA');
    const other = certify('root of another time', when);
    t.equal(check([other, leafUnder(other, present)], { root: other.der, now }), REFUSED, 'the root');
  }
  const chain = [head, good, leafUnder(good, present)];
  const at = (time: number) => check(chain, { root: head.der, now: new Date(time) });
  t.equal(at(present.notBefore.getTime()), 'accepted', 'the first second');
  t.equal(at(present.notBefore.getTime() - 1), REFUSED);
  t.equal(at(present.notAfter.getTime()), 'accepted', 'the last');
  t.equal(at(present.notAfter.getTime() + 1), REFUSED);
  const late = leafUnder(root, { notAfter: new Date('2099-01-01T00:00:00Z') });
  t.equal(check([root, late]), 'accepted', 'years after 2049 are read');
});

void t.test('the root: byte by byte the pinned one, and first', async (t) => {
  const other = certify('root');
  t.equal(check(CHAIN, { root: other.der }), REFUSED, 'another root of the same name');
  const again = certify('root', { key: root.key });
  t.equal(check([again, leafUnder(root)]), REFUSED, 'another certificate of the same key');
  t.equal(check([root, leafUnder(root)], { root: again.der }), REFUSED);
  t.equal(check(CHAIN.slice(1)), REFUSED, 'none');
  t.equal(check([region, root, zone, instance, enclave]), REFUSED, 'second');
  t.equal(check([other, leafUnder(other)]), REFUSED, 'a chain of somebody else');
  t.equal(check([root, other, leafUnder(other)]), REFUSED, 'a chain of somebody else behind it');
  t.equal(check([enclave, enclave]), REFUSED, 'the leaf for a root');
});

void t.test('order: missing, swapped, twice, surplus', async (t) => {
  const [a, b, c] = [region, zone, instance];
  for (const cas of [[a, b], [a, c], [b, c], [b, a, c], [a, c, b], [c, b, a], [a, a, b, c], [a, b, b, c], [a, b, c, c], []]) {
    t.equal(check([root, ...cas, enclave]), REFUSED, cas.map(({ name }) => name).join(', '));
  }
  const surplus = certify('surplus', { by: root });
  t.equal(check([root, surplus, region, zone, instance, enclave]), REFUSED);
  t.equal(check([...CAS, surplus, enclave]), REFUSED);
});

void t.test('names and signatures: both must fit', async (t) => {
  const impostor = { name: 'instance', key: newKey('P-384') };
  t.equal(check([...CAS, leafUnder(impostor as Certified)]), REFUSED, "the issuer's name, another's signature");
  t.equal(
    check([...CAS, certify('leaf', { by: { name: 'nobody', key: instance.key }, isCa: false })]),
    REFUSED,
    "the issuer's signature, another's name",
  );
  const region2 = certify('region', { by: { name: 'root', key: newKey('P-384') } });
  t.equal(check([root, region2, leafUnder(region2)]), REFUSED, 'an intermediate that the root did not sign');
  const self = certify('leaf', { isCa: false });
  t.equal(check([root, self]), REFUSED, 'a leaf that signed itself');
});

void t.test('a signature alone: of a certificate that names its issuer and not its issuer’s key', async (t) => {
  const stranger = (name: string) => ({ name, key: newKey('P-384') });
  const leaf = (by: Pick<Certified, 'name' | 'key'>) => certifyWith('leaf', by, [NO_CA, usage(0x80)]);
  t.equal(check([root, leaf(root)]), 'accepted');
  t.equal(check([root, leaf(stranger('root'))]), REFUSED, 'a leaf');
  t.equal(check([root, region, leaf(region)]), 'accepted');
  t.equal(check([root, region, leaf(stranger('region'))]), REFUSED, 'a leaf one deeper');
  const forged = certifyWith('ca', stranger('root'), [CA, usage(0x04)]);
  t.equal(check([root, forged, leaf(forged)]), REFUSED, 'a CA');
});

void t.test('roles: a leaf is no CA, and no CA is a leaf', async (t) => {
  t.equal(check([root, region, certify('leaf', { by: region })]), REFUSED, 'a CA in place of the leaf');
  const leaf = leafUnder(region);
  t.equal(check([root, region, leaf, leafUnder(leaf)]), REFUSED, 'a leaf that signs another');
  t.equal(check([root]), 'EvidenceError', 'the root as the leaf of nothing');
  t.equal(check([root, root]), REFUSED, 'the root as its own leaf');
});

void t.test('path length: as deep as allowed, and one deeper', async (t) => {
  const none = certify('none', { by: root, pathLength: 0 });
  t.equal(check([root, none, leafUnder(none)]), 'accepted');
  const below = certify('below', { by: none });
  t.equal(check([root, none, below, leafUnder(below)]), REFUSED);
  const one = certify('one', { by: root, pathLength: 1 });
  const [second, third] = [certify('second', { by: one }), certify('third', { by: one })];
  t.equal(check([root, one, second, leafUnder(second)]), 'accepted');
  const deeper = certify('deeper', { by: third });
  t.equal(check([root, one, third, deeper, leafUnder(deeper)]), REFUSED);
  const strict = certify('strict', { pathLength: 0 });
  const under = certify('under', { by: strict });
  t.equal(check([strict, leafUnder(strict)], { root: strict.der }), 'accepted');
  t.equal(check([strict, under, leafUnder(under)], { root: strict.der }), REFUSED, 'of the root too');
});

void t.test('extensions: usage, critical ones, unreadable ones', async (t) => {
  const under = (ca: readonly Asn1[], leaf: readonly Asn1[]) => {
    const authority = certifyWith('ca', root, ca);
    return check([root, authority, certifyWith('leaf', authority, leaf)]);
  };
  const [signs, certifies] = [usage(0x80), usage(0x04)];
  t.equal(under([CA, certifies], [NO_CA, signs]), 'accepted');
  t.equal(under([CA], [NO_CA]), 'accepted', 'no usage is any usage');
  t.equal(under([CA], []), 'accepted', 'a leaf without extensions is none of a CA');
  t.equal(under([CA, usage(0x06)], [NO_CA, usage(0xc0)]), 'accepted', 'as AWS has them');
  t.equal(under([CA, signs], [NO_CA, signs]), REFUSED, 'a CA that may not sign certificates');
  t.equal(under([certifies], [NO_CA, signs]), REFUSED, 'a CA that does not say so');
  t.equal(under([NO_CA, certifies], [NO_CA, signs]), REFUSED);
  t.equal(under([CA, certifies], [NO_CA, certifies]), REFUSED, 'a leaf that may not sign messages');
  t.equal(under([CA, certifies], [NO_CA, usage(0x00)]), REFUSED);
  const odd = (critical: boolean) => extension('1.2.3.4', Buffer.of(5, 0), critical);
  t.equal(under([CA, odd(false)], [NO_CA, odd(false)]), 'accepted');
  t.equal(under([CA, odd(true)], [NO_CA]), REFUSED, 'a critical one of a CA that nobody knows');
  t.equal(under([CA], [NO_CA, odd(true)]), REFUSED, 'of a leaf');
  const twice = extension('1.2.3.4', Buffer.of(5, 0), false);
  t.equal(under([CA, twice, twice], [NO_CA]), REFUSED, 'one twice');
  t.equal(under([CA], [NO_CA, extension('2.5.29.15', Buffer.of(0xff))]), REFUSED, 'usage that is no DER');
  const length = (bytes: number[]) => extension('2.5.29.19', toDer(sequence(asn1Boolean(true), integer(Buffer.from(bytes)))));
  t.equal(under([length([0]), certifies], [NO_CA]), 'accepted');
  t.equal(under([length([0x7f, 0xff]), certifies], [NO_CA]), 'accepted');
  t.equal(under([length([0xff]), certifies], [NO_CA]), REFUSED, 'a negative length');
  t.equal(under([length([1, 0, 0, 0, 0]), certifies], [NO_CA]), REFUSED, 'a length without measure');
});

void t.test('bytes that are no certificate in DER, or not only one', async (t) => {
  const good = leafUnder(root);
  const pem = Buffer.from(new X509Certificate(good.der).toString());
  const cases: ReadonlyArray<readonly [what: string, der: Buffer]> = [
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(300)],
    ['PEM', pem],
    ['a byte after it', Buffer.concat([good.der, Buffer.of(0)])],
    ['another after it', Buffer.concat([good.der, good.der])],
    ['cut short', good.der.subarray(0, -1)],
    ['a byte before it', Buffer.concat([Buffer.of(0), good.der])],
  ];
  for (const [what, der] of cases) {
    t.equal(check([root, good], {}, { certificate: der }), REFUSED, `${what}: the leaf`);
    t.equal(check([root, good], {}, { cabundle: [root.der, der] }), REFUSED, `${what}: a CA`);
    t.equal(check([root, good], {}, { cabundle: [der] }), REFUSED, `${what}: the root`);
  }
});

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl program on this machine';

void t.test('a chain that openssl made (P-384, SHA-384)', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vc-nitro-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);
  const openssl = (...parameters: string[]) => {
    const { status, stderr } = spawnSync('openssl', parameters, { encoding: 'utf8' });
    t.equal(status, 0, stderr);
  };
  const make = (name: string, by: string | undefined, extensions: string) => {
    writeFileSync(at(`${name}.cnf`), extensions);
    openssl('ecparam', '-name', 'secp384r1', '-genkey', '-noout', '-out', at(`${name}.key`));
    openssl('req', '-new', '-key', at(`${name}.key`), '-subj', `/C=US/O=Test/CN=${name}`, '-out', at(`${name}.csr`));
    const signer =
      by === undefined ? ['-signkey', at(`${name}.key`)] : ['-CA', at(`${by}.pem`), '-CAkey', at(`${by}.key`), '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-sha384',
      '-days',
      '2',
      '-in',
      at(`${name}.csr`),
      '-extfile',
      at(`${name}.cnf`),
      '-out',
      at(`${name}.pem`),
      ...signer,
    );
    const pem = readFileSync(at(`${name}.pem`));
    return { name, key: createPrivateKey(readFileSync(at(`${name}.key`))), der: new X509Certificate(pem).raw };
  };
  const head = make('head', undefined, 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,digitalSignature,keyCertSign,cRLSign\n');
  const middle = make('middle', 'head', 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n');
  const leaf = make('leaf', 'middle', 'basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature,nonRepudiation\n');
  t.equal(check([head, middle, leaf], { root: head.der }), 'accepted');
  t.equal(check([head, middle, leaf], { root: readFileSync(at('head.pem'), 'utf8') }), 'accepted');
  t.equal(check([head, middle, leaf]), REFUSED, 'but not under another root');
  const deep = make('deep', 'middle', 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n');
  const last = make('last', 'deep', 'basicConstraints=critical,CA:FALSE\nkeyUsage=digitalSignature\n');
  t.equal(check([head, middle, deep, last], { root: head.der }), REFUSED, 'nor deeper than it allows');
});

void t.test('a key usage that names no use at all', async (t) => {
  const nothing = extension('2.5.29.15', toDer(bits(Buffer.alloc(0))));
  const leaf = certifyWith('leaf', root, [NO_CA, nothing]);
  t.equal(check([root, leaf]), REFUSED, 'the leaf signs no messages');
  const ca = certifyWith('ca', root, [CA, nothing]);
  t.equal(check([root, ca, leafUnder(ca)]), REFUSED, 'a CA signs no certificates');
  t.match(constraintsOf(new X509Certificate(ca.der)), { signsCertificates: false, signsMessages: false });
});

void t.test('a leaf whose key is of a kind that OpenSSL does not know', async (t) => {
  const [algorithm, keyBits] = items(publicKeyInfo(createPublicKey(newKey('P-384')))) as [Asn1, Asn1];
  const [, curve] = items(algorithm) as [Asn1, Asn1];
  const info = sequence(sequence(oid('1.2.840.10045.2.99'), curve), bits(bitBytes(keyBits)));
  const strange = certifyWith('leaf', root, [NO_CA, usage(0x80)], info);
  t.throws(() => new X509Certificate(strange.der).publicKey, 'it has no such key');
  const chain = [root, strange];
  t.throws(() => verifyNitroDocument(documentOf(chain), { root: root.der, challenge, request }), {
    name: REFUSED,
    message: /key that cannot be read/,
  });
});
