/** X.509 v3 certificates: their structure from DER pieces, their keys and signatures from node:crypto. */

import { createHash, createPrivateKey, generateKeyPairSync, KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { givenBytes, givenRecord, oneOf, textOf } from '../core/check.js';
import { clock } from '../core/clock.js';
import { InvalidArgumentError } from '../core/errors.js';
import {
  type Asn1,
  bits,
  boolean,
  fromDer,
  implicit,
  integer,
  octets,
  oid,
  printable,
  sequence,
  set,
  tagged,
  time,
  toDer,
  utf8,
} from '../layers/formats/asn1.js';
import { encryptedKey } from '../layers/formats/private-key.js';
import { signatureAlgorithm, signatureBy } from './signature.js';

/** P-256 or RSA-2048: the two kinds of key that Veracruz policies have had (wire spec §B). */
export type KeyAlgorithm = 'ec' | 'rsa';

/** The parts of a name that Veracruz writes, in the order in which they are written. */
export interface DistinguishedName {
  /** Two letters. */
  country?: string;
  state?: string;
  locality?: string;
  organization?: string;
  unit?: string;
  commonName: string;
}

const NAME_PARTS: ReadonlyArray<readonly [keyof DistinguishedName, string]> = [
  ['country', '2.5.4.6'],
  ['state', '2.5.4.8'],
  ['locality', '2.5.4.7'],
  ['organization', '2.5.4.10'],
  ['unit', '2.5.4.11'],
  ['commonName', '2.5.4.3'],
];

/** What TLS peers use a certificate for; the extended key usage. */
export type Usage = 'client' | 'server';
const USAGE_OIDS: Readonly<Record<Usage, string>> = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

/** Carries the raw 32 bytes of the runtime hash, without any ASN.1 inside (wire spec §B). */
export const RUNTIME_HASH_OID = '2.5.30.1';
const DAY_MS = 86_400_000;

/** When a certificate holds. */
export interface Validity {
  /** Days from `notBefore`; unused when `notAfter` is there. */
  days?: number;
  /** Default: five minutes ago, for clocks that are not quite in step. */
  notBefore?: Date;
  notAfter?: Date;
}

export interface CertificateContent extends Validity {
  /** A name, or the `SEQUENCE` of one that a request carries. */
  subject: DistinguishedName | Asn1;
  issuer: DistinguishedName | Asn1;
  publicKey: KeyObject;
  /** The issuer's public key, from which the authority key identifier is made. Default: self-signed. */
  issuerKey?: KeyObject;
  /** The authority key identifier itself: what the issuer's own certificate has as its subject key identifier. Default: made of `issuerKey`. */
  issuerKeyIdentifier?: Buffer | undefined;
  isCa: boolean;
  /** Of a CA: how many CAs may stand between it and a leaf, 0 to 127. Default: any number. */
  pathLength?: number;
  /** Extended key usages; none means no such extension. */
  usages?: readonly Usage[];
  /** DNS names and IP addresses. */
  san?: readonly string[];
  /** 32 bytes for the extension 2.5.30.1. */
  runtimeHash?: Buffer | undefined;
}

/** A fresh private key. */
export function makeKey(algorithm: KeyAlgorithm): KeyObject {
  return oneOf('algorithm', algorithm, ['ec', 'rsa']) === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    : generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
}

/** The `SEQUENCE` of a name. */
export function nameOf(name: DistinguishedName): Asn1 {
  givenRecord('subject', name);
  const parts = NAME_PARTS.flatMap(([part, type]) => {
    const text = name[part] === undefined ? undefined : textOf(part, name[part]);
    return text === undefined ? [] : [set(sequence(oid(type), part === 'country' ? printable(text) : utf8(text)))];
  });
  return sequence(...parts);
}

/** Signs `tbs` (a certificate or request to be) with `key`: `SEQUENCE { tbs, algorithm, signature }`, in DER. */
export function signed(tbs: Asn1, key: KeyObject): Buffer {
  return toDer(sequence(tbs, signatureAlgorithm(key), bits(signatureBy(key, toDer(tbs)))));
}

/**
 * A certificate in DER, version 3, with a random positive serial of 16 bytes. Throws `InvalidArgumentError` when the validity or
 * the hash is none, and when OpenSSL cannot read what came of it.
 */
export function makeCertificate(certificate: CertificateContent, signingKey: KeyObject): Buffer {
  const notBefore = certificate.notBefore ?? new Date(clock.now() - 300_000);
  const notAfter = certificate.notAfter ?? new Date(notBefore.getTime() + (certificate.days ?? 365) * DAY_MS);
  if (!(notAfter.getTime() > notBefore.getTime())) {
    throw new InvalidArgumentError('notAfter must be later than notBefore', { expected: String(notBefore), got: String(notAfter) });
  }
  const serial = randomBytes(16);
  // Positive, and its first byte never zero: the shortest form is the only one that DER allows.
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  const der = signed(
    sequence(
      tagged(0, integer(Buffer.of(2))),
      integer(serial),
      signatureAlgorithm(signingKey),
      asName(certificate.issuer),
      sequence(time(notBefore), time(notAfter)),
      asName(certificate.subject),
      publicKeyInfo(certificate.publicKey),
      tagged(3, sequence(...extensionsOf(certificate))),
    ),
    signingKey,
  );
  try {
    new X509Certificate(der);
  } catch (cause) {
    throw new InvalidArgumentError('no certificate can be made of this', { got: der.length, cause });
  }
  return der;
}

function asName(name: DistinguishedName | Asn1): Asn1 {
  return 'tagClass' in name ? name : nameOf(name);
}

/** The `SubjectPublicKeyInfo` of a key. */
export function publicKeyInfo(key: KeyObject): Asn1 {
  return fromDer(key.export({ type: 'spki', format: 'der' }));
}

function extensionsOf(certificate: CertificateContent): Asn1[] {
  const { isCa, pathLength, usages = [], san = [], runtimeHash, publicKey, issuerKey, issuerKeyIdentifier } = certificate;
  const below = pathLength === undefined ? [] : [integer(Buffer.of(pathLength))];
  const list = [
    extension('2.5.29.19', isCa ? sequence(boolean(true), ...below) : sequence(), true),
    // A CA signs certificates (bit 5) and lists (bit 6), everyone else signs handshakes (bit 0).
    extension('2.5.29.15', isCa ? bits(Buffer.of(0x06), 1) : bits(Buffer.of(0x80), 7), true),
    extension('2.5.29.14', octets(keyIdentifier(publicKey))),
    extension('2.5.29.35', sequence(implicit(0, issuerKeyIdentifier ?? keyIdentifier(issuerKey ?? publicKey)))),
  ];
  if (usages.length > 0) list.push(extension('2.5.29.37', sequence(...usages.map((usage) => oid(USAGE_OIDS[usage])))));
  if (san.length > 0) list.push(extension('2.5.29.17', sequence(...san.map(generalName))));
  if (runtimeHash !== undefined) list.push(runtimeHashExtension(runtimeHash));
  return list;
}

function extension(type: string, value: Asn1, critical = false): Asn1 {
  return sequence(oid(type), ...(critical ? [boolean(true)] : []), octets(toDer(value)));
}

/** A name of the kind that it has (RFC 5280 §4.2.1.6): iPAddress or dNSName. */
function generalName(name: string): Asn1 {
  return isIP(name) === 0 ? implicit(2, Buffer.from(name, 'ascii')) : implicit(7, addressBytes(name));
}

/** The 4 or 16 bytes of an IP address. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // A URL has each address in one form, without dotted numbers.
  const [head = '', tail = ''] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail].map((part) => part.split(':').filter((group) => group !== '')) as [string[], string[]];
  const groups = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** `30 27 06 03 55 1e 01 04 20 <32 bytes>` */
function runtimeHashExtension(hash: Buffer): Asn1 {
  if (hash.length !== 32)
    throw new InvalidArgumentError(`a runtime hash has 32 bytes, got ${hash.length}`, { expected: 32, got: hash.length });
  return sequence(oid(RUNTIME_HASH_OID), octets(hash));
}

/** SHA-256 of the `SubjectPublicKeyInfo`, its first 20 bytes (RFC 7093 §2, method 4). */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

/** PEM with lines of 64 characters and a newline at the end, as every tool reads it. */
export function pemOf(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${givenBytes('der', der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
}

/** PEM as policies carry it: the base64 on one line, and no newline at the end (wire spec §E). */
export function policyPemOf(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${givenBytes('der', der).toString('base64')}\n-----END CERTIFICATE-----`;
}

/** The key of a PEM text, or the key itself. @throws InvalidArgumentError for what is neither */
export function privateKeyOf(key: KeyObject | string): KeyObject {
  if (key instanceof KeyObject) return key;
  try {
    return createPrivateKey(key);
  } catch (cause) {
    const encrypted = typeof key === 'string' ? encryptedKey('the private key', key) : undefined;
    throw new InvalidArgumentError(encrypted ?? 'the private key is neither PEM nor a key object', {
      expected: 'PEM or KeyObject',
      got: typeof key,
      cause,
    });
  }
}
