/** Anything at all, and good evidence with anything done to it: an error of ours or, unchanged, itself. Nothing else. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { readCbor } from '../../../lib/attestation/evidence/cbor.js';
import {
  makePsaToken,
  psaPoint,
  readCoseSign1,
  readPsaClaims,
  verifyDeviceToken,
  verifyNitroDocument,
  verifyPsaToken,
} from '../../../lib/attestation/evidence/index.js';
import { makeRequest, readRequest } from '../../../lib/attestation/request.js';
import '../../support/long.js';
import { seeded } from '../../support/splits.js';
import { certify, challenge, documentOf, request, root } from './nitro-pki.js';
import { cbor, newKey, outcome, sha256 } from './support.js';

const key = newKey('P-256');
const publicKey = psaPoint(key);
const tokens = (['2207', 'head'] as const).map((shape) =>
  makePsaToken({ key, challenge, runtimeHash: randomBytes(32), requestHash: sha256(request), shape }),
);
const document = documentOf([root, certify('leaf', { by: root, isCa: false })]);
const requests = [makeRequest(key), makeRequest(newKey('P-256'))];

const verifyPsa = (bytes: Buffer) => verifyPsaToken(bytes, { publicKey, challenge, request });
const verifyNitro = (bytes: Buffer) => verifyNitroDocument(bytes, { root: root.der, challenge, request });

/** Bytes cut out, put in, doubled or overwritten, a few times over. */
const mutation = fc.record({
  kind: fc.constantFrom('cut', 'put', 'double', 'overwrite', 'swap'),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 40 }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never;
const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

function mutated(original: Buffer, steps: readonly Mutation[]): Buffer {
  return steps.reduce<Buffer>((bytes, { kind, at: offset, length, bytes: other }) => {
    const at = offset % (bytes.length + 1);
    const [before, here, after] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)];
    if (kind === 'cut') return Buffer.concat([before, after]);
    if (kind === 'put') return Buffer.concat([before, other, here, after]);
    if (kind === 'double') return Buffer.concat([before, here, here, after]);
    if (kind === 'swap') return Buffer.concat([before, Buffer.from(here).reverse(), after]);
    return Buffer.concat([before, other, bytes.subarray(Math.min(at + other.length, bytes.length))]);
  }, original);
}

const isOurs = (result: string) => result !== 'accepted' && !result.startsWith('foreign');

/** Each of `calls` refuses each of `inputs`, and by an error of ours. */
function refuses(t: Tap, runs: number, inputs: fc.Arbitrary<Buffer>, ...calls: Array<(bytes: Buffer) => unknown>): void {
  let cases = 0;
  fc.assert(
    fc.property(inputs, (bytes) => {
      cases++;
      return calls.every((call) => isOurs(outcome(() => call(bytes))));
    }),
    seeded(runs),
  );
  t.ok(cases >= runs, `${cases} inputs`);
}
type Tap = { ok(value: boolean, message: string): unknown };

const noise = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
/** CBOR that is right, and means nothing. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, fc.integer(), fc.string(), fc.boolean(), fc.constant(null), tie('bytes'), tie('array'), tie('map')),
  bytes: fc.uint8Array({ maxLength: 70 }).map((bytes) => Buffer.from(bytes)),
  array: fc.array(tie('value'), { maxLength: 5 }),
  map: fc
    .array(fc.tuple(fc.oneof(fc.integer({ min: -75_012, max: 5 }), fc.string()), tie('value')), { maxLength: 5 })
    .map((pairs) => new Map(pairs as Array<[unknown, unknown]>)),
}));
const evidenceLike = fc.array(value, { minLength: 3, maxLength: 5 }).map((parts) => Buffer.concat([Buffer.of(0xd2), cbor(parts)]));

const EVERYBODY = [
  verifyPsa,
  verifyNitro,
  readPsaClaims,
  (bytes: Buffer) => verifyDeviceToken(bytes, publicKey),
  (bytes: Buffer) => readRequest(bytes),
];

void t.test('noise', async (t) => {
  refuses(t, 5_000, noise, ...EVERYBODY);
});

void t.test('well-formed CBOR that is no evidence', async (t) => {
  refuses(t, 5_000, evidenceLike, verifyPsa, verifyNitro, readPsaClaims);
});

void t.test('tokens, mutated', async (t) => {
  const changed = fc
    .tuple(fc.constantFrom(...tokens), mutations)
    .map(([token, steps]) => [token, mutated(token, steps)] as const)
    .filter(([token, bytes]) => !bytes.equals(token))
    .map(([, bytes]) => bytes);
  refuses(t, 8_000, changed, verifyPsa);
  fc.assert(
    fc.property(changed, (bytes) => !outcome(() => readPsaClaims(bytes)).startsWith('foreign')),
    seeded(4_000),
  );
});

void t.test('documents, mutated', async (t) => {
  const changed = mutations.map((steps) => mutated(document, steps)).filter((bytes) => !bytes.equals(document));
  refuses(t, 3_000, changed, verifyNitro);
});

void t.test('requests, mutated', async (t) => {
  const changed = fc
    .tuple(fc.constantFrom(...requests), mutations)
    .map(([der, steps]) => [der, mutated(der, steps)] as const)
    .filter(([der, bytes]) => !bytes.equals(der))
    .map(([, bytes]) => bytes);
  refuses(t, 5_000, changed, (bytes) => readRequest(bytes));
});

void t.test('the reader takes what cborg writes, and gives it back', async (t) => {
  fc.assert(
    fc.property(value, (each) => {
      const bytes = cbor(each);
      return cbor(readCbor(bytes, 'a value', { maxDepth: 32 })).equals(bytes);
    }),
    seeded(5_000),
  );
  t.equal(
    outcome(() => readCoseSign1(tokens[0] as Buffer, { tagged: 'required' })),
    'accepted',
  );
  for (const token of tokens)
    t.equal(
      outcome(() => verifyPsa(token)),
      'accepted',
    );
  t.equal(
    outcome(() => verifyNitro(document)),
    'accepted',
    'what was mutated was good',
  );
  for (const der of requests)
    t.equal(
      outcome(() => readRequest(der)),
      'accepted',
    );
});
