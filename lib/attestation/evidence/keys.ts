/** Device keys: P-256 keys, represented by their uncompressed point. */
import { createHash, createPublicKey, KeyObject } from 'node:crypto';
import { EvidenceError } from '../../core/errors.js';

/** Bytes of an uncompressed P-256 point: `04`, x, y. */
const POINT_BYTES = 65;

/**
 * The uncompressed point, 65 bytes, of a P-256 key. Takes a point, PEM, or a key object; for a private key it returns the
 * point of its public key. Throws `EvidenceError` for anything else.
 */
export function psaPoint(key: KeyObject | string | Buffer): Buffer {
  const { x = '', y = '' } = psaPublicKey(key).export({ format: 'jwk' });
  return Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

/** The id of a device key: SHA-256 of its uncompressed point, 32 bytes. Throws `EvidenceError` if it is no P-256 key. */
export function psaKeyId(key: KeyObject | string | Buffer): Buffer {
  return createHash('sha256').update(psaPoint(key)).digest();
}

/** The public key as a key object. Takes and throws the same as `psaPoint`. */
export function psaPublicKey(key: KeyObject | string | Buffer): KeyObject {
  let publicKey: KeyObject;
  try {
    publicKey = read(key);
  } catch (cause) {
    throw noKey(Buffer.isBuffer(key) ? `${key.length} bytes` : 'something else', cause);
  }
  const namedCurve = publicKey.asymmetricKeyDetails?.namedCurve;
  if (publicKey.asymmetricKeyType !== 'ec' || namedCurve !== 'prime256v1') {
    throw noKey(namedCurve ?? String(publicKey.asymmetricKeyType));
  }
  return publicKey;
}

function read(key: KeyObject | string | Buffer): KeyObject {
  if (key instanceof KeyObject) return key.type === 'public' ? key : createPublicKey(key);
  if (typeof key === 'string') return createPublicKey(key);
  if (key.length !== POINT_BYTES || key[0] !== 4) throw new RangeError(`an uncompressed point has ${POINT_BYTES} bytes and begins with 04`);
  const [x, y] = [key.subarray(1, 33).toString('base64url'), key.subarray(33).toString('base64url')];
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
}

function noKey(got: string, cause?: unknown): EvidenceError {
  return new EvidenceError(`a device key is a P-256 key or its uncompressed point, got ${got}`, {
    layer: 'psa',
    expected: 'P-256',
    got,
    cause,
  });
}
