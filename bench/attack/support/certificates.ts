/** Certificates that look dear to verify. No key is made for them: a modulus and a signature are bytes as good as any. */
import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { makeKey, pemOf } from 'veracruz-streams/attestation';
import { makeCertificate } from '../../../lib/attestation/certificate.js';
import { bits, fromDer, items, sequence, toDer } from '../../../lib/layers/formats/asn1.js';
import type { Credentials } from '../../harness/pki.js';

/** The largest modulus and exponent that OpenSSL takes. */
const MODULUS_BYTES = 2048;
const EXPONENT_BYTES = 8;

/** An odd number of so many bytes, base64url: all that the reader of a key looks at. */
function oddNumber(bytes: number): string {
  const number = randomBytes(bytes);
  number[0] = (number[0] as number) | 0x80;
  number[bytes - 1] = (number[bytes - 1] as number) | 1;
  return number.toString('base64url');
}

function madeUpKey(): KeyObject {
  return createPublicKey({ format: 'jwk', key: { kty: 'RSA', n: oddNumber(MODULUS_BYTES), e: oddNumber(EXPONENT_BYTES) } });
}

/** `der` with another signature: as long as the made-up modulus, and smaller than it. */
function resigned(der: Buffer): Buffer {
  const [content, algorithm] = items(fromDer(der, { bitStrings: false }));
  if (content === undefined || algorithm === undefined) throw new Error('no certificate');
  return toDer(sequence(content, algorithm, bits(Buffer.concat([Buffer.alloc(1), randomBytes(MODULUS_BYTES - 1)]))));
}

/** A key with its certificate, and `length` more above it, each of which seems to be issued by the next. */
export function madeUpChain(length: number): Credentials {
  const key = makeKey('ec');
  // Its own signatures are thrown away; it gives the certificates their algorithm.
  const rsa = makeKey('rsa');
  const keys = Array.from({ length }, madeUpKey);
  const nameOf = (i: number) => ({ commonName: `made up ${Math.min(i, length - 1)}` });
  const above = keys.map((publicKey, i) =>
    makeCertificate({ subject: nameOf(i), issuer: nameOf(i + 1), publicKey, issuerKey: keys[i + 1] ?? publicKey, isCa: true }, rsa),
  );
  const leaf = makeCertificate(
    {
      subject: { commonName: 'stranger' },
      issuer: nameOf(0),
      publicKey: createPublicKey(key),
      issuerKey: keys[0] as KeyObject,
      isCa: false,
    },
    rsa,
  );
  const chain = [leaf, ...above].map((der) => pemOf(resigned(der)));
  return { certificate: chain.join(''), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}
