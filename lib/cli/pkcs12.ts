/** PKCS#12 (RFC 7292): a private key and its certificates in one file behind a password. */
import { createHash, createHmac, type KeyObject, randomBytes } from 'node:crypto';
import forge from 'node-forge';
import { type Asn1, fromDer, integer, nil, octets, oid, sequence, set, tagged, toDer } from '../layers/formats/asn1.js';

const DATA = '1.2.840.113549.1.7.1';
const KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
const SHA256 = '2.16.840.1.101.3.4.2.1';
const MAC_BYTES = 32;
const SALT_BYTES = 16;
/** Rounds of the MAC's key derivation: 2048, as `openssl pkcs12` and the key's own encryption have it. */
const ROUNDS = 2048;
/** What the derived key is for: a MAC (RFC 7292 §B.3). */
const MAC_PURPOSE = 3;

/**
 * `PFX { certificates; key, encrypted; MAC }` in DER. The key: PBES2, AES-256-CBC, PBKDF2 with HMAC-SHA-256; the MAC:
 * HMAC-SHA-256. Certificates are not encrypted. node-forge's own writer takes RSA keys and SHA-1 only, so that of it only
 * the derivation of the MAC's key is used.
 *
 * @param certificates DER; the first is that of the key
 */
export function makePkcs12(key: KeyObject, certificates: readonly Buffer[], password: string): Buffer {
  const keyId = createHash('sha256')
    .update(certificates[0] as Buffer)
    .digest();
  const attributes = set(sequence(oid(LOCAL_KEY_ID), set(octets(keyId))));
  const shrouded = fromDer(key.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: password }));
  const certificateBags = certificates.map((der, i) => {
    const bag = sequence(oid(X509_CERTIFICATE), tagged(0, octets(der)));
    return sequence(oid(CERTIFICATE_BAG), tagged(0, bag), ...(i === 0 ? [attributes] : []));
  });
  const keyBag = sequence(oid(KEY_BAG), tagged(0, shrouded), attributes);
  const safe = toDer(sequence(contentInfo(sequence(...certificateBags)), contentInfo(sequence(keyBag))));
  const salt = randomBytes(SALT_BYTES);
  const mac = createHmac('sha256', macKey(password, salt)).update(safe).digest();
  return toDer(
    sequence(
      integer(Buffer.of(3)),
      sequence(oid(DATA), tagged(0, octets(safe))),
      sequence(sequence(sequence(oid(SHA256), nil()), octets(mac)), octets(salt), integer(Buffer.of(ROUNDS >> 8, ROUNDS & 0xff))),
    ),
  );
}

function contentInfo(content: Asn1): Asn1 {
  return sequence(oid(DATA), tagged(0, octets(toDer(content))));
}

function macKey(password: string, salt: Buffer): Buffer {
  const salted = forge.util.createBuffer(salt.toString('latin1'));
  const derived = forge.pkcs12.generateKey(password, salted, MAC_PURPOSE, ROUNDS, MAC_BYTES, forge.md.sha256.create());
  return Buffer.from(derived.getBytes(), 'latin1');
}
