import type { Attester } from '../../attestation/evidence/attester.js';
import { definedOf, given, integerInRange, optionsOf, sha256Text } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import type { ComputeEngine } from '../../enclave/compute/engine.js';
import { POLICY_DEFAULTS } from '../../enclave/policy/index.js';
import { completeStoreOptions, type DirectoryStoreOptions, type FileStore } from '../../enclave/store/file-store.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import type { FrameKind } from '../../layers/frame/index.js';
import { type AddressInput, addressText, isConnectAddress, parseAddress } from '../../transports/address.js';
import type { LinkTlsOptions } from '../link-tls.js';
import { type Log, noLog } from '../options.js';

/**
 * Who the manager is, and by which policy it lives. One of two ways, never both:
 *
 * - `attester`: it is nobody until a Server has led it through attestation, and takes certificate and policy from
 *   `Initialize` (wire spec §D);
 * - `certificate`, `key` and `policy`: it is somebody from the start. Whoever starts it vouches for it.
 */
export interface TrustOptions {
  /** Makes the evidence that the Proxy Attestation Server judges. */
  attester?: Attester;
  /** The manager's certificate chain, PEM, its own certificate first. */
  certificate?: string;
  /** Private key of the first certificate, PEM. */
  key?: string;
  /** The policy's exact text: says who the principals are, what each may do, and the cipher suite. */
  policy?: string;
  /** Authorities that issued identities which are not self-signed, PEM. They admit nobody by themselves. */
  clientAuthorities?: readonly string[];
  /** Milliseconds for a handshake; and, before that, for the first byte of a session. Default 10,000. */
  handshakeTimeoutMs?: number;
  /**
   * Bytes of ciphertext that a client may send until it is admitted, ClientHello not counted. Default: what the largest
   * certificate of the policy needs, and 512 bytes; with `clientAuthorities` also theirs, and 4 KiB for others of the chain.
   * Raise it where clients send certificates that nobody needs.
   */
  maxHandshakeBytes?: number;
}

