/** Nitro documents: what they must have, whom they bind, and which of them are believed. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { decode, encode, Tagged } from 'cborg';
import t from 'tap';
import {
  AWS_NITRO_ROOT,
  AWS_NITRO_ROOT_FINGERPRINT,
  authenticateNitro,
  readCoseSign1,
  type VerifyNitroOptions,
  verifyNitroDocument,
} from '../../../lib/attestation/evidence/index.js';
import { CHAIN, certify, challenge, documentOf, enclave, pcr0, request, root } from './nitro-pki.js';
import { cbor, everyFlip, hex, isWithin, newKey, outcome, sha256, sign1 } from './support.js';
import '../../support/long.js';

const OPTIONS: VerifyNitroOptions = { root: root.der, challenge, request };
const check = (document: Buffer, more: Partial<VerifyNitroOptions> = {}) =>
  outcome(() => verifyNitroDocument(document, { ...OPTIONS, ...more }));
/** The payload of a good document, to be changed. */
const payload = () => decode(readCoseSign1(documentOf(CHAIN), { tagged: 'forbidden' }).payload, { useMaps: true }) as Map<string, unknown>;
const signedOf = (content: Buffer | Map<string, unknown>) =>
  sign1({
    header: new Map([[1, -35]]),
    payload: Buffer.isBuffer(content) ? content : cbor(content),
    key: enclave.key,
    digest: 'sha384',
    tag: -1,
  });

void t.test('the root of AWS is the one that AWS publishes', async (t) => {
  const aws = new X509Certificate(AWS_NITRO_ROOT);
  t.equal(aws.fingerprint256, AWS_NITRO_ROOT_FINGERPRINT);
  t.equal(aws.raw.length, 533);
  t.equal(aws.subject, 'C=US\nO=Amazon\nOU=AWS\nCN=aws.nitro-enclaves');
  t.equal(new Date(aws.validTo).toISOString(), '2049-10-28T14:28:05.000Z');
  t.ok(aws.verify(aws.publicKey));
  t.equal(
    outcome(() => verifyNitroDocument(documentOf(CHAIN), { challenge, request })),
    'EvidenceChainError',
    'it is the default',
  );
});

const REAL = process.env.VERACRUZ_NITRO_DOCUMENT;
const NO_REAL = 'set VERACRUZ_NITRO_DOCUMENT to the file (base64) of a document that an AWS enclave made';
void t.test('a document of real hardware', { skip: REAL === undefined ? NO_REAL : false }, async (t) => {
  const document = Buffer.from(readFileSync(REAL as string, 'utf8'), 'base64');
  const content = decode(readCoseSign1(document, { tagged: 'either' }).payload, { useMaps: true }) as Map<string, number>;
  const timestamp = content.get('timestamp') as number;
  const now = new Date(timestamp);
  t.match(authenticateNitro(document, { now }), { timestamp: now, moduleId: /^i-/ });
  t.throws(() => authenticateNitro(document, { now: new Date(timestamp + 86_400_000) }), { code: 'ERR_VC_EVIDENCE_CHAIN' });
});

void t.test('what a document says, tagged or not', async (t) => {
  const timestamp = new Date('2026-02-03T04:05:06.789Z');
  const pcrs = new Map([
    [0, pcr0],
    [3, Buffer.alloc(32, 3)],
    [15, Buffer.alloc(64, 4)],
  ]);
  const content = { timestamp, pcrs, moduleId: 'i-1-enc2', publicKey: Buffer.from('key') };
  for (const tagged of [false, true]) {
    const document = documentOf(CHAIN, { ...content, tagged });
    t.equal(document[0], tagged ? 0xd2 : 0x84);
    const { moduleId, publicKey } = content;
    const runtimeHash = pcr0.subarray(0, 32);
    t.same(verifyNitroDocument(document, OPTIONS), { runtimeHash, moduleId, timestamp, pcrs, userData: request, publicKey });
  }
  t.equal(verifyNitroDocument(documentOf(CHAIN), OPTIONS).publicKey, undefined);
  t.equal(check(documentOf(CHAIN), { root: new X509Certificate(root.der).toString() }), 'accepted', 'the root in PEM');
});

void t.test('a payload of indefinite length, as AWS writes it since 2025', async (t) => {
  const definite = cbor(payload());
  t.equal(definite[0], 0xa9, 'nine entries');
  t.equal(check(signedOf(definite)), 'accepted');
  const rest = definite.subarray(1);
  t.equal(check(signedOf(Buffer.concat([hex('bf'), rest, hex('ff')]))), 'accepted');
  t.equal(check(signedOf(Buffer.concat([hex('bf'), rest]))), 'EvidenceError', 'without its end');
  t.equal(check(signedOf(Buffer.concat([hex('bf'), rest, hex('ffff')]))), 'EvidenceError', 'with two');
});

