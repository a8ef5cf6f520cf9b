import { X509Certificate } from 'node:crypto';
import { type Authority, readAuthority } from '../../attestation/authority.js';
import { pinnedRoot } from '../../attestation/evidence/chain.js';
import { type AttestationProtocol, EVIDENCE_DEFAULTS } from '../../attestation/evidence/index.js';
import type { DeviceRegistry, Platform, RegistryOptions } from '../../attestation/registry/index.js';
import { definedOf, given, integerInRange, optionsOf } from '../../core/check.js';
import { clock } from '../../core/clock.js';
import { InvalidOptionError } from '../../core/errors.js';
import type { AddressInput } from '../../transports/address.js';
import { socketText } from '../../transports/socket.js';
import { type Log, noLog } from '../options.js';

/** Options of `AttestationServer.start`. */
export interface AttestationServerOptions {
  /** Address to listen at. Default `tcp://127.0.0.1:3010`; port 0 takes a free one. */
  listen?: AddressInput;
  /** The authority that signs the certificates: certificate and private key, PEM. */
  authority: Pick<Authority, 'certificate' | 'key'>;
  /** The device registry: an open one, which the server does not close, or the options to open one. */
  registry: DeviceRegistry | RegistryOptions;
  /** Days that a certificate is valid. Default 1, as in the original. */
  days?: number;
  /** Milliseconds that a certificate is valid from now on, instead of `days`: 1,000 to 3,650 days. Default: `days` count. */
  certificateLifetimeMs?: number;
  /**
   * Certifies any Runtime Manager, even one that the registry does not list. Clients must then check the runtime hash
   * themselves, as with the original. Default false: with an empty list, no manager is certified.
   */
  allowAnyRuntime?: boolean;
  /** Root certificate for Nitro documents, PEM, instead of the one of AWS. For tests. */
  nitroRoot?: string;
  /** Milliseconds in which a challenge must be answered. Default 60,000. */
  challengeLifetimeMs?: number;
  /** Open challenges at once; one more is answered 503. Default 100,000. */
  maxChallenges?: number;
  /** Device keys, newest first, that are tried on a token which names no key, such as the original's of 2207. Default 16. */
  maxKeysTried?: number;
  /** Most bytes of a body; a larger one is answered 413. Default 128 KiB. */
  maxBodyBytes?: number;
  /**
   * Requests a second from one address, possibly all at once; more are answered 429. All clients behind a proxy, or on a Unix
   * socket, count as one address. 0 for no limit. Default 10.
   */
  maxRequestsPerSecond?: number;
  /**
   * Connections at once; one more takes the place of an idle one of the most crowded address, or is closed. Default 1,024, and
   * fewer where the process may have fewer descriptors.
   */
  maxConnections?: number;
  /** Connections at once of one IPv4 address or one /64 of IPv6; 0 for no limit. Default 128. */
  maxConnectionsPerAddress?: number;
  /** Milliseconds for the head of a request. Default 10,000. */
  headTimeoutMs?: number;
  /** Milliseconds for a whole request, head and body. Default 30,000. */
  requestTimeoutMs?: number;
  /** Milliseconds after which a connection without a request is closed. Default 10,000. */
  idleTimeoutMs?: number;
  /** Milliseconds that a client may read nothing of an answer; then its connection is closed. 0 for no limit. Default 30,000. */
  unreadTimeoutMs?: number;
  /** A monotonic clock in milliseconds, for lifetimes and rates. Default: that of the machine. */
  clock?: () => number;
  /** Takes the log lines. Default: they are discarded. */
  log?: Log;
  signal?: AbortSignal;
}

/** Defaults of `AttestationServerOptions`. */
export const ATTESTATION_SERVER_DEFAULTS = Object.freeze({
  listen: 'tcp://127.0.0.1:3010',
  days: 1,
  allowAnyRuntime: false,
  challengeLifetimeMs: 60_000,
  maxChallenges: 100_000,
  maxKeysTried: 16,
  maxBodyBytes: 2 * EVIDENCE_DEFAULTS.maxEvidenceBytes,
  maxRequestsPerSecond: 10,
  maxConnections: 1024,
  maxConnectionsPerAddress: 128,
  headTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 10_000,
  unreadTimeoutMs: 30_000,
});

const DAY_MS = 86_400_000;
const MAX_DAYS = 3650;

type Optional = 'nitroRoot' | 'signal' | 'registry' | 'certificateLifetimeMs';
export type Completed = Required<Omit<AttestationServerOptions, Optional | 'authority' | 'listen'>> &
  Pick<AttestationServerOptions, Optional> & { readonly authority: Authority; readonly listen: string };

/** The platforms of each protocol. Evidence of one protocol must not pass with a runtime hash of the other's platforms. */
export const PLATFORMS_OF: Readonly<Record<AttestationProtocol, readonly Platform[]>> = Object.freeze({
  psa: ['linux', 'icecap'],
  nitro: ['nitro'],
});

/** The options with their defaults. @throws InvalidOptionError; InvalidArgumentError for an authority that cannot be read */
export function completeOptions(options: AttestationServerOptions): Completed {
  return optionsOf('attestation-server', () => checked(options));
}

function checked(options: AttestationServerOptions): Completed {
  given('authority', given('options', options).authority);
  given('registry', options.registry);
  const authority = readAuthority(options.authority.certificate, options.authority.key);
  const { validFrom, validTo } = new X509Certificate(authority.certificateDer);
  if (!(Date.parse(validFrom) <= clock.now() && clock.now() < Date.parse(validTo))) {
    throw new InvalidOptionError(`the authority's certificate holds from ${validFrom} to ${validTo}`, { expected: validTo });
  }
  const completed: Completed = {
    log: noLog,
    clock: () => clock.monotonic(),
    ...ATTESTATION_SERVER_DEFAULTS,
    ...definedOf(options),
    listen: socketText('listen', options.listen ?? ATTESTATION_SERVER_DEFAULTS.listen),
    authority,
  };
  if (completed.nitroRoot !== undefined) pinnedRoot(completed.nitroRoot, 'nitroRoot');
  integerInRange('days', completed.days, 1, MAX_DAYS);
  if (completed.certificateLifetimeMs !== undefined) {
    integerInRange('certificateLifetimeMs', completed.certificateLifetimeMs, 1000, MAX_DAYS * DAY_MS);
  }
  integerInRange('challengeLifetimeMs', completed.challengeLifetimeMs, 1, 3_600_000);
  integerInRange('maxChallenges', completed.maxChallenges, 1, 10_000_000);
  integerInRange('maxKeysTried', completed.maxKeysTried, 1, 1024);
  integerInRange('maxBodyBytes', completed.maxBodyBytes, 64, 2 * 1024 * 1024);
  integerInRange('maxRequestsPerSecond', completed.maxRequestsPerSecond, 0, 1_000_000);
  integerInRange('maxConnections', completed.maxConnections, 1, 1_000_000);
  integerInRange('maxConnectionsPerAddress', completed.maxConnectionsPerAddress, 0, 1_000_000);
  integerInRange('unreadTimeoutMs', completed.unreadTimeoutMs, 0, 2 ** 31 - 1);
  for (const name of ['headTimeoutMs', 'requestTimeoutMs', 'idleTimeoutMs'] as const) integerInRange(name, completed[name], 1, 2 ** 31 - 1);
  return completed;
}