export interface RuntimeManagerOptions extends TrustOptions {
  /**
   * Where the Server connects: `tcp://host:port` (port 0 takes a free one), `unix:///path`, or the console that it sits
   * behind, `serial:///dev/hvc0`. Default `tcp://127.0.0.1:6000`.
   */
  listen?: AddressInput;
  /** Says hello when the console is open, for a Server that waits for it. Default false: an original one does not. */
  hello?: boolean;
  /** Where the Server listens, when it is the manager that connects (as at HEAD): `tcp://host:port` or `unix:///path`. */
  connect?: AddressInput;
  /** What the Server speaks. Default `2207`. */
  dialect?: Dialect;
  /** How its messages are framed. Default `tcp9`; on a console `icecap4`. */
  frame?: FrameKind;
  /** The folder that files live in, or a store of one's own. It belongs to the first policy that the manager has on it. */
  store: string | FileStore;
  /**
   * Limits of the store that the manager opens, where `store` is a folder. What one principal may have of it says
   * `quotaPerPrincipalBytes`. Default: those of `DirectoryStoreOptions`.
   */
  storeOptions?: Omit<DirectoryStoreOptions, 'maxOwnerBytes'>;
  /** Runs programs; whoever gives it closes it. Default none: requests to compute are FAILED_INVALID_REQUEST. */
  compute?: ComputeEngine;
  /**
   * SHA-256 of the one policy that the manager takes: 64 hex digits, or 32 bytes. Default: the first policy that comes with a chain of
   * its own authority, whoever brings it. Say it where others than the Server could reach the manager first.
   */
  expectedPolicyHash?: string | Uint8Array;
  /**
   * Mutual TLS around the link: only a Server whose certificate leads to `authority` is heard, or one that has the same
   * pre-shared key (`psk`). The Server must have it, too (`ServerOptions.linkTls`). Not behind a console, which is private by its nature. Default: none, and then whoever
   * reaches the address that the manager listens at can speak to it.
   */
  linkTls?: LinkTlsOptions;
  /**
   * Links at once, connections whose TLS is not up yet included. When one more comes, one makes room that is not proven and
   * has no session of a principal: the one that has been silent for longest, a second at least; else the oldest, if it is ten
   * seconds old. Where there is none like that, the new one is closed. Default 16.
   */
  maxLinks?: number;
  /** Milliseconds that may pass between two bytes of a frame; then the link ends. 0 for ever. Default 10,000. */
  frameTimeoutMs?: number;
  /**
   * Milliseconds after which a silent link without sessions ends, unless it has initialised the manager, carried a request
   * of a principal, or is authenticated by `linkTls`: a Server may wait for its clients for days. 0 never. Default 60,000
   * with an attester. Without one it is 0, because there is nothing that a Server must have said. Never behind a console,
   * nor where the manager has made the connection.
   */
  linkIdleTimeoutMs?: number;
  /** TLS sessions at once. When one more comes, one that is not admitted makes room (`maxPendingSessions`). Default 10,000. */
  maxSessions?: number;
  /**
   * TLS sessions of one principal at once. The requests of one more are answered FAILED_NOT_READY, and it ends. Default 64.
   */
  maxSessionsPerPrincipal?: number;
  /**
   * Bytes of ciphertext that may wait for the sessions of all principals together. Default 512 MiB.
   *
   * The sessions of one principal may have a quarter of it; when more than four have something waiting, an equal part. Beyond
   * that an upload's sender waits, for 200 ms at most where others wait behind it. When that does not help, or where nothing would go on
   * anyway, as behind a program, the session of this principal that has the most waiting ends. A session may always have a
   * share's half divided by `maxSessionsPerPrincipal`: at least 64 KiB, at most 1 MiB.
   */
  maxWaitingBytes?: number;
  /**
   * Bytes in the store that one principal may have: files that he wrote last, or a program that he asked for, what he
   * appended, and what he is writing. Files that were there before this was first set count for nobody. Only where `store` is
   * a folder: a store of one's own has its own limits (`DirectoryStoreOptions.maxOwnerBytes`). Default no limit.
   */
  quotaPerPrincipalBytes?: number;
  /**
   * Bytes a second that must come of an append while others to the same file wait for it: so many times ten in ten seconds.
   * Otherwise it is undone, and its session ends. 0 for no minimum. Default 4,096.
   */
  minAppendBytesPerSecond?: number;
  /**
   * TLS sessions at once whose client is not admitted yet. When one more comes, one of them makes room: of a link that is not
   * proven, else of the link that has most of them, the oldest; of the same link only one that is a second old. Else
   * NewTlsSession is Status Fail. Default 4,096.
   */
  maxPendingSessions?: number;
  /**
   * TLS sessions, not admitted yet, of a link that is not proven, while it is not the only one. A link is proven when it has
   * initialised the manager, carried a request of a principal, or is authenticated by `linkTls`; also one that the manager has
   * made, and a console. Default 64.
   */
  maxUnprovenSessions?: number;
  /**
   * Milliseconds after which a session ends of which no byte of ciphertext has moved, in either direction. Not while it is
   * answering, as by a program that runs. 0 never. Default 600,000, ten times as long as a Server at its defaults lets clients
   * be silent.
   */
  sessionIdleTimeoutMs?: number;
  /**
   * Bytes of ciphertext of one session that may wait, behind a program that runs or for a slow store, when SendTlsData
   * brings more: that is refused (Status Fail), and the session is over. Before its handshake 64 KiB. Default 64 MiB, more
   * than a Server at its defaults has under way: 16 POSTs of 4 MiB. Keep it well above 8 MiB, to which an upload may run
   * ahead of the store.
   */
  maxBacklogBytes?: number;
  /** Bytes that a message may have, file included. Default 16 GiB. */
  maxMessageBytes?: number;
  /**
   * Bytes that one answer to GetTlsData may have. Default 256 KiB; behind a console 8,000, because a VirtIO console loses
   * what a slow host does not read in time, and an answer is all that is on its way at a time.
   */
  maxAnswerBytes?: number;
  /** Bytes of UTF-8 that a policy may have. Default 1 MiB. */
  maxPolicyBytes?: number;
  /** Bytes of the certificate chain that `Initialize` may bring. Default 64 KiB. */
  maxChainBytes?: number;
  /** Bytes that a challenge may have. Default 64, the longest nonce of a PSA token (RFC 9783 §4.1); our Server sends 32. */
  maxChallengeBytes?: number;
  /**
   * Milliseconds by which the manager's clock may differ from that of whoever issues its certificates: Initialize is refused
   * when its chain is not yet valid, or expired, by more than that. Default 300,000, 5 minutes.
   */
  maxClockSkewMs?: number;
  /** Hears what happens. Default: nobody. */
  log?: Log;
  signal?: AbortSignal;
}

