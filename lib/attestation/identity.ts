/** Identities: of clients, which a policy lists (wire spec §B, §E), and of TLS servers. */
import { createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import { given, hashBytes, oneOf, textOf } from '../core/check.js';
import { InvalidOptionError } from '../core/errors.js';
import { type Authority, issue } from './authority.js';
import { type KeyAlgorithm, makeCertificate, makeKey, pemOf, policyPemOf, type Validity } from './certificate.js';

/** A private key, and the certificate by which its owner is known. */
export interface Identity {
  /** Private key, PKCS#8 PEM. */
  readonly key: string;
  /** Certificate, PEM. */
  readonly certificate: string;
  /** The same as a policy carries it: one line of base64, no newline at the end. */
  readonly policyCertificate: string;
  readonly certificateDer: Buffer;
}

const ALGORITHMS: readonly KeyAlgorithm[] = ['ec', 'rsa'];

export interface IdentityOptions extends Validity {
  commonName: string;
  /** `ec` (P-256, default) or `rsa` (2048 bits). */
  algorithm?: KeyAlgorithm;
  /** CA:TRUE: such an identity could sign others, which a server must refuse. For tests. Default false. */
  isCa?: boolean;
}

/** Makes a self-signed client identity. Valid 3,650 days unless told otherwise. @throws InvalidOptionError */
export function makeIdentity(options: IdentityOptions): Identity {
  textOf('commonName', given('commonName', given('options', options).commonName));
  const { commonName, algorithm = 'ec', isCa = false, days = 3650, ...validity } = options;
  const key = makeKey(oneOf('algorithm', algorithm, ALGORITHMS));
  const name = { organization: 'Veracruz', commonName };
  const certificateDer = makeCertificate(
    {
      ...validity,
      days,
      subject: name,
      issuer: name,
      publicKey: createPublicKey(key),
      isCa,
      usages: isCa ? [] : ['client'],
      san: [commonName.toLowerCase().replace(/[^a-z0-9.-]+/g, '-')],
    },
    key,
  );
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: pemOf(certificateDer),
    policyCertificate: policyPemOf(certificateDer),
    certificateDer,
  };
}

/** What a TLS server is: `tls({ role: 'server', ...identity, … })`, `RuntimeManager.start({ ...identity, … })`, `https.createServer(identity)`. */
export interface ServerIdentity {
  /** Private key, PKCS#8 PEM. */
  readonly key: string;
  /** Its certificate, PEM; behind it that of the authority, where there is one. */
  readonly certificate: string;
  /** The same under the name that node:tls and node:https have for it. */
  readonly cert: string;
  /** What clients must trust: the authority's certificate; without one, the certificate itself. PEM. */
  readonly authority: string;
}

export interface ServerIdentityOptions extends Validity {
  /** Whom clients connect to: DNS names (also `*.example.org`) and IP addresses, one at least. */
  names: string | readonly string[];
  /** Issues the certificate. Default: it is self-signed, and clients trust the certificate itself. */
  authority?: Authority;
  /** `ec` (P-256, default) or `rsa` (2048 bits). */
  algorithm?: KeyAlgorithm;
  /** What a Runtime Manager was measured as, 32 bytes or 64 hex digits. Default: the certificate has no runtime hash. */
  runtimeHash?: Uint8Array | string;
}

const DNS_NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?$/i;

/**
 * Makes a key and a certificate for a server of TLS. Valid 3,650 days unless told otherwise; an authority should say `days`.
 *
 * @example
 * const identity = makeServerIdentity({ names: ['localhost', '127.0.0.1'] });
 * const listening = tls({ role: 'server', ...identity, identities: [certificate] });
 * // Its clients have `authority: identity.authority`.
 *
 * @throws InvalidOptionError for a name that is none; InvalidArgumentError for a validity that is none
 */
export function makeServerIdentity(options: ServerIdentityOptions): ServerIdentity {
  const { authority, algorithm = 'ec', runtimeHash, days = 3650, ...validity } = given('options', options);
  const names = namesOf(options.names);
  const key = makeKey(oneOf('algorithm', algorithm, ALGORITHMS));
  const common = {
    ...validity,
    days,
    subject: { organization: 'Veracruz', commonName: names[0] as string },
    publicKey: createPublicKey(key),
    san: names,
    usages: ['server'] as const,
    ...(runtimeHash !== undefined && { runtimeHash: hashBytes('runtimeHash', runtimeHash) }),
  };
  const der = authority === undefined ? makeCertificate({ ...common, issuer: common.subject, isCa: false }, key) : issue(authority, common);
  const certificate = pemOf(der) + (authority?.certificate ?? '');
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate,
    cert: certificate,
    authority: authority?.certificate ?? pemOf(der),
  };
}

function namesOf(from: string | readonly string[]): readonly string[] {
  const names: readonly string[] = typeof from === 'string' ? [from] : from;
  if (!(Array.isArray as (value: unknown) => boolean)(names) || names.length === 0) {
    throw new InvalidOptionError('names has the DNS names and IP addresses of the server, one at least', { expected: 'names', got: 0 });
  }
  for (const name of names as readonly unknown[]) {
    if (typeof name === 'string' && ((isIP(name) !== 0 && !name.includes('%')) || DNS_NAME.test(name))) continue;
    throw new InvalidOptionError(`names has what is neither a DNS name nor an IP address: ${JSON.stringify(name)}`, {
      expected: 'DNS name or IP address',
      got: String(name),
    });
  }
  return names;
}
