/** COSE_Sign1: published examples of others, and everything that is not to be trusted in a message. */
import { createPublicKey } from 'node:crypto';
import t from 'tap';
import { makeKey } from '../../../lib/attestation/certificate.js';
import { makeCoseSign1, readCoseSign1, verifyCoseSign1 } from '../../../lib/attestation/evidence/cose.js';
import { cbor, hex, newKey, outcome, sign1 } from './support.js';

const EITHER = { tagged: 'either' } as const;
const PAYLOAD = Buffer.from('This is the content.');
const key = newKey('P-256');
const publicKey = createPublicKey(key);

/** Keys and messages of the COSE working group: github.com/cose-wg/Examples, ecdsa-examples and sign1-tests. */
const P256 = createPublicKey({
  key: { kty: 'EC', crv: 'P-256', x: 'usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8', y: 'IBOL-C3BttVivg-lSreASjpkttcsz-1rb7btKLv8EX4' },
  format: 'jwk',
});
const P384 = createPublicKey({
  key: {
    kty: 'EC',
    crv: 'P-384',
    x: 'kTJyP2KSsBBhnb4kjWmMF7WHVsY55xUPgb7k64rDcjatChoZ1nvjKmYmPh5STRKc',
    y: 'mM0weMVU2DKsYDxDJkEP9hZiRZtB8fPfXbzINZj_fF7YQRynNWedHEyzAJOX2e8s',
  },
  format: 'jwk',
});
const CONTENT = '54 546869732069732074686520636F6E74656E742E';
const FIRST_HALF = 'EAE868ECC176883766C5DC5BA5B8DCA25DAB3C2E56A551CE5705B793914348E1';
/** ecdsa-sig-01: ES256, with a content type in the protected header. */
const ECDSA_SIG_01 = hex(
  'D284 45A201260300 A1044231 31',
  CONTENT,
  '5840',
  FIRST_HALF,
  '72727F48461FABBBA2E343492DDECAC3983686250BC68E9F1A7A07D41225B59F',
);
/** ecdsa-sig-02: ES384. */
const ECDSA_SIG_02 = hex(
  'D284 44A1013822 A10444 50333834',
  CONTENT,
  '5860 B8F85EFF78C88F5351CED2F1887B79B296490795594B62E41E22529BB90208B7D8CDDD4A46D0E9C986464D83D0A5D1ED',
  'F39B3E2C5750364230D0E8D76460D8808E76C83830FBBD1978CC174066EB437F17887979ECF027DCC9D51BAF6C4FD8C0',
);
/** sign-pass-01: the algorithm in the unprotected header alone. */
const SIGN_PASS_01 = hex(
  'D284 41A0 A20126 0442 3131',
  CONTENT,
  '5840',
  FIRST_HALF,
  '1A02E5F0344BF2D4EE5C7FD75A68A9F5E0B3CC1F1FC1409C189566586FF9D610',
);
/** sign-pass-02: signed with external data, which we never have. */
const SIGN_PASS_02 = hex(
  'D284 43A10126 A10442 3131',
  CONTENT,
  '5840',
  FIRST_HALF,
  '55388B10C4F1B59A6733EAB416870A945111A4B2FBDBEF33A77234B1DEFF2F9B',
);
/** sign-pass-03: without the tag. */
const SIGN_PASS_03 = hex(
  '84 43A10126 A10442 3131',
  CONTENT,
  '5840',
  FIRST_HALF,
  '9F43D6C6BA654472DA301B645B293C9BA939295B97C4BDB847782BFF384C5794',
);

void t.test('messages of the COSE working group', async (t) => {
  const first = readCoseSign1(ECDSA_SIG_01, { tagged: 'required' });
  t.same(first.payload, PAYLOAD);
  t.same(first.keyId, Buffer.from('11'));
  t.equal(
    first.toBeSigned.toString('hex'),
    '846a5369676e61747572653145a2012603004054546869732069732074686520636f6e74656e742e',
    'as published',
  );
  t.doesNotThrow(() => verifyCoseSign1(first, P256, 'ES256'));
  const second = readCoseSign1(ECDSA_SIG_02, { tagged: 'required' });
  t.equal(
    second.toBeSigned.toString('hex'),
    '846a5369676e61747572653144a10138224054546869732069732074686520636f6e74656e742e',
    'as published',
  );
  t.doesNotThrow(() => verifyCoseSign1(second, P384, 'ES384'));
  const third = readCoseSign1(SIGN_PASS_03, { tagged: 'forbidden' });
  t.doesNotThrow(() => verifyCoseSign1(third, P256, 'ES256'));
  t.throws(() => readCoseSign1(SIGN_PASS_01, EITHER), { code: 'ERR_VC_EVIDENCE', message: /the algorithm in the protected header/ });
  t.throws(() => verifyCoseSign1(readCoseSign1(SIGN_PASS_02, EITHER), P256, 'ES256'), { code: 'ERR_VC_EVIDENCE_SIGNATURE' });
});

