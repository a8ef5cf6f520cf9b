import type { KeyObject, X509Certificate } from 'node:crypto';
import { noticeOf, periodOf } from '../../attestation/certificate-time.js';
import { given, sha256Text, textOf } from '../../core/check.js';
import { clock } from '../../core/clock.js';
import { InvalidOptionError } from '../../core/errors.js';
import { type Policy, policyHash, readPolicy } from '../../enclave/policy/index.js';
import { certificatesOf } from '../../layers/formats/certificates.js';
import { readPrivateKey } from '../../layers/formats/private-key.js';
import { expectRuntimeHash, type TlsClientOptions } from '../../layers/tls/index.js';
import { addressForm } from '../../transports/address.js';
import type { ClientOptions } from './options.js';

const LAYER = 'client';

/** Which Server a client connects to, and which Runtime Managers it accepts. */
export interface Trust {
  readonly url: string;
  readonly authority: string | readonly string[];
  readonly cipherSuite: string | undefined;
  /** Checks the manager's certificate before any data is sent. */
  readonly verifyPeer: TlsClientOptions['verifyPeer'];
  /** 64 lowercase hex digits; undefined when any policy is accepted. */
  readonly policyHash: string | undefined;
}

/**
 * Completes the options: where an option is missing, the policy's value is used.
 *
 * @throws InvalidOptionError, PolicyError, LimitError
 */
export function trustOf(options: ClientOptions): Trust {
  const { policy: text, expectedPolicyHash } = options;
  const policy = text === undefined ? undefined : readPolicy(text);
  const url = urlOf(options) ?? (policy && serverUrl(policy, options));
  const authority = options.authority ?? policy?.proxy_service_cert;
  if (url === undefined || authority === undefined) {
    throw new InvalidOptionError('a client needs a policy; or else url and authority', {
      layer: LAYER,
      expected: 'policy, or url and authority',
    });
  }
  if (/^https?:/.test(url) && !URL.canParse(url))
    throw new InvalidOptionError(`url is none: ${JSON.stringify(url)}`, { layer: LAYER, got: url });
  const ofText = text === undefined || options.skipPolicyHash === true ? undefined : policyHash(text);
  return {
    url,
    authority,
    cipherSuite: options.cipherSuite ?? policy?.ciphersuite,
    verifyPeer: hookOf(runtimeHashesOf(policy, options), options.verifyPeer),
    policyHash: expectedPolicyHash === undefined ? ofText : sha256Text('expectedPolicyHash', expectedPolicyHash),
  };
}

function urlOf({ url }: ClientOptions): string | undefined {
  return url instanceof URL ? url.href : url === undefined ? undefined : addressForm('url', url);
}

/** The Server's URL from the policy. The head dialect runs TLS directly over TCP (wire spec §C). */
function serverUrl({ veracruz_server_url: hostAndPort }: Policy, { dialect }: ClientOptions): string {
  return `${dialect === 'head' ? 'tcp' : 'http'}://${hostAndPort}`;
}

/** The manager must have one of these runtime hashes, of whatever platform (wire spec §B). Undefined when any is accepted. */
function runtimeHashesOf(policy: Policy | undefined, options: ClientOptions): readonly (string | Uint8Array)[] | undefined {
  if (options.expectedRuntimeHashes !== undefined) return options.expectedRuntimeHashes;
  if (policy === undefined || options.skipRuntimeHash === true) return undefined;
  const { runtime_manager_hash_linux: linux, runtime_manager_hash_nitro: nitro } = policy;
  const { runtime_manager_hash_icecap: icecap, runtime_manager_hash_sevsnp: sevsnp } = policy;
  const hashes = [linux, nitro, icecap, sevsnp].filter((hash) => hash !== null);
  if (hashes.length > 0) return hashes;
  throw new InvalidOptionError('the policy has no runtime hash: nothing says which Runtime Manager is the right one', {
    layer: LAYER,
    expected: 'a runtime hash',
    got: 0,
  });
}

function hookOf(hashes: readonly (string | Uint8Array)[] | undefined, own: TlsClientOptions['verifyPeer']): TlsClientOptions['verifyPeer'] {
  if (hashes === undefined) return own;
  const checkHash = expectRuntimeHash(hashes);
  return (certificate) => {
    checkHash(certificate);
    return own?.(certificate);
  };
}

/** An identity, parsed. */
interface OwnIdentity {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  /** The texts that it was parsed from. */
  readonly from: ClientOptions['identity'];
}

/** Parsed identities. Parsing a key takes a millisecond, and a program may open many sessions with one identity. */
const READ = new WeakMap<ClientOptions['identity'], OwnIdentity>();

/**
 * Checks the client's own identity, as the original's client does (wire spec §B): exactly one certificate, which belongs to
 * the key and is valid now. A manager would refuse a wrong one without saying why. Returns the key.
 *
 * @throws InvalidOptionError
 */
export function checkIdentity(identity: ClientOptions['identity'], now: Date = new Date(clock.now())): KeyObject {
  const { certificate, key } = ownIdentity(identity);
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (now < from) throw outOfTime(`our certificate is not valid before ${from.toISOString()}`, from, now);
  if (now > to) throw outOfTime(`our certificate expired at ${to.toISOString()}`, to, now);
  return key;
}

/** When the client's own certificate expires, if that is soon: less than a third of its life, or than 30 days, is left. */
export function expiryOf(identity: ClientOptions['identity']): Date | undefined {
  const { certificate } = ownIdentity(identity);
  const period = periodOf([certificate]);
  return noticeOf(period) === 'about to expire' ? new Date(period.to) : undefined;
}

function ownIdentity(identity: ClientOptions['identity']): OwnIdentity {
  given('identity', identity);
  const known = READ.get(identity);
  // The caller may have changed the object since it was parsed.
  if (known !== undefined && known.from.certificate === identity.certificate && known.from.key === identity.key) return known;
  const found = certificatesOf('identity.certificate', textOf('identity.certificate', identity.certificate));
  const [certificate] = found as [X509Certificate];
  if (found.length !== 1) {
    throw new InvalidOptionError(`identity.certificate has exactly one certificate, got ${found.length}`, {
      layer: LAYER,
      expected: 1,
      got: found.length,
    });
  }
  const key = readPrivateKey('identity.key', textOf('identity.key', identity.key), LAYER);
  if (!certificate.checkPrivateKey(key))
    throw new InvalidOptionError('identity.key is not the key of identity.certificate', { layer: LAYER });
  const own = { certificate, key, from: { ...identity } };
  READ.set(identity, own);
  return own;
}

function outOfTime(message: string, expected: Date, got: Date): InvalidOptionError {
  return new InvalidOptionError(message, { layer: LAYER, expected: expected.toISOString(), got: got.toISOString() });
}
