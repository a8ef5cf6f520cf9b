/** Signatures of certificates and requests: the algorithm that belongs to a key, as X.509 names it and as node:crypto makes it. */
import { constants, createHash, type KeyObject, sign } from 'node:crypto';
import { InvalidArgumentError } from '../core/errors.js';
import { type Asn1, integer, nil, oid, sequence, tagged } from '../layers/formats/asn1.js';

/** What signs: a hash (for Ed25519 and Ed448 none, because they have their own), and its name in X.509. */
interface Scheme {
  readonly hash: string | null;
  readonly identifier: Asn1;
  /** Of RSA-PSS: bytes of salt. */
  readonly saltLength?: number;
}

/** The hash that is as strong as the curve (RFC 5480 §4), and ECDSA with it. SHA-256 stands for every other curve. */
const ECDSA: Readonly<Record<string, readonly [hash: string, oid: string]>> = {
  secp384r1: ['sha384', '1.2.840.10045.4.3.3'],
  secp521r1: ['sha512', '1.2.840.10045.4.3.4'],
};
const ECDSA_SHA256 = ['sha256', '1.2.840.10045.4.3.2'] as const;

const EDWARDS: Readonly<Record<string, string>> = { ed25519: '1.3.101.112', ed448: '1.3.101.113' };

/** Hashes that a key for RSA-PSS may be bound to. */
const HASHES: Readonly<Record<string, string>> = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

/** Hashes that its masks may be made with. OpenSSL binds a key to SHA-1 there unless it is told otherwise; a mask needs no strength. */
const MASK_HASHES: Readonly<Record<string, string>> = { ...HASHES, sha1: '1.3.14.3.2.26' };

/** The `AlgorithmIdentifier` of what `key` signs. @throws InvalidArgumentError for a key that cannot sign certificates here */
export function signatureAlgorithm(key: KeyObject): Asn1 {
  return schemeOf(key).identifier;
}

/** The signature of `bytes` by `key`, in the algorithm that `signatureAlgorithm` names. @throws InvalidArgumentError */
export function signatureBy(key: KeyObject, bytes: Buffer): Buffer {
  const { hash, saltLength } = schemeOf(key);
  return sign(hash, bytes, saltLength === undefined ? key : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
}

function schemeOf(key: KeyObject): Scheme {
  const type = String(key.asymmetricKeyType);
  const edwards = EDWARDS[type];
  if (edwards !== undefined) return { hash: null, identifier: sequence(oid(edwards)) };
  if (type === 'ec') return ecdsa(key);
  if (type === 'rsa') return { hash: 'sha256', identifier: sequence(oid('1.2.840.113549.1.1.11'), nil()) };
  if (type === 'rsa-pss') return rsaPss(key);
  throw cannotSign(type);
}

function ecdsa(key: KeyObject): Scheme {
  const [hash, name] = ECDSA[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? ECDSA_SHA256;
  return { hash, identifier: sequence(oid(name)) };
}

/** RSA-PSS (RFC 4055 §3.1) with what the key is bound to. A key that is bound to nothing signs with SHA-256 and 32 bytes of salt. */
function rsaPss(key: KeyObject): Scheme {
  const { hashAlgorithm: hash = 'sha256', mgf1HashAlgorithm: mask = hash, saltLength: least = 0 } = key.asymmetricKeyDetails ?? {};
  const hashOid = HASHES[hash];
  const maskOid = MASK_HASHES[mask];
  if (hashOid === undefined || maskOid === undefined) throw cannotSign(`rsa-pss with ${hash} and ${mask}`);
  const saltLength = Math.max(least, createHash(hash).digest().length);
  const parameters = sequence(
    tagged(0, sequence(oid(hashOid), nil())),
    tagged(1, sequence(oid('1.2.840.113549.1.1.8'), sequence(oid(maskOid), nil()))),
    tagged(2, integer(Buffer.of(saltLength))),
  );
  return { hash, identifier: sequence(oid('1.2.840.113549.1.1.10'), parameters), saltLength };
}

function cannotSign(got: string): InvalidArgumentError {
  return new InvalidArgumentError(`a key of type ${got} cannot sign certificates here`, { expected: 'ec|rsa|rsa-pss|ed25519|ed448', got });
}
