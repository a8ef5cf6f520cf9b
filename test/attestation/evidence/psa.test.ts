/** PSA tokens in both shapes: the bytes, what is refused, and by which name. */
import { createPublicKey, randomBytes, verify } from 'node:crypto';
import t from 'tap';
import { makeKey } from '../../../lib/attestation/certificate.js';
import {
  makePsaToken,
  type PsaShape,
  psaKeyId,
  psaPoint,
  readPsaClaims,
  verifyDeviceToken,
  verifyPsaToken,
} from '../../../lib/attestation/evidence/index.js';
import { cbor, everyFlip, hex, isWithin, newKey, outcome, sha256, sign1 } from './support.js';
import '../../support/long.js';

const SHAPES: readonly PsaShape[] = ['2207', 'head'];
const key = newKey('P-256');
const publicKey = psaPoint(key);
const [challenge, runtimeHash, request] = [randomBytes(32), randomBytes(32), randomBytes(300)];
const requestHash = sha256(request);
const OPTIONS = { publicKey, challenge, request };
const tokenOf = (shape: PsaShape, more = {}) => makePsaToken({ key, challenge, runtimeHash, requestHash, shape, ...more });
const check = (token: Buffer, more = {}) => outcome(() => verifyPsaToken(token, { ...OPTIONS, ...more }));

