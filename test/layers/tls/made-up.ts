/** Certificates that are made up: OpenSSL reads them, and verifies them signature by signature, and they lead nowhere. */
import { createPublicKey, randomBytes } from 'node:crypto';
import { makeKey, nameOf, pemOf, publicKeyInfo } from '../../../lib/attestation/certificate.js';
import { type Asn1, bits, integer, nil, oid, sequence, tagged, time, toDer } from '../../../lib/layers/formats/asn1.js';

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';

/** An RSA key that nobody has: its exponent, of 64 bits, is the largest that OpenSSL takes with such a modulus. */
function madeUpKey(keyBits: number): Asn1 {
  const modulus = randomBytes(keyBits / 8);
  modulus[0] = (modulus[0] as number) | 0x80;
  modulus[modulus.length - 1] = (modulus.at(-1) as number) | 1;
  const numbers = sequence(integer(Buffer.concat([Buffer.of(0), modulus])), integer(Buffer.from('00ffffffffffffffff', 'hex')));
  return sequence(sequence(oid(RSA_ENCRYPTION), nil()), bits(toDer(numbers)));
}

function madeUpCertificate(subject: string, issuer: string, publicKey: Asn1, keyBits: number): Buffer {
  const algorithm = sequence(oid(SHA256_WITH_RSA), nil());
  const validity = sequence(time(new Date(Date.UTC(2020, 0, 1))), time(new Date(Date.UTC(2040, 0, 1))));
  const names = [nameOf({ commonName: issuer }), validity, nameOf({ commonName: subject })];
  const body = sequence(tagged(0, integer(Buffer.of(2))), integer(Buffer.of(1)), algorithm, ...names, publicKey);
  const signature = randomBytes(keyBits / 8);
  // Below the modulus, or it would be refused before the costly part.
  signature[0] = 0;
  return toDer(sequence(body, algorithm, bits(signature)));
}

/**
 * The identity of a stranger whose chain costs the most for its bytes: `count` certificates, whose keys have `keyBits` bits,
 * lead from his own to nowhere.
 */
export function madeUpIdentity(count: number, keyBits = 16_384): { key: string; certificate: string } {
  const key = makeKey('ec');
  const own = madeUpCertificate('0', '1', publicKeyInfo(createPublicKey(key)), keyBits);
  const others = Array.from({ length: count }, (_, i) => madeUpCertificate(`${i + 1}`, `${i + 2}`, madeUpKey(keyBits), keyBits));
  return { key: key.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate: [own, ...others].map(pemOf).join('') };
}