/** Defaults of `RuntimeManagerOptions`. */
export const RUNTIME_MANAGER_DEFAULTS = Object.freeze({
  listen: 'tcp://127.0.0.1:6000',
  dialect: '2207',
  frame: 'tcp9',
  maxLinks: 16,
  frameTimeoutMs: 10_000,
  linkIdleTimeoutMs: 60_000,
  maxSessions: 10_000,
  maxSessionsPerPrincipal: 64,
  maxWaitingBytes: 512 * 2 ** 20,
  minAppendBytesPerSecond: 4096,
  maxPendingSessions: 4096,
  maxUnprovenSessions: 64,
  sessionIdleTimeoutMs: 600_000,
  maxBacklogBytes: 64 * 2 ** 20,
  maxMessageBytes: 16 * 2 ** 30,
  maxAnswerBytes: 256 * 1024,
  maxPolicyBytes: POLICY_DEFAULTS.maxPolicyBytes,
  maxChainBytes: 65_536,
  maxChallengeBytes: 64,
  maxClockSkewMs: 300_000,
});

/** What differs behind a VirtIO console (wire spec §D, IceCap): the header is of 4 bytes, so that 8,000 + 25 fit in 8 KiB. */
const CONSOLE_DEFAULTS = Object.freeze({ frame: 'icecap4', maxAnswerBytes: 8000 } as const);

/** Options that may be given in more than one form, in the one form that they are used in. */
interface Texts {
  readonly listen: string;
  readonly connect?: string;
  /** 64 lowercase hex digits. */
  readonly expectedPolicyHash?: string;
}

export type CompleteOptions = Omit<RuntimeManagerOptions, keyof Texts> &
  Required<Pick<RuntimeManagerOptions, Exclude<keyof typeof RUNTIME_MANAGER_DEFAULTS, keyof Texts> | 'log'>> &
  Texts;

/** What a manager has that is initialised from the start. */
export interface GivenTrust {
  readonly certificate: string;
  readonly key: string;
  readonly policy: string;
}

/** The options with every default filled in. Throws InvalidOptionError. */
export function completed(options: RuntimeManagerOptions): CompleteOptions {
  return optionsOf('runtime-manager', () => checked(options));
}