void t.test('challenge and request: each by its name', async (t) => {
  const document = documentOf(CHAIN);
  t.equal(check(document, { challenge: randomBytes(32) }), 'ChallengeError');
  t.equal(check(document, { request: randomBytes(280) }), 'CertificateRequestError');
  t.equal(check(documentOf(CHAIN, { nonce: undefined })), 'ChallengeError', 'no nonce');
  t.equal(check(documentOf(CHAIN, { nonce: Buffer.alloc(0) })), 'ChallengeError');
  t.equal(check(documentOf(CHAIN, { nonce: Buffer.concat([challenge, hex('00')]) })), 'ChallengeError');
  t.equal(check(documentOf(CHAIN, { userData: undefined })), 'CertificateRequestError', 'no user_data');
  t.equal(
    check(documentOf(CHAIN, { userData: undefined }), { request: Buffer.alloc(0) }),
    'CertificateRequestError',
    'nothing binds nothing',
  );
  t.throws(() => verifyNitroDocument(document, { ...OPTIONS, challenge: Buffer.alloc(0) }), { code: 'ERR_VC_INVALID_ARGUMENT' });
});

void t.test('user_data: the request, its hash, or either', async (t) => {
  const [whole, hashed] = [documentOf(CHAIN), documentOf(CHAIN, { userData: sha256(request) })];
  for (const [userData, ofWhole, ofHashed] of [
    [undefined, 'accepted', 'accepted'],
    ['either', 'accepted', 'accepted'],
    ['request', 'accepted', 'CertificateRequestError'],
    ['hash', 'CertificateRequestError', 'accepted'],
  ] as const) {
    t.equal(check(whole, { userData }), ofWhole, `${userData}, the request`);
    t.equal(check(hashed, { userData }), ofHashed, `${userData}, its hash`);
  }
  t.same(verifyNitroDocument(whole, { root: root.der, challenge }).userData, request, '2207: the request is what the document has');
  t.equal(check(documentOf(CHAIN, { userData: undefined }), { request: undefined }), 'CertificateRequestError', 'and it must have one');
  t.equal(check(documentOf(CHAIN, { userData: Buffer.alloc(0) }), { request: undefined }), 'CertificateRequestError');
  t.equal(check(whole, { request: undefined, userData: 'hash' }), 'InvalidOptionError');
  t.equal(check(whole, { request: undefined, userData: 'either' }), 'InvalidOptionError');
  t.equal(check(whole, { userData: 'both' as 'either' }), 'InvalidOptionError');
});

void t.test('debug mode proves nothing', async (t) => {
  for (const bytes of [32, 48, 64]) {
    const document = documentOf(CHAIN, { pcrs: new Map([[0, Buffer.alloc(bytes)]]) });
    t.equal(check(document), 'EvidenceError', `${bytes} zeros`);
    t.equal(check(document, { allowDebug: true }), 'accepted');
    const almost = Buffer.alloc(bytes);
    almost[bytes - 1] = 1;
    t.equal(check(documentOf(CHAIN, { pcrs: new Map([[0, almost]]) })), 'accepted');
  }
  t.equal(check(documentOf(CHAIN, { pcrs: new Map([[1, pcr0]]) }), { allowDebug: true }), 'EvidenceError', 'no PCR0');
});

void t.test('every part of the payload: there, and of its kind', async (t) => {
  const wrong: ReadonlyArray<readonly [part: string, values: readonly unknown[]]> = [
    ['module_id', [null, 7, Buffer.alloc(3), []]],
    ['digest', [null, 'SHA256', 'sha384', '', Buffer.from('SHA384'), 384]],
    ['timestamp', [null, 0, -1, 'now', 8.64e15 + 1, 2n ** 60n, new Map(), true]],
    ['pcrs', [null, 7, [], [pcr0], 'x', new Map([[0, null]]), new Map([[0, Buffer.alloc(47)]]), new Map([[0, 'x']])]],
    ['certificate', [null, 7, 'x', [enclave.der], new Map()]],
    ['cabundle', [null, 7, 'x', root.der, [], [null], ['x'], [[root.der]], new Map([[0, root.der]])]],
    ['public_key', [7, 'x', [], new Map()]],
    ['user_data', [7, 'x', [], new Map()]],
    ['nonce', [7, 'x', [], new Map()]],
  ];
  for (const [part, values] of wrong) {
    for (const [i, value] of values.entries()) t.equal(check(signedOf(payload().set(part, value))), 'EvidenceError', `${part}, ${i}`);
  }
  for (const part of ['module_id', 'digest', 'timestamp', 'pcrs', 'certificate', 'cabundle']) {
    const content = payload();
    content.delete(part);
    t.equal(check(signedOf(content)), 'EvidenceError', `no ${part}`);
  }
  const registers = (count: number) => new Map(Array.from({ length: count }, (_, i) => [i, pcr0]));
  t.equal(check(signedOf(payload().set('pcrs', registers(32)))), 'accepted');
  t.equal(check(signedOf(payload().set('pcrs', registers(33)))), 'EvidenceError');
  for (const label of [-1, 32, 'zero', 2n ** 60n])
    t.equal(
      check(
        signedOf(
          payload().set(
            'pcrs',
            new Map<unknown, unknown>([
              [0, pcr0],
              [label, pcr0],
            ]),
          ),
        ),
      ),
      'EvidenceError',
    );
  t.equal(check(signedOf(payload().set('a part of tomorrow', 7))), 'accepted');
  t.equal(check(signedOf(cbor([...payload()]))), 'EvidenceError', 'no map');
  t.equal(check(signedOf(Buffer.concat([cbor(payload()), hex('00')]))), 'EvidenceError', 'a byte after it');
  t.equal(check(signedOf(Buffer.alloc(0))), 'EvidenceError');
});

