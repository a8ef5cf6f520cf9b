import { X509Certificate as Certificate, createPublicKey, type X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { makeAuthority } from '../../../lib/attestation/authority.js';
import { makeCertificate, makeKey, nameOf, publicKeyInfo, signed } from '../../../lib/attestation/certificate.js';
import { signatureAlgorithm } from '../../../lib/attestation/signature.js';
import { integer, octets, oid, sequence, tagged, time } from '../../../lib/layers/formats/asn1.js';
import { expectRuntimeHash, runtimeHashOf } from '../../../lib/layers/tls/index.js';
import { seeded } from '../../support/splits.js';
import { authority, issued, RUNTIME_HASH } from './pki.js';

const certificateWith = (runtimeHash?: Buffer) => new Certificate(issued(authority, runtimeHash ? { runtimeHash } : {}).certificate);

/** A certificate with just these extensions. */
function certificateOf(...extensions: { id: string; bytes: Buffer }[]): X509Certificate {
  const key = makeKey('ec');
  const name = nameOf({ commonName: 'x' });
  const tbs = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(Buffer.of(1)),
    signatureAlgorithm(key),
    name,
    sequence(time(new Date(0)), time(new Date(2 ** 41))),
    name,
    publicKeyInfo(createPublicKey(key)),
    tagged(3, sequence(...extensions.map(({ id, bytes }) => sequence(oid(id), octets(bytes))))),
  );
  return new Certificate(signed(tbs, key));
}

void t.test('the hash comes out as it went in', async (t) => {
  t.same(runtimeHashOf(certificateWith(RUNTIME_HASH)), RUNTIME_HASH);
  t.equal(runtimeHashOf(certificateWith()), undefined);
  t.equal(runtimeHashOf(new Certificate(makeAuthority().certificate)), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) =>
      runtimeHashOf(certificateOf({ id: '2.5.30.1', bytes: Buffer.from(bytes) }))?.equals(bytes),
    ),
    seeded(20),
  );
});

void t.test('the bytes of the extension are those of the wire specification', async (t) => {
  const { raw } = certificateWith(RUNTIME_HASH);
  t.ok(raw.includes(Buffer.concat([Buffer.from('302706 03551e01 0420'.replaceAll(' ', ''), 'hex'), RUNTIME_HASH])));
});

void t.test('other OIDs are not it', async (t) => {
  for (const id of ['2.5.30.2', '2.5.30.1.1', '2.5.30', '1.5.30.1', '2.5.30.129']) {
    t.equal(runtimeHashOf(certificateOf({ id, bytes: RUNTIME_HASH })), undefined, id);
  }
});

void t.test('the hook', async (t) => {
  const good = certificateWith(RUNTIME_HASH);
  t.doesNotThrow(() => expectRuntimeHash([RUNTIME_HASH])(good));
  t.doesNotThrow(() => expectRuntimeHash([Buffer.alloc(32), RUNTIME_HASH.toString('hex').toUpperCase()])(good));
  t.throws(() => expectRuntimeHash([Buffer.alloc(32)])(good), { code: 'ERR_VC_CERTIFICATE', got: RUNTIME_HASH.toString('hex') });
  t.throws(() => expectRuntimeHash([RUNTIME_HASH])(certificateWith()), { code: 'ERR_VC_CERTIFICATE', message: /no runtime hash/ });
  for (const length of [0, 31, 33]) {
    const bytes = Buffer.alloc(length, 0x5a);
    t.throws(() => expectRuntimeHash([RUNTIME_HASH])(certificateOf({ id: '2.5.30.1', bytes })), { code: 'ERR_VC_CERTIFICATE' });
  }
  for (const hashes of [[], [Buffer.alloc(31)], ['00'], [`${'0'.repeat(63)}g`]]) {
    t.throws(() => expectRuntimeHash(hashes), { code: 'ERR_VC_INVALID_OPTION' });
  }
});

void t.test('twice is refused, wherever it is read', async (t) => {
  const extension = { id: '2.5.30.1', bytes: RUNTIME_HASH };
  t.throws(() => runtimeHashOf(certificateOf(extension, extension)), { code: 'ERR_VC_CERTIFICATE', got: 2 });
});

void t.test('bytes that are no certificate are a CertificateError, and nothing else', async (t) => {
  const { raw } = certificateWith(RUNTIME_HASH);
  const of = (bytes: Buffer) => ({ raw: bytes }) as X509Certificate;
  for (let length = 0; length < raw.length; length++) {
    t.throws(() => runtimeHashOf(of(raw.subarray(0, length))), { code: 'ERR_VC_CERTIFICATE' });
  }
  fc.assert(
    fc.property(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bad = Buffer.from(raw);
      bad[at] = (bad[at] as number) ^ flip;
      try {
        runtimeHashOf(of(bad));
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_VC_CERTIFICATE') throw error;
      }
    }),
    seeded(2000),
  );
  const deep = Buffer.concat([
    ...Array.from({ length: 400 }, (_, i) => Buffer.of(0x30, 0x82, ((399 - i) * 4) >> 8, ((399 - i) * 4) & 255)),
  ]);
  t.throws(() => runtimeHashOf(of(deep)), { code: 'ERR_VC_CERTIFICATE' }, 'nested 400 deep');
});

void t.test('a hash of another length cannot be written', async (t) => {
  const key = makeKey('ec');
  const name = { commonName: 'x' };
  const content = { subject: name, issuer: name, publicKey: createPublicKey(key), isCa: false, runtimeHash: Buffer.alloc(31) };
  t.throws(() => makeCertificate(content, key), { code: 'ERR_VC_INVALID_ARGUMENT', expected: 32, got: 31 });
});