function checked(options: RuntimeManagerOptions): CompleteOptions {
  const { listen, connect, expectedPolicyHash, ...more } = definedOf(given('options', options));
  const texts: Texts = {
    listen: addressText('listen', listen ?? RUNTIME_MANAGER_DEFAULTS.listen),
    ...(connect !== undefined && { connect: addressText('connect', connect) }),
    ...(expectedPolicyHash !== undefined && { expectedPolicyHash: sha256Text('expectedPolicyHash', expectedPolicyHash) }),
  };
  const behindConsole = texts.listen.startsWith('serial:') && texts.connect === undefined ? CONSOLE_DEFAULTS : {};
  const patient = options.attester === undefined ? { linkIdleTimeoutMs: 0 } : {};
  const all: CompleteOptions = { log: noLog, ...RUNTIME_MANAGER_DEFAULTS, ...patient, ...behindConsole, ...more, ...texts };
  integerInRange('maxLinks', all.maxLinks, 1, 2 ** 20);
  integerInRange('frameTimeoutMs', all.frameTimeoutMs, 0, 2 ** 31 - 1);
  integerInRange('linkIdleTimeoutMs', all.linkIdleTimeoutMs, 0, 2 ** 31 - 1);
  integerInRange('maxSessions', all.maxSessions, 1, 2 ** 31);
  integerInRange('maxSessionsPerPrincipal', all.maxSessionsPerPrincipal, 1, 2 ** 31);
  integerInRange('maxWaitingBytes', all.maxWaitingBytes, 2 ** 20, Number.MAX_SAFE_INTEGER);
  integerInRange('minAppendBytesPerSecond', all.minAppendBytesPerSecond, 0, 2 ** 31);
  integerInRange('maxPendingSessions', all.maxPendingSessions, 1, 2 ** 31);
  integerInRange('maxUnprovenSessions', all.maxUnprovenSessions, 1, 2 ** 31);
  integerInRange('sessionIdleTimeoutMs', all.sessionIdleTimeoutMs, 0, 2 ** 31 - 1);
  integerInRange('maxBacklogBytes', all.maxBacklogBytes, 65_536, Number.MAX_SAFE_INTEGER);
  integerInRange('maxMessageBytes', all.maxMessageBytes, 1, Number.MAX_SAFE_INTEGER);
  integerInRange('maxAnswerBytes', all.maxAnswerBytes, 1, 2 ** 20);
  integerInRange('maxPolicyBytes', all.maxPolicyBytes, 1, Number.MAX_SAFE_INTEGER);
  integerInRange('maxChainBytes', all.maxChainBytes, 1, Number.MAX_SAFE_INTEGER);
  integerInRange('maxChallengeBytes', all.maxChallengeBytes, 1, Number.MAX_SAFE_INTEGER);
  integerInRange('maxClockSkewMs', all.maxClockSkewMs, 0, 2 ** 31 - 1);
  checkConnect(all);
  checkAttester(all);
  checkTrust(all);
  storeOptionsOf(all);
  return all;
}

/** The options for a store that the manager opens. Throws InvalidOptionError. */
export function storeOptionsOf({ store, storeOptions, quotaPerPrincipalBytes }: CompleteOptions): DirectoryStoreOptions {
  if (quotaPerPrincipalBytes !== undefined) integerInRange('quotaPerPrincipalBytes', quotaPerPrincipalBytes, 0, Number.MAX_SAFE_INTEGER);
  const given = definedOf({ storeOptions, quotaPerPrincipalBytes });
  const [name] = Object.keys(given);
  if (name !== undefined && typeof store !== 'string') {
    throw new InvalidOptionError(`${name} is for a store that the manager opens`, { expected: 'a folder', got: 'a store' });
  }
  const options = { ...storeOptions, ...definedOf({ maxOwnerBytes: quotaPerPrincipalBytes }) };
  completeStoreOptions(options);
  return options;
}

function checkConnect({ connect }: CompleteOptions): void {
  if (connect === undefined || isConnectAddress(parseAddress(connect))) return;
  throw new InvalidOptionError(`connect takes a place to connect to, not ${connect}`, { expected: 'tcp:// or unix://', got: connect });
}

function checkTrust({ linkTls, listen, connect }: CompleteOptions): void {
  if (linkTls !== undefined && connect === undefined && listen.startsWith('serial:')) {
    throw new InvalidOptionError('linkTls is not for a console', { expected: 'tcp:// or unix://', got: listen });
  }
}

/** Certificate, key and policy, when the manager was given them. Throws InvalidOptionError when it is neither way, or both. */
export function trustOf({ attester, certificate, key, policy }: TrustOptions): GivenTrust | undefined {
  const given = [certificate, key, policy].filter((value) => value !== undefined).length;
  if (attester !== undefined && given === 0) return undefined;
  if (attester === undefined && certificate !== undefined && key !== undefined && policy !== undefined) return { certificate, key, policy };
  throw new InvalidOptionError('a manager needs an attester; or else certificate, key and policy, all three', {
    expected: 'attester, or certificate, key and policy',
    got: attester === undefined ? given : `attester and ${given}`,
  });
}

/** On the wire of a 2207 link there is one form of evidence a platform (wire spec §D, `AttestationData`). */
function checkAttester({ attester, dialect }: CompleteOptions): void {
  if (attester === undefined || dialect === 'head') return;
  const expected = dialect === '2207-nitro' ? 'nitro' : 'psa';
  if (attester.protocol === expected) return;
  throw new InvalidOptionError(`in the dialect ${dialect} the attester must speak ${expected}, not ${attester.protocol}`, {
    expected,
    got: attester.protocol,
  });
}