void t.test('the signature: ES384, by the key of the leaf', async (t) => {
  const content = cbor(payload());
  const header = new Map([[1, -35]]);
  t.equal(check(documentOf(CHAIN, { key: newKey('P-384') })), 'EvidenceSignatureError', 'another key');
  t.equal(check(sign1({ payload: content, key: enclave.key, tag: -1 })), 'EvidenceError', 'says ES256');
  t.equal(check(sign1({ header, payload: content, key: enclave.key, tag: -1 })), 'EvidenceSignatureError', 'says ES384, of SHA-256');
  t.equal(check(sign1({ header, payload: content, key: enclave.key, digest: 'sha384', tag: 17 })), 'EvidenceError', 'tag 17');
  const small = certify('enclave', { by: CHAIN[3] as (typeof CHAIN)[0], isCa: false, key: newKey('P-256') });
  t.equal(check(documentOf([...CHAIN.slice(0, -1), small])), 'EvidenceSignatureError', 'a leaf on P-256');
  const detached = Buffer.from(encode([cbor(header), new Map(), null, Buffer.alloc(96)]));
  t.equal(check(detached), 'EvidenceError', 'detached payload');
  t.equal(check(Buffer.from(encode(new Tagged(18, 7)))), 'EvidenceError');
});

void t.test('limits: size, certificates', async (t) => {
  const padded = (bytes: number) => documentOf(CHAIN, { publicKey: Buffer.alloc(bytes) });
  const around = padded(50_000).length - 50_000;
  t.equal(padded(65_536 - around).length, 65_536);
  t.equal(check(padded(65_536 - around)), 'accepted');
  t.equal(check(padded(65_537 - around)), 'LimitError');
  t.equal(check(padded(65_537 - around), { maxEvidenceBytes: 65_537 }), 'accepted');
  const tower = [root];
  while (tower.length < 9) tower.push(certify(`ca ${tower.length}`, { by: tower.at(-1) as typeof root }));
  const under = (cas: number) => [...tower.slice(0, cas), certify('leaf', { by: tower[cas - 1] as typeof root, isCa: false })];
  t.equal(check(documentOf(under(1))), 'accepted', 'the root alone');
  t.equal(check(documentOf(under(8))), 'accepted');
  t.equal(check(documentOf(under(9))), 'EvidenceError');
  t.equal(check(documentOf(under(9)), { maxCertificates: 9 }), 'accepted');
  t.equal(check(documentOf(under(3)), { maxCertificates: 2 }), 'EvidenceError');
  for (const maxCertificates of [0, 65, 1.5]) t.equal(check(documentOf(CHAIN), { maxCertificates }), 'InvalidOptionError');
});

void t.test('options that are none', async (t) => {
  for (const wrong of ['', 'no PEM', Buffer.alloc(10), enclave.der])
    t.equal(check(documentOf(CHAIN), { root: wrong }), 'InvalidOptionError');
  t.equal(check(documentOf(CHAIN), { root: (CHAIN[1] as typeof root).der }), 'InvalidOptionError', 'a CA, but no root');
  t.equal(check(documentOf(CHAIN), { now: new Date(Number.NaN) }), 'InvalidOptionError');
});

void t.test('every document with one bit changed is refused, by the right name', async (t) => {
  const document = documentOf([root, certify('leaf', { by: root, isCa: false })], { userData: sha256(request) });
  t.equal(check(document), 'accepted');
  const outcomes = everyFlip(document, (changed) => verifyNitroDocument(changed, OPTIONS));
  t.same(
    [...outcomes.keys()].sort(),
    ['EvidenceChainError', 'EvidenceError', 'EvidenceSignatureError'],
    `nothing else came of ${document.length * 8} bits`,
  );
  const rootAt = document.indexOf(root.der);
  const chain = outcomes.get('EvidenceChainError') ?? [];
  t.equal(chain.filter(isWithin(rootAt, rootAt + root.der.length)).length, root.der.length * 8, 'every bit of the root');
  const signature = outcomes.get('EvidenceSignatureError') ?? [];
  t.equal(signature.filter(isWithin(document.length - 96, document.length)).length, 96 * 8, 'every bit of the signature');
  const nonceAt = document.indexOf(challenge);
  t.equal(signature.filter(isWithin(nonceAt, nonceAt + 32)).length, 32 * 8, 'every bit of the nonce: it is signed, before it is compared');
});

void t.test('every document cut short is refused', async (t) => {
  const document = documentOf(CHAIN);
  const outcomes = new Set<string>();
  for (let end = 0; end < document.length; end++) outcomes.add(check(document.subarray(0, end)));
  t.same([...outcomes], ['EvidenceError']);
});