void t.test('what is made here is what another writer makes, but for the signature', async (t) => {
  const keyId = Buffer.alloc(32, 7);
  const ours = makeCoseSign1(PAYLOAD, key, { algorithm: 'ES256', tagged: true, keyId });
  const theirs = sign1({ unprotected: new Map([[4, keyId]]), payload: PAYLOAD, key });
  t.same(ours.subarray(0, -64), theirs.subarray(0, -64));
  for (const message of [ours, theirs]) {
    const read = readCoseSign1(message, EITHER);
    t.doesNotThrow(() => verifyCoseSign1(read, publicKey, 'ES256'));
    t.same({ ...read, signature: 64 }, { ...read, protectedHeader: hex('a10126'), algorithm: -7, keyId, payload: PAYLOAD, signature: 64 });
  }
  t.same(makeCoseSign1(PAYLOAD, key, { algorithm: 'ES256', tagged: false }).subarray(0, 6), hex('84 43a10126 a0'));
});

void t.test('the tag: required, forbidden, either', async (t) => {
  const [tagged, untagged] = [sign1({ payload: PAYLOAD, key }), sign1({ payload: PAYLOAD, key, tag: -1 })];
  t.equal(tagged[0], 0xd2);
  const of = (message: Buffer) =>
    (['required', 'forbidden', 'either'] as const).map((rule) => outcome(() => readCoseSign1(message, { tagged: rule })));
  t.same(of(tagged), ['accepted', 'EvidenceError', 'accepted']);
  t.same(of(untagged), ['EvidenceError', 'accepted', 'accepted']);
  t.same(of(sign1({ payload: PAYLOAD, key, tag: 17 })), Array(3).fill('EvidenceError'), 'tag 17 is COSE_Mac0');
  t.same(of(Buffer.concat([hex('d2'), tagged])), Array(3).fill('EvidenceError'), 'twice');
});

void t.test('malformed messages', async (t) => {
  const header = hex('a10126');
  const empty = new Map();
  const cases: Array<readonly [what: string, message: Buffer]> = [
    ['detached payload', sign1({ payload: null, key })],
    ['payload as text', sign1({ payload: 'text', key })],
    ['payload as a map', sign1({ payload: new Map(), key })],
    ['three parts', cbor([header, empty, PAYLOAD])],
    ['five parts', cbor([header, empty, PAYLOAD, Buffer.alloc(64), 0])],
    ['no array', cbor(new Map([[1, 2]]))],
    ['a number', cbor(7)],
    ['signature as text', cbor([header, empty, PAYLOAD, 'x'])],
    ['no signature', cbor([header, empty, PAYLOAD, null])],
    ['header as a map', cbor([new Map([[1, -7]]), empty, PAYLOAD, Buffer.alloc(64)])],
    ['header of an array', sign1({ header: cbor([1, -7]), payload: PAYLOAD, key })],
    ['header of garbage', sign1({ header: hex('ff'), payload: PAYLOAD, key })],
    ['header with a byte after it', sign1({ header: hex('a1012600'), payload: PAYLOAD, key })],
    ['header that says alg twice', sign1({ header: hex('a201260126'), payload: PAYLOAD, key })],
    ['header with alg as ES256 in words', sign1({ header: new Map([[1, 'ES256']]), payload: PAYLOAD, key })],
    ['header of no bytes', sign1({ header: Buffer.alloc(0), payload: PAYLOAD, key })],
    ['header of an empty map', sign1({ header: new Map(), payload: PAYLOAD, key })],
    ['alg in the unprotected header alone', sign1({ header: new Map(), unprotected: new Map([[1, -7]]), payload: PAYLOAD, key })],
    [
      'crit',
      sign1({
        header: new Map<number, unknown>([
          [1, -7],
          [2, [1]],
        ]),
        payload: PAYLOAD,
        key,
      }),
    ],
    ['crit that nobody signs', sign1({ unprotected: new Map([[2, [1]]]), payload: PAYLOAD, key })],
    ['something else that nobody signs', sign1({ unprotected: new Map([[33, Buffer.alloc(9)]]), payload: PAYLOAD, key })],
    ['unprotected header of an array', sign1({ unprotected: [], payload: PAYLOAD, key })],
    ['unprotected header that is null', sign1({ unprotected: null, payload: PAYLOAD, key })],
    ['kid as text', sign1({ unprotected: new Map([[4, 'kid']]), payload: PAYLOAD, key })],
    ['indefinite array', Buffer.concat([hex('9f'), sign1({ payload: PAYLOAD, key, tag: -1 }).subarray(1), hex('ff')])],
    ['a byte after it', Buffer.concat([sign1({ payload: PAYLOAD, key }), hex('00')])],
    ['nothing', Buffer.alloc(0)],
  ];
  for (const [what, message] of cases) t.throws(() => readCoseSign1(message, EITHER), { code: 'ERR_VC_EVIDENCE' }, what);
  const good = sign1({ payload: PAYLOAD, key });
  for (let end = 0; end < good.length; end++)
    t.throws(() => readCoseSign1(good.subarray(0, end), EITHER), { code: 'ERR_VC_EVIDENCE' }, `${end} bytes`);
});

