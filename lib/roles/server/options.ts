import { definedOf, integerInRange, oneOf, optionsOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import { type Policy, readPolicy } from '../../enclave/policy/index.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import type { FrameKind } from '../../layers/frame/index.js';
import { type AddressInput, addressText } from '../../transports/address.js';
import { MIN_BODY_BYTES } from '../../transports/http-faults.js';
import { socketText } from '../../transports/socket.js';
import type { LinkTlsOptions } from '../link-tls.js';
import { type Log, noLog } from '../options.js';
import { attestationUrl } from './attestation-client.js';
import type { AttestationHandshakeOptions } from './attestation-handshake.js';
import { SESSION_BINDINGS, type SessionBinding } from './session-ids.js';
import type { CompleteManagerOptions, ManagerOptions } from './upstream.js';

/** A Runtime Manager: its address, in either form, or what else there is to say about it. */
export type RuntimeInput = AddressInput | ManagerOptions;

/** Options of `VeracruzServer.start`. */
export interface ServerOptions {
  /**
   * Where clients connect. Default: the policy's `veracruz_server_url` or, without a policy, `tcp://127.0.0.1:3011`;
   * port 0 takes a free one.
   */
  listen?: AddressInput;
  /** Where clients connect that speak TLS straight over TCP, as the head dialect has it, one connection a session. Default: nowhere. */
  direct?: AddressInput;
  /** The Runtime Manager, or several of them: its address, or more about it. Default `tcp://127.0.0.1:6000`. */
  runtime?: RuntimeInput | readonly RuntimeInput[];
  /**
   * The policy's exact text: every Runtime Manager is attested and initialised with it before it is used, and after each
   * loss of its link again (wire spec §D). Default: none, and managers that are ready as they are.
   */
  policy?: string;
  /**
   * The Proxy Attestation Server, `http://host:port`, `host:port`, or the `address` of one. Default: the policy's
   * `proxy_attestation_server_url`. `false`: the managers are ready as they are, though there is a policy.
   */
  attestation?: AddressInput | URL | false;
  /** Milliseconds for each of the four steps of an attestation: challenge, evidence, certificate, Initialize. Default 30,000. */
  attestationTimeoutMs?: number;
  /**
   * Whether each manager is attested and initialised anew before its certificate expires: at two thirds of the certificate's
   * time, over the same link, while the old certificate serves. Default true. Say false for an original manager: by a second
   * Initialize it forgets its files and sessions.
   */
  renewCertificates?: boolean;
  /**
   * Milliseconds by which our clock may differ from that of the attestation server: certificates that are not yet valid, or
   * expired, by more than that are not passed on. Default 300,000, 5 minutes.
   */
  maxClockSkewMs?: number;
  /**
   * Milliseconds that the start waits for Runtime Managers and an attestation server that are not there yet, until one manager
   * is in service; then it fails. 0 for ever. What is there and refuses ends the start at once. Default 0.
   */
  startTimeoutMs?: number;
  /** Bytes that the policy may have. Default 983,040: with the certificates it fits into one message of the link. */
  maxPolicyBytes?: number;
  /** What the Runtime Managers speak. Default `2207`. */
  dialect?: Dialect;
  /** How messages to them are framed. Default `tcp9`; a console of IceCap has `icecap4`. */
  frame?: FrameKind;
  /**
   * Behind a small POST, whose answer is small as a rule, the Server sends GetTlsData at once instead of waiting to hear
   * that there is something: a round trip less. When there is nothing after all the manager says Status Fail (wire spec
   * §D) and nothing else comes of it. False for a manager that takes it amiss. Never done on a console. Default true.
   */
  askAhead?: boolean;
  /**
   * Mutual TLS around the links to the Runtime Managers, which must have it, too (`RuntimeManagerOptions.linkTls`). Where
   * managers connect to us, only one whose certificate leads to `authority` comes into service. Default: none.
   */
  linkTls?: LinkTlsOptions;
  /**
   * Milliseconds that a Runtime Manager may stay silent with a request unanswered before its link is given up; 0 for
   * ever, as an original one needs that computes for long. Default 120,000.
   */
  maxSilenceMs?: number;
  /**
   * Sessions at once. One more takes the place of one that is not admitted yet, or of an idle one, of the address that has the
   * most; where there is none it is answered 503. Default 10,000.
   */
  maxSessions?: number;
  /**
   * Sessions at once of one IPv4 address or one /64 of IPv6; one more is answered 503. Behind a proxy, and on a Unix socket,
   * all clients have the same one. Default 256; 0 as many as there may be.
   */
  maxSessionsPerAddress?: number;
  /** Sessions, of `maxSessions`, whose TLS handshake is not visibly over. Default a quarter of `maxSessions`: 2,500. */
  maxUnadmittedSessions?: number;
  /** Sessions of one address whose TLS handshake is not visibly over. Default half of `maxSessionsPerAddress`: 128; 0 as many as there may be. */
  maxUnadmittedSessionsPerAddress?: number;
  /**
   * Sessions a second that end without having been admitted, of all addresses together. Four times as many may come at once.
   * Beyond that an address that has eight such sessions gets no further one for now: it is answered 503 after two seconds. So
   * is one that has `maxUnadmittedSessionsPerAddress`; it is forgiven two a second. 0, here or there, for no limits.
   * Default 32.
   */
  maxUnadmittedSessionsPerSecond?: number;
  /**
   * Milliseconds from the opening of a session to the begin of its ClientHello. No byte of it makes them longer. Until then the
   * Runtime Manager does not know of the session. Default 5,000.
   */
  helloTimeoutMs?: number;
  /** Milliseconds of a TLS handshake, from the begin of its ClientHello on, however many bytes come. Default 9000: less than a manager has for it (10,000), so that none is taken for admitted that the manager has given up. */
  handshakeTimeoutMs?: number;
  /** Bytes of ciphertext from a client until its handshake is visibly over; 0 as many as it likes. Default 65,536. */
  maxHandshakeBytes?: number;
  /** Handshakes at once with each Runtime Manager. The others wait, shared fairly by address. Default 64. */
  maxHandshakes?: number;
  /**
   * What a session is bound to whose client does not show the secret that the Server gave it with the id, as an original client:
   * `secret`: to nothing but its id, as in the original; `address`: to the IPv4 address or /64 of IPv6 that opened it, which
   * is wrong behind proxies. Sessions of clients that show the secret are bound to it in any case. Default `secret`.
   */
  bindSessions?: SessionBinding;
  /**
   * Requests a second for sessions that are not there, of all addresses together. What goes beyond is answered 429, and so are
   * those of an address that has had 20 of them, longer each time. 0 for no limits. Default 20.
   */
  maxMissesPerSecond?: number;
  /**
   * Bytes of POSTs that wait in memory until they are whole, because they come from another address than their session did,
   * and without its secret: as from an original client whose address has changed. A quarter of them is one address's; a POST
   * beyond that is answered 503. Default 16 MiB.
   */
  maxForeignBytes?: number;
  /**
   * Connections at once at each address that it listens at. One more takes the place of one without a session, of the address
   * that has the most. Default 16,384, and fewer where the process may have fewer descriptors.
   */
  maxConnections?: number;
  /** Connections of one address, of `maxConnections`. Default twice `maxSessionsPerAddress`, at least 64: 512; 0 as many as there may be. */
  maxConnectionsPerAddress?: number;
  /** Milliseconds that a client may read nothing of an answer; then its connection is closed. 0 for no limit. Default 60,000. */
  unreadTimeoutMs?: number;
  /** Bytes that a POST's body may have; more is answered 413. Default 4 MiB. */
  maxBodyBytes?: number;
  /** POSTs of one session that may wait on its connection. Default 16. */
  maxPipelinedPosts?: number;
  /** Ciphertext bytes of one session on their way to the Runtime Manager. Default 1 MiB. */
  maxUnacknowledgedBytes?: number;
  /**
   * Milliseconds after which a session without a POST is closed; before the manager's first answer, one without
   * ciphertext. A `direct` one without a byte, unless the client spoke last: it may wait for an answer. Default 60,000; 0
   * never.
   */
  idleTimeoutMs?: number;
  /** Milliseconds for the head of a POST. Default 10,000. */
  headTimeoutMs?: number;
  /** Milliseconds for all of a POST, head and body. Default 120,000. */
  postTimeoutMs?: number;
  /** Hears what happens. Default: nobody. */
  log?: Log;
  signal?: AbortSignal;
}

/** Defaults of `ServerOptions`. */
export const SERVER_DEFAULTS = Object.freeze({
  listen: 'tcp://127.0.0.1:3011',
  runtime: 'tcp://127.0.0.1:6000',
  dialect: '2207',
  frame: 'tcp9',
  askAhead: true,
  attestationTimeoutMs: 30_000,
  renewCertificates: true,
  maxClockSkewMs: 300_000,
  startTimeoutMs: 0,
  maxPolicyBytes: 960 * 1024,
  maxSilenceMs: 120_000,
  maxSessions: 10_000,
  maxSessionsPerAddress: 256,
  maxUnadmittedSessions: 2500,
  maxUnadmittedSessionsPerAddress: 128,
  maxUnadmittedSessionsPerSecond: 32,
  helloTimeoutMs: 5000,
  handshakeTimeoutMs: 9000,
  maxHandshakeBytes: 64 * 1024,
  maxHandshakes: 64,
  bindSessions: 'secret',
  maxMissesPerSecond: 20,
  maxForeignBytes: 16 * 1024 * 1024,
  maxConnections: 16_384,
  maxConnectionsPerAddress: 512,
  unreadTimeoutMs: 60_000,
  maxBodyBytes: 4 * 1024 * 1024,
  maxPipelinedPosts: 16,
  maxUnacknowledgedBytes: 1024 * 1024,
  idleTimeoutMs: 60_000,
  headTimeoutMs: 10_000,
  postTimeoutMs: 120_000,
});

/** What has no default, or is told in other words once it is complete. */
type Told = 'signal' | 'listen' | 'direct' | 'policy' | 'attestation' | 'runtime' | 'linkTls';

export interface CompleteServerOptions extends Required<Omit<ServerOptions, Told>> {
  readonly listen: string;
  readonly direct?: string;
  readonly managers: readonly CompleteManagerOptions[];
  /** Undefined: the managers are ready as they are. */
  readonly attestationHandshake: AttestationHandshakeOptions | undefined;
}

const MOST_MS = 2 ** 31 - 1;
const MOST = 2 ** 31;

/** The whole numbers among the options, with the least and the most that each may be. */
const RANGES = [
  ['maxSessions', 1, MOST],
  ['maxSessionsPerAddress', 0, MOST],
  ['maxUnadmittedSessions', 1, MOST],
  ['maxUnadmittedSessionsPerAddress', 0, MOST],
  ['maxUnadmittedSessionsPerSecond', 0, MOST],
  ['helloTimeoutMs', 1, MOST_MS],
  ['handshakeTimeoutMs', 1, MOST_MS],
  ['maxHandshakeBytes', 0, MOST],
  ['maxHandshakes', 1, MOST],
  ['maxMissesPerSecond', 0, MOST],
  ['maxForeignBytes', 0, MOST],
  ['maxConnections', 1, MOST],
  ['maxConnectionsPerAddress', 0, 2 * MOST],
  ['unreadTimeoutMs', 0, MOST_MS],
  ['maxBodyBytes', MIN_BODY_BYTES, MOST],
  ['maxPipelinedPosts', 1, 1024],
  ['maxUnacknowledgedBytes', 1, MOST],
  ['idleTimeoutMs', 0, MOST_MS],
  ['startTimeoutMs', 0, MOST_MS],
  ['maxSilenceMs', 0, MOST_MS],
  ['headTimeoutMs', 1, MOST_MS],
  ['postTimeoutMs', 1, MOST_MS],
] as const;

/** Completes and checks the options. @throws InvalidOptionError; PolicyError or LimitError for the policy */
export function completeOptions(options: ServerOptions): CompleteServerOptions {
  return optionsOf('server', () => checked(options));
}

function checked(options: ServerOptions): CompleteServerOptions {
  const { policy: text, attestation, direct, ...given } = definedOf(options);
  const maxPolicyBytes = integerInRange('maxPolicyBytes', given.maxPolicyBytes ?? SERVER_DEFAULTS.maxPolicyBytes, 1, 2 ** 20);
  const policy = text === undefined ? undefined : readPolicy(text, { maxPolicyBytes });
  const all = { log: noLog, ...SERVER_DEFAULTS, ...(policy && { listen: `tcp://${policy.veracruz_server_url}` }), ...given };
  const { runtime, dialect, frame, askAhead, linkTls } = all;
  const timeoutMs = integerInRange('attestationTimeoutMs', all.attestationTimeoutMs, 1, 2 ** 31 - 1);
  const maxClockSkewMs = integerInRange('maxClockSkewMs', all.maxClockSkewMs, 0, MOST_MS);
  const bindSessions = oneOf('bindSessions', all.bindSessions, SESSION_BINDINGS);
  const listen = socketText('listen', all.listen);
  const places = { listen, ...(direct !== undefined && { direct: socketText('direct', direct) }) };
  const completed = { ...all, ...places, bindSessions, ...derived(all, given) };
  for (const [name, least, most] of RANGES) integerInRange(name, completed[name], least, most);
  const url = attestationOf(policy, attestation);
  return {
    ...completed,
    managers: managersOf({ runtime, dialect, frame, askAhead, ...(linkTls && { linkTls }) }),
    attestationHandshake:
      text === undefined || url === undefined ? undefined : { policy: text, url, timeoutMs, maxClockSkewMs, log: all.log },
  };
}

/** An original client has a new connection for each POST, and closes the old one when it likes. */
function connectionsOf(sessionsOfOneAddress: number): number {
  return sessionsOfOneAddress === 0 ? 0 : Math.max(64, 2 * sessionsOfOneAddress);
}

/** The limits that follow from others where they are not given. */
function derived(all: Pick<CompleteServerOptions, 'maxSessions' | 'maxSessionsPerAddress'>, given: Partial<ServerOptions>) {
  const { maxSessions, maxSessionsPerAddress } = all;
  return {
    maxUnadmittedSessions: given.maxUnadmittedSessions ?? Math.ceil(maxSessions / 4),
    maxUnadmittedSessionsPerAddress: given.maxUnadmittedSessionsPerAddress ?? Math.ceil(maxSessionsPerAddress / 2),
    maxConnectionsPerAddress: given.maxConnectionsPerAddress ?? connectionsOf(maxSessionsPerAddress),
  };
}

/** The base URL of the attestation server; undefined where nothing is attested. */
function attestationOf(policy: Policy | undefined, attestation: ServerOptions['attestation']): string | undefined {
  if (attestation === false) return undefined;
  if (policy !== undefined) return attestationUrl(attestation ?? policy.proxy_attestation_server_url);
  if (attestation === undefined) return undefined;
  throw new InvalidOptionError('attestation needs a policy to initialise the managers with', { expected: 'policy', got: 'none' });
}

type EachManager = Required<Pick<ServerOptions, 'runtime' | 'dialect' | 'frame' | 'askAhead'>> & Pick<ServerOptions, 'linkTls'>;

function managersOf({ runtime, ...preset }: EachManager): CompleteManagerOptions[] {
  const list = Array.isArray(runtime) ? (runtime as readonly RuntimeInput[]) : [runtime as RuntimeInput];
  return list.map((manager) => {
    const { address, ...more } = typeof manager === 'object' && 'address' in manager ? definedOf(manager) : { address: manager };
    return { ...preset, ...more, address: addressText('runtime', address) };
  });
}
