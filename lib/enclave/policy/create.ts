import type { X509Certificate } from 'node:crypto';
import { definedOf, given, sha256Text } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { certificatesOf } from '../../layers/formats/certificates.js';
import { END_OF_CERTIFICATE, type FileRights, type NativeModule, type Policy } from './document.js';
import { formatFault } from './faults.js';
import { policyFaults } from './read.js';
import { parseCapabilities } from './rights.js';

/** Rights as a list, or written `/input/:rw,/output/:r`. */
type Capabilities = string | readonly FileRights[];

/** A SHA-256: 64 hex digits, or 32 bytes. */
type Sha256 = string | Uint8Array;

/**
 * Where a server is: `host:port`, as a policy has it; the `url` of a role, `http://host:port`; or the `address` of a role that
 * listens at TCP.
 */
type Place = string | URL | { readonly kind: string; readonly host?: string; readonly port?: number };

interface NewProgram {
  readonly name: string;
  readonly sha256: Sha256;
  readonly capabilities: Capabilities;
  /** What it is told when it starts, after its own name. An extension that the original ignores. Default none. */
  readonly arguments?: readonly string[];
  /** Its environment. An extension that the original ignores. Default none. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What `createPolicy` makes a policy of. */
export interface NewPolicy {
  /** The participants, numbered from 0 in this order: PEM text of one certificate each. */
  identities: readonly { readonly certificate: string; readonly capabilities: Capabilities }[];
  /** The programs, numbered from 0; each is pinned to its SHA-256. */
  programs?: readonly NewProgram[];
  /** Other files to pin. */
  hashes?: readonly { readonly name: string; readonly sha256: Sha256 }[];
  /** Pipelines, numbered from 0. A manager knows them by their number, which is the default of `name`. */
  pipelines?: readonly { readonly name?: string; readonly script: string; readonly capabilities: Capabilities }[];
  nativeModules?: readonly NativeModule[];
  /** Where clients reach the Server: `host:port`, or as the Server gives it. */
  serverUrl: Place;
  /** Where the Server reaches the Proxy Attestation Server: `host:port`, or as that server gives it. */
  attestationUrl: Place;
  /** PEM text of the authority that the Proxy Attestation Server issues certificates with. */
  authority: string;
  /** When the manager's certificate is to expire; written in UTC, to the minute. */
  certificateExpiry: Date;
  /** 64 hex digits or 32 bytes each, as of `measureRuntime()`. Default none; a client that checks the manager needs one. */
  runtimeHashes?: { readonly linux?: Sha256; readonly nitro?: Sha256; readonly icecap?: Sha256; readonly sevsnp?: Sha256 };
}

/** Settings of a policy that have a default. */
export interface PolicySettings {
  /** Default `TLS1_3_CHACHA20_POLY1305_SHA256`. */
  cipherSuite?: string;
  /** Default `JIT`. */
  executionStrategy?: Policy['execution_strategy'];
  /** Default 256. */
  maxMemoryMib?: number;
  /** Default false. */
  enableClock?: boolean;
  /** Default false. */
  debug?: boolean;
}

/** Defaults of `PolicySettings`: those of generate-policy (wire spec §G). */
export const CREATE_POLICY_DEFAULTS = Object.freeze({
  cipherSuite: 'TLS1_3_CHACHA20_POLY1305_SHA256',
  executionStrategy: 'JIT',
  maxMemoryMib: 256,
  enableClock: false,
  debug: false,
});

/**
 * Writes a policy as generate-policy does: JSON with two spaces and sorted keys, no newline at the end; the keys of both
 * dialects, so that one text serves both. The text is what counts from then on (`policyHash`).
 *
 * @throws InvalidArgumentError with a line for each key that `readPolicy` would refuse.
 */
export function createPolicy(policy: NewPolicy & PolicySettings): string {
  given('options', policy);
  for (const name of ['identities', 'serverUrl', 'attestationUrl', 'authority', 'certificateExpiry'] as const) given(name, policy[name]);
  const { programs = [], hashes = [], pipelines = [], nativeModules = [], runtimeHashes = {}, certificateExpiry: expiry } = policy;
  const settings = { ...CREATE_POLICY_DEFAULTS, ...definedOf(policy) };
  const document = {
    identities: policy.identities.map(({ certificate, capabilities }, id) => ({
      certificate: onOneLine(certificate, id),
      id,
      file_rights: fileRights(capabilities),
    })),
    programs: programs.map(programOf),
    file_hashes: [...programs, ...hashes].map(({ name, sha256 }) => ({ file_path: name, hash: hexOf(`sha256 of ${name}`, sha256) })),
    pipelines: pipelines.map(({ name, script, capabilities }, id) => ({
      name: name ?? String(id),
      pipeline: script,
      id,
      file_rights: fileRights(capabilities),
    })),
    native_modules: nativeModules,
    veracruz_server_url: hostAndPort('serverUrl', policy.serverUrl),
    proxy_attestation_server_url: hostAndPort('attestationUrl', policy.attestationUrl),
    proxy_service_cert: policy.authority,
    enclave_cert_expiry: {
      year: expiry.getUTCFullYear(),
      month: expiry.getUTCMonth() + 1,
      day: expiry.getUTCDate(),
      hour: expiry.getUTCHours(),
      minute: expiry.getUTCMinutes(),
    },
    runtime_manager_hash_linux: hexOf('runtimeHashes.linux', runtimeHashes.linux),
    runtime_manager_hash_nitro: hexOf('runtimeHashes.nitro', runtimeHashes.nitro),
    runtime_manager_hash_icecap: hexOf('runtimeHashes.icecap', runtimeHashes.icecap),
    runtime_manager_hash_sevsnp: hexOf('runtimeHashes.sevsnp', runtimeHashes.sevsnp),
    ciphersuite: settings.cipherSuite,
    execution_strategy: settings.executionStrategy,
    max_memory_mib: settings.maxMemoryMib,
    enable_clock: settings.enableClock,
    debug: settings.debug,
  };
  const text = JSON.stringify(document, sortKeys, 2);
  const faults = policyFaults(text);
  if (faults.length > 0) {
    const lines = faults.map((fault) => `\n  ${formatFault(fault)}`);
    throw new InvalidArgumentError(`no policy can be made of this:${lines.join('')}`, { expected: 0, got: faults.length });
  }
  return text;
}

/** Bytes as hex; a text stays as it is: `policyFaults` looks at it. */
function hexOf(name: string, hash: Sha256 | undefined): string | null {
  return hash instanceof Uint8Array ? sha256Text(name, hash) : (hash ?? null);
}

/** `host:port` of a place. What else a text may be, `policyFaults` says. */
function hostAndPort(name: string, place: Place): string {
  if (place instanceof URL) return place.host;
  if (typeof place === 'string') return place.replace(/^(?:http|tcp):\/\/([^/]+)\/?$/, '$1');
  const { kind, host, port } = place;
  if (host === undefined || port === undefined) {
    throw new InvalidArgumentError(`${name} is host:port, and a policy has no other places, such as ${kind}`, {
      expected: 'host:port',
      got: kind,
    });
  }
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The keys that only we know are there only when they say something. */
function programOf({ name, capabilities, arguments: args = [], environment = {} }: NewProgram, id: number): object {
  const variables = Object.entries(environment).map(([variable, value]) => ({ name: variable, value }));
  return {
    program_file_name: name,
    id,
    file_rights: fileRights(capabilities),
    ...(args.length > 0 && { arguments: args }),
    ...(variables.length > 0 && { environment: variables }),
  };
}

function fileRights(capabilities: Capabilities): readonly FileRights[] {
  return typeof capabilities === 'string' ? parseCapabilities(capabilities) : capabilities;
}

/** The one certificate of a PEM text as policies carry it: its base64 on one line, no newline at the end. */
function onOneLine(pem: string, id: number): string {
  const found = certificatesOf(`the certificate of identity ${id}`, pem);
  if (found.length !== 1) {
    throw new InvalidArgumentError(`identity ${id} needs one certificate, got ${found.length}`, { expected: 1, got: found.length });
  }
  return `-----BEGIN CERTIFICATE-----\n${(found[0] as X509Certificate).raw.toString('base64')}\n${END_OF_CERTIFICATE}`;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