void t.test('the kid of the protected header goes before the other', async (t) => {
  const header = new Map<number, unknown>([
    [1, -7],
    [4, Buffer.from('signed')],
  ]);
  const message = sign1({ header, unprotected: new Map([[4, Buffer.from('not signed')]]), payload: PAYLOAD, key });
  t.equal(readCoseSign1(message, EITHER).keyId?.toString(), 'signed');
  t.equal(readCoseSign1(sign1({ payload: PAYLOAD, key }), EITHER).keyId, undefined);
});

void t.test('one algorithm is expected, and one only', async (t) => {
  const other = newKey('P-384');
  const es384 = sign1({ header: new Map([[1, -35]]), payload: PAYLOAD, key: other, digest: 'sha384' });
  const verify = (message: Buffer, by = publicKey, algorithm: 'ES256' | 'ES384' = 'ES256') =>
    outcome(() => verifyCoseSign1(readCoseSign1(message, EITHER), by, algorithm));
  t.equal(verify(sign1({ payload: PAYLOAD, key })), 'accepted');
  t.equal(verify(es384, createPublicKey(other), 'ES384'), 'accepted');
  t.equal(verify(es384, createPublicKey(other)), 'EvidenceError', 'ES384 where ES256 is due');
  t.equal(verify(sign1({ payload: PAYLOAD, key }), publicKey, 'ES384'), 'EvidenceError', 'ES256 where ES384 is due');
  for (const alg of [0, -8, -36, -37, 5, 4, -65535]) {
    t.equal(verify(sign1({ header: new Map([[1, alg]]), payload: PAYLOAD, key })), 'EvidenceError', `alg ${alg}`);
  }
  const beside = sign1({ unprotected: new Map([[1, -35]]), payload: PAYLOAD, key });
  t.equal(verify(beside), 'accepted', 'an unprotected alg counts for nothing');
  t.equal(verify(beside, publicKey, 'ES384'), 'EvidenceError');
  t.equal(verify(sign1({ payload: PAYLOAD, key: other }), createPublicKey(other)), 'EvidenceSignatureError', 'says ES256, of a P-384 key');
  t.equal(verify(sign1({ payload: PAYLOAD, key }), createPublicKey(newKey('P-256'))), 'EvidenceSignatureError', 'another key');
  t.equal(verify(sign1({ payload: PAYLOAD, key, digest: 'sha384' })), 'EvidenceSignatureError', 'another digest');
  const rsa = createPublicKey(makeKey('rsa'));
  t.equal(verify(sign1({ payload: PAYLOAD, key }), rsa), 'EvidenceSignatureError', 'a key that is on no curve');
});

void t.test('signatures of the wrong shape', async (t) => {
  const verify = (signature: Buffer) =>
    outcome(() => verifyCoseSign1(readCoseSign1(sign1({ payload: PAYLOAD, key, signature }), EITHER), publicKey, 'ES256'));
  for (const bytes of [0, 1, 63, 65, 71, 96, 128]) t.equal(verify(Buffer.alloc(bytes, 1)), 'EvidenceSignatureError', `${bytes} bytes`);
  t.equal(verify(Buffer.alloc(64)), 'EvidenceSignatureError', 'r = s = 0');
  t.equal(verify(Buffer.alloc(64, 0xff)), 'EvidenceSignatureError', 'r = s > n');
});

void t.test('size: at the limit and one over, and options out of range', async (t) => {
  const payload = (bytes: number) => Buffer.alloc(bytes, 0x61);
  const around = sign1({ payload: payload(60_000), key }).length - 60_000;
  const atLimit = sign1({ payload: payload(65_536 - around), key });
  t.equal(atLimit.length, 65_536);
  t.doesNotThrow(() => verifyCoseSign1(readCoseSign1(atLimit, EITHER), publicKey, 'ES256'));
  const over = sign1({ payload: payload(65_537 - around), key });
  t.throws(() => readCoseSign1(over, EITHER), { code: 'ERR_VC_LIMIT', got: 65_537, limit: 65_536 });
  t.doesNotThrow(() => readCoseSign1(over, { ...EITHER, maxEvidenceBytes: 65_537 }));
  t.throws(() => readCoseSign1(Buffer.alloc(65_537, 0xff), EITHER), { code: 'ERR_VC_LIMIT' }, 'before any of it is read');
  for (const wrong of [
    { maxEvidenceBytes: 0 },
    { maxEvidenceBytes: 16_777_217 },
    { maxEvidenceBytes: Number.NaN },
    { maxDepth: 0 },
    { maxDepth: 257 },
  ]) {
    t.throws(() => readCoseSign1(over, { ...EITHER, ...wrong }), { code: 'ERR_VC_INVALID_OPTION' });
  }
  t.throws(
    () => readCoseSign1(atLimit, { ...EITHER, maxDepth: 1 }),
    { code: 'ERR_VC_EVIDENCE', message: /more than 1 levels/ },
    'tag and array are two',
  );
});
