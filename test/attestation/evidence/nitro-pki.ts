/** Certificates for Nitro documents, right ones and wrong ones: P-384, made once a process, never written anywhere. */
import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { makeCertificate, nameOf, publicKeyInfo, signed } from '../../../lib/attestation/certificate.js';
import { makeNitroDocument, type NewNitroDocument } from '../../../lib/attestation/evidence/index.js';
import { signatureAlgorithm } from '../../../lib/attestation/signature.js';
import { type Asn1, bits, boolean, integer, octets, oid, sequence, tagged, time, toDer } from '../../../lib/layers/formats/asn1.js';
import { newKey } from './support.js';

export const DAY = 86_400_000;

/** A certificate with its private key. */
export interface Certified {
  readonly name: string;
  readonly key: KeyObject;
  readonly der: Buffer;
}

export interface Details {
  /** Whose name and key sign it. Default: itself. */
  by?: Pick<Certified, 'name' | 'key'>;
  isCa?: boolean;
  pathLength?: number;
  /** Of which key. Default: a fresh one on P-384. */
  key?: KeyObject;
  notBefore?: Date;
  notAfter?: Date;
}

export function certify(
  name: string,
  { by, isCa = true, pathLength, key = newKey('P-384'), notBefore, notAfter }: Details = {},
): Certified {
  const issuer = by ?? { name, key };
  const der = makeCertificate(
    {
      subject: { commonName: name },
      issuer: { commonName: issuer.name },
      publicKey: createPublicKey(key),
      issuerKey: createPublicKey(issuer.key),
      isCa,
      days: 1,
      ...(pathLength !== undefined && { pathLength }),
      ...(notBefore && { notBefore }),
      ...(notAfter && { notAfter }),
    },
    issuer.key,
  );
  return { name, key, der };
}

/** An extension: `critical` or not, with any DER in it. */
export const extension = (type: string, value: Buffer, critical = true): Asn1 =>
  sequence(oid(type), ...(critical ? [boolean(true)] : []), octets(value));
/** basicConstraints of a CA, and of none. */
export const CA = extension('2.5.29.19', toDer(sequence(boolean(true))));
export const NO_CA = extension('2.5.29.19', toDer(sequence()));
/** keyUsage, by its bits. */
export const usage = (byte: number) => extension('2.5.29.15', toDer(bits(Buffer.of(byte))));

/** A certificate with these extensions and no others; `info` stands in place of its public key. */
export function certifyWith(name: string, by: Pick<Certified, 'name' | 'key'>, extensions: readonly Asn1[], info?: Asn1): Certified {
  const key = newKey('P-384');
  const now = Date.now();
  const der = signed(
    sequence(
      tagged(0, integer(Buffer.of(2))),
      integer(Buffer.of(7)),
      signatureAlgorithm(by.key),
      nameOf({ commonName: by.name }),
      sequence(time(new Date(now - DAY)), time(new Date(now + DAY))),
      nameOf({ commonName: name }),
      info ?? publicKeyInfo(createPublicKey(key)),
      tagged(3, sequence(...extensions)),
    ),
    by.key,
  );
  return { name, key, der };
}

export const challenge = randomBytes(32);
export const request = randomBytes(280);
export const pcr0 = randomBytes(48);

/** A chain like that of AWS: root, region, zone, instance, enclave. */
export const root = certify('root');
export const region = certify('region', { by: root, pathLength: 2 });
export const zone = certify('zone', { by: region, pathLength: 1 });
export const instance = certify('instance', { by: zone, pathLength: 0 });
export const enclave = certify('enclave', { by: instance, isCa: false });
export const CHAIN: readonly Certified[] = [root, region, zone, instance, enclave];

/** A document under `chain`, whose last is the leaf and signs it. */
export function documentOf(chain: readonly Certified[], more: Partial<NewNitroDocument> = {}): Buffer {
  const leaf = chain.at(-1) as Certified;
  return makeNitroDocument({
    key: leaf.key,
    certificate: leaf.der,
    cabundle: chain.slice(0, -1).map(({ der }) => der),
    pcrs: new Map([[0, pcr0]]),
    nonce: challenge,
    userData: request,
    ...more,
  });
}