void t.test('2207: the payload byte by byte, and the header with the algorithm alone', async (t) => {
  const token = tokenOf('2207');
  const payload = Buffer.concat([
    hex('a4 3a000124ff 5820'),
    challenge,
    hex('3a000124fd 5820'),
    runtimeHash,
    hex('3a00012501 5820'),
    requestHash,
    hex('3a000124f8 40'),
  ]);
  t.equal(payload.length, 124);
  // What the original does: fixed offsets, whatever the labels.
  t.same([payload.subarray(8, 40), payload.subarray(47, 79), payload.subarray(86, 118)], [challenge, runtimeHash, requestHash]);
  const head = Buffer.concat([hex('d2 84 43a10126 a1 04 5820'), sha256(publicKey), hex('587c'), payload, hex('5840')]);
  t.same(token.subarray(0, head.length), head);
  t.equal(token.length, head.length + 64);
  const toBeSigned = Buffer.concat([hex('84 6a', Buffer.from('Signature1').toString('hex'), '43a10126 40 587c'), payload]);
  const signature = { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' } as const;
  t.ok(verify('sha256', toBeSigned, signature, token.subarray(-64)), 'node:crypto verifies it without us');
  const named = readPsaClaims(tokenOf('2207', { name: 'enclave' }));
  t.equal(named.name, 'enclave', 'a name of seven characters: what /VerifyPAT looked for at [124..131)');
});

void t.test('head: the claims of a PSA token', async (t) => {
  const token = tokenOf('head');
  const payload = Buffer.concat([
    hex('a8 3a000124f7 71', Buffer.from('PSA_IOT_PROFILE_1').toString('hex'), '3a000124f8 01 3a000124f9 193000'),
    hex('3a000124fa 5820', '00'.repeat(32), '3a000124fb 5820', '00'.repeat(32)),
    hex('3a000124fd 81 a3 01 64', Buffer.from('ARoT').toString('hex'), '02 5820'),
    runtimeHash,
    hex('05 5820'),
    requestHash,
    hex('3a000124ff 5820'),
    challenge,
    hex('3a00012500 5821 01'),
    sha256(publicKey),
  ]);
  const head = Buffer.concat([hex('d2 84 43a10126 a0 59', payload.length.toString(16).padStart(4, '0')), payload, hex('5840')]);
  t.same(token.subarray(0, head.length), head);
});

void t.test('what a token says, once it is verified; the key as point, PEM or object', async (t) => {
  const keyId = sha256(publicKey);
  t.same(psaKeyId(key), keyId);
  const common = { challenge, runtimeHash, requestHash, keyId };
  const pem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  for (const by of [publicKey, pem, createPublicKey(key)]) {
    t.same(verifyPsaToken(tokenOf('2207', { name: 'enclave' }), { ...OPTIONS, publicKey: by }), {
      shape: '2207',
      ...common,
      name: 'enclave',
    });
    t.same(verifyPsaToken(tokenOf('head'), { ...OPTIONS, publicKey: by }), {
      shape: 'head',
      ...common,
      instanceId: Buffer.concat([hex('01'), keyId]),
    });
  }
  for (const shape of SHAPES) t.same(readPsaClaims(tokenOf(shape)), verifyPsaToken(tokenOf(shape), OPTIONS), 'and before it is');
});

void t.test('another challenge, request, key: each by its name', async (t) => {
  for (const shape of SHAPES) {
    const token = tokenOf(shape);
    t.equal(check(token), 'accepted');
    t.equal(check(token, { challenge: randomBytes(32) }), 'ChallengeError');
    t.equal(check(token, { request: randomBytes(300) }), 'CertificateRequestError');
    t.equal(check(token, { request: Buffer.alloc(0) }), 'CertificateRequestError');
    t.equal(check(token, { publicKey: psaPoint(newKey('P-256')) }), 'EvidenceSignatureError');
    t.equal(check(tokenOf(shape, { key: newKey('P-256') })), 'EvidenceSignatureError');
    t.equal(check(tokenOf(shape, { challenge: requestHash, requestHash: challenge })), 'ChallengeError', 'swapped');
    t.equal(check(token.subarray(1)), 'EvidenceError', 'without its tag');
    t.throws(() => verifyPsaToken(token, { ...OPTIONS, challenge: challenge.subarray(1) }), { code: 'ERR_VC_INVALID_ARGUMENT', got: 31 });
  }
});

void t.test('a token that names another key than signed it', async (t) => {
  const other = sha256(randomBytes(9));
  const claims = new Map([
    [-75008, challenge],
    [-75006, runtimeHash],
    [-75010, requestHash],
    [-75001, Buffer.alloc(0)],
  ]);
  const of = (keyId: Buffer) => sign1({ payload: cbor(claims), key, unprotected: new Map([[4, keyId]]) });
  t.equal(check(of(sha256(publicKey))), 'accepted');
  t.equal(check(of(other)), 'EvidenceSignatureError');
  t.equal(check(of(Buffer.from('11'))), 'EvidenceSignatureError', 'an id that cannot be one of ours');
  t.equal(check(sign1({ payload: cbor(claims), key })), 'accepted', 'no id at all: the original writes none');
  t.equal(readPsaClaims(sign1({ payload: cbor(claims), key })).keyId, undefined);
  t.equal(check(sign1({ payload: cbor(headClaims({ instance: Buffer.concat([hex('01'), other]) })), key })), 'EvidenceSignatureError');
});

interface HeadParts {
  instance?: unknown;
  software?: unknown;
  component?: Map<unknown, unknown>;
}

function headClaims({
  instance = Buffer.concat([hex('01'), sha256(publicKey)]),
  component = new Map(),
  software,
}: HeadParts = {}): Map<unknown, unknown> {
  const whole = new Map<unknown, unknown>([[1, 'ARoT'], [2, runtimeHash], [5, requestHash], ...component]);
  return new Map<unknown, unknown>([
    [-75008, challenge],
    [-75009, instance],
    [-75006, software ?? [whole]],
  ]);
}

void t.test('claims by label: any order, any others beside them, none missing, none of another kind', async (t) => {
  const pairs: Array<[number, unknown]> = [
    [-75010, requestHash],
    [-75001, Buffer.alloc(0)],
    [99, 'other'],
    [-75006, runtimeHash],
    [-75008, challenge],
  ];
  const token = (claims: Array<[number, unknown]>) => sign1({ payload: cbor(new Map(claims)), key });
  t.equal(check(token(pairs)), 'accepted');
  for (const [label] of pairs.filter(([each]) => each !== 99)) {
    t.equal(check(token(pairs.filter(([each]) => each !== label))), 'EvidenceError', `no ${label}`);
    for (const wrong of [null, 7, 'text', new Map(), true]) {
      t.equal(
        check(token(pairs.map(([each, value]) => [each, each === label ? wrong : value]))),
        'EvidenceError',
        `${label}: ${typeof wrong}`,
      );
    }
    if (label === -75001) continue;
    for (const length of [0, 31, 33, 64]) {
      t.equal(
        check(token(pairs.map(([each, value]) => [each, each === label ? Buffer.alloc(length) : value]))),
        'EvidenceError',
        `${label}: ${length} bytes`,
      );
    }
  }
  t.equal(
    check(token(pairs.map(([each, value]) => [each, each === -75001 ? hex('ff') : value]))),
    'EvidenceError',
    'a name that is no UTF-8',
  );
  t.equal(check(sign1({ payload: cbor([...pairs]), key })), 'EvidenceError', 'claims that are no map');
  t.equal(check(sign1({ payload: hex('a2 3a000124ff 00 3a000124ff 00'), key })), 'EvidenceError', 'a label twice');
  t.equal(check(sign1({ payload: Buffer.concat([cbor(new Map(pairs)), hex('00')]), key })), 'EvidenceError', 'a byte after the claims');
  const [, ...rest] = cbor(new Map(pairs));
  t.equal(check(sign1({ payload: Buffer.from([0xbf, ...rest, 0xff]), key })), 'EvidenceError', 'a map of indefinite length');
});

void t.test('head: one component, of the right parts', async (t) => {
  const verdict = (parts: HeadParts) => check(sign1({ payload: cbor(headClaims(parts)), key }));
  t.equal(verdict({}), 'accepted');
  t.equal(
    verdict({
      component: new Map<unknown, unknown>([
        [4, '1.0'],
        [6, 'SHA256'],
      ]),
    }),
    'accepted',
    'with a version and a description',
  );
  for (const [label, wrong] of [
    [1, 7],
    [2, 'text'],
    [2, Buffer.alloc(31)],
    [2, Buffer.alloc(48)],
    [5, null],
    [5, Buffer.alloc(33)],
  ] as const) {
    t.equal(verdict({ component: new Map<unknown, unknown>([[label, wrong]]) }), 'EvidenceError', `component ${label}`);
  }
  t.equal(
    verdict({ component: new Map<unknown, unknown>([[2, Buffer.alloc(32)]]) }),
    'accepted',
    'any measurement: the caller has the list',
  );
  const whole = new Map<unknown, unknown>([
    [2, runtimeHash],
    [5, requestHash],
  ]);
  t.equal(verdict({ software: [whole] }), 'accepted');
  t.equal(verdict({ software: [whole, whole] }), 'EvidenceError', 'which of the two was measured?');
  for (const software of [[], [7], [new Map(), new Map()], [[1]]]) t.equal(verdict({ software }), 'EvidenceError');
  for (const instance of [null, 'x', Buffer.alloc(33, 2), Buffer.alloc(32, 1), Buffer.alloc(34, 1)])
    t.equal(verdict({ instance }), 'EvidenceError');
});

void t.test('head: what is not judged has its type all the same', async (t) => {
  const verdict = (label: number, value: unknown) => check(sign1({ payload: cbor(headClaims().set(label, value)), key }));
  const claims: ReadonlyArray<readonly [label: number, good: unknown, bad: readonly unknown[]]> = [
    [-75000, 'PSA_IOT_PROFILE_1', [1, hex('00'), null]],
    [-75001, -1, ['x', hex('00'), [], true]],
    [-75002, 0x3000, ['secured', hex('3000'), null]],
    [-75003, Buffer.alloc(32), ['x', 1]],
    [-75004, Buffer.alloc(32), ['x', 1]],
  ];
  for (const [label, good, bad] of claims) {
    t.equal(verdict(label, good), 'accepted', `${label}`);
    for (const value of bad) t.equal(verdict(label, value), 'EvidenceError', `${label}: ${typeof value}`);
  }
});

void t.test('every token with one bit changed is refused, by the right name', async (t) => {
  for (const shape of SHAPES) {
    const token = tokenOf(shape);
    const outcomes = everyFlip(token, (changed) => verifyPsaToken(changed, OPTIONS));
    t.same(
      [...outcomes.keys()].sort(),
      ['EvidenceError', 'EvidenceSignatureError'],
      `${shape}: nothing else came of ${token.length * 8} bits`,
    );
    const payloadAt = token.indexOf(hex(shape === '2207' ? 'a43a' : 'a83a'));
    const signatureAt = token.length - 64;
    const keyIdAt = shape === '2207' ? token.indexOf(sha256(publicKey)) : payloadAt;
    const malformed = outcomes.get('EvidenceError') ?? [];
    t.notOk(malformed.some(isWithin(payloadAt, signatureAt - 2)), 'in the payload: the signature');
    t.notOk(malformed.some(isWithin(signatureAt, token.length)), 'in the signature: the signature');
    t.notOk(malformed.some(isWithin(keyIdAt, keyIdAt + (shape === '2207' ? 32 : 0))), 'in the key id: the signature');
    const device = everyFlip(token, (changed) => verifyDeviceToken(changed, publicKey));
    t.notOk([...device.keys()].some((name) => name.startsWith('foreign')));
    const accepted = device.get('accepted') ?? [];
    t.ok(accepted.every(isWithin(keyIdAt, keyIdAt + 32)), '/VerifyPAT is told the key: it has no use for the id');
    t.notOk(accepted.some(isWithin(payloadAt, token.length)));
  }
});

void t.test('a device token: its payload, whatever that is', async (t) => {
  const payload = randomBytes(131);
  for (const tag of [18, -1]) t.same(verifyDeviceToken(sign1({ payload, key, tag }), publicKey), payload);
  t.same(verifyDeviceToken(sign1({ payload: Buffer.alloc(0), key }), publicKey), Buffer.alloc(0));
  const token = sign1({ payload, key });
  t.equal(
    outcome(() => verifyDeviceToken(token, psaPoint(newKey('P-256')))),
    'EvidenceSignatureError',
  );
  const other = newKey('P-384');
  const es384 = sign1({ header: new Map([[1, -35]]), payload, key: other, digest: 'sha384' });
  t.equal(
    outcome(() => verifyDeviceToken(es384, publicKey)),
    'EvidenceError',
  );
  t.throws(() => verifyDeviceToken(Buffer.alloc(65_537), publicKey), { code: 'ERR_VC_LIMIT' });
  t.throws(() => verifyDeviceToken(token, publicKey, { maxEvidenceBytes: token.length - 1 }), {
    code: 'ERR_VC_LIMIT',
    limit: token.length - 1,
  });
  t.same(verifyDeviceToken(token, publicKey, { maxEvidenceBytes: token.length }), payload);
});

void t.test('keys: a P-256 point, and nothing else', async (t) => {
  const refused: Array<readonly [what: string, key: Buffer | string]> = [
    ['64 bytes', publicKey.subarray(1)],
    ['66 bytes', Buffer.concat([publicKey, hex('00')])],
    ['nothing', Buffer.alloc(0)],
    ['compressed', Buffer.concat([hex('02'), publicKey.subarray(1, 33)])],
    ['hybrid', Buffer.concat([hex('06'), publicKey.subarray(1)])],
    ['not on the curve', Buffer.concat([publicKey.subarray(0, 64), Buffer.of((publicKey[64] as number) ^ 1)])],
    ['zeros', Buffer.concat([hex('04'), Buffer.alloc(64)])],
    ['no PEM', 'key'],
  ];
  for (const [what, wrong] of refused) {
    t.throws(() => psaKeyId(wrong), { code: 'ERR_VC_EVIDENCE' }, what);
    t.throws(() => verifyPsaToken(tokenOf('2207'), { ...OPTIONS, publicKey: wrong }), { code: 'ERR_VC_EVIDENCE' }, what);
  }
  t.throws(() => psaPoint(createPublicKey(newKey('P-384'))), { code: 'ERR_VC_EVIDENCE', got: 'secp384r1' });
  t.throws(() => psaPoint(createPublicKey(makeKey('rsa'))), { code: 'ERR_VC_EVIDENCE', got: 'rsa' }, 'a key without a curve');
  t.equal(publicKey.length, 65);
  t.equal(publicKey[0], 4);
});

void t.test('what cannot be made', async (t) => {
  for (const wrong of [{ challenge: Buffer.alloc(31) }, { runtimeHash: Buffer.alloc(48) }, { requestHash: Buffer.alloc(0) }]) {
    t.throws(() => tokenOf('2207', wrong), { code: 'ERR_VC_INVALID_ARGUMENT', expected: 32 });
  }
  t.throws(() => tokenOf('2206' as PsaShape), { code: 'ERR_VC_INVALID_OPTION' });
  t.throws(() => tokenOf('head', { key: newKey('P-384') }), { code: 'ERR_VC_EVIDENCE' });
});

void t.test('limits: the size of a token and the depth of its claims', async (t) => {
  const around = tokenOf('2207', { name: 'x'.repeat(60_000) }).length - 60_000;
  t.equal(check(tokenOf('2207', { name: 'x'.repeat(65_536 - around) })), 'accepted');
  t.equal(check(tokenOf('2207', { name: 'x'.repeat(65_537 - around) })), 'LimitError');
  t.throws(() => readPsaClaims(Buffer.alloc(65_537)), { code: 'ERR_VC_LIMIT', limit: 65_536 });
  const nested = (levels: number) => {
    let value: unknown = 0;
    for (let i = 0; i < levels; i++) value = [value];
    return new Map<unknown, unknown>([
      [-75008, challenge],
      [-75006, runtimeHash],
      [-75010, requestHash],
      [-75001, Buffer.alloc(0)],
      [1, value],
    ]);
  };
  const deep = (levels: number) => sign1({ payload: cbor(nested(levels)), key });
  t.equal(check(deep(31)), 'accepted', 'the map is the first of 32');
  t.equal(check(deep(32)), 'EvidenceError');
  t.equal(check(deep(32), { maxDepth: 33 }), 'accepted');
});
