import type { X509Certificate } from 'node:crypto';
import { definedOf } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { certificatesOf } from '../../layers/formats/certificates.js';
import { END_OF_CERTIFICATE, type FileRights, type NativeModule, type Policy } from './document.js';
import { formatFault } from './faults.js';
import { policyFaults } from './read.js';
import { parseCapabilities } from './rights.js';

/** Rights as a list, or written `/input/:rw,/output/:r`. */
type Capabilities = string | readonly FileRights[];

interface NewProgram {
  readonly name: string;
  readonly sha256: string;
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
  /** The programs, numbered from 0; each is pinned to its SHA-256 (64 lowercase hex digits). */
  programs?: readonly NewProgram[];
  /** Other files to pin. */
  hashes?: readonly { readonly name: string; readonly sha256: string }[];
  /** Pipelines, numbered from 0. A manager knows them by their number, which is the default of `name`. */
  pipelines?: readonly { readonly name?: string; readonly script: string; readonly capabilities: Capabilities }[];
  nativeModules?: readonly NativeModule[];
  /** `host:port` of the Server. */
  serverUrl: string;
  /** `host:port` of the Proxy Attestation Server. */
  attestationUrl: string;
  /** PEM text of the authority that the Proxy Attestation Server issues certificates with. */
  authority: string;
  /** When the manager's certificate is to expire; written in UTC, to the minute. */
  certificateExpiry: Date;
  /** 64 hex digits each. Default none; a client that checks the manager needs one. */
  runtimeHashes?: { readonly linux?: string; readonly nitro?: string; readonly icecap?: string; readonly sevsnp?: string };
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
  const { programs = [], hashes = [], pipelines = [], nativeModules = [], runtimeHashes = {}, certificateExpiry: expiry } = policy;
  const settings = { ...CREATE_POLICY_DEFAULTS, ...definedOf(policy) };
  const document = {
    identities: policy.identities.map(({ certificate, capabilities }, id) => ({
      certificate: onOneLine(certificate, id),
      id,
      file_rights: fileRights(capabilities),
    })),
    programs: programs.map(programOf),
    file_hashes: [...programs, ...hashes].map(({ name, sha256 }) => ({ file_path: name, hash: sha256 })),
    pipelines: pipelines.map(({ name, script, capabilities }, id) => ({
      name: name ?? String(id),
      pipeline: script,
      id,
      file_rights: fileRights(capabilities),
    })),
    native_modules: nativeModules,
    veracruz_server_url: policy.serverUrl,
    proxy_attestation_server_url: policy.attestationUrl,
    proxy_service_cert: policy.authority,
    enclave_cert_expiry: {
      year: expiry.getUTCFullYear(),
      month: expiry.getUTCMonth() + 1,
      day: expiry.getUTCDate(),
      hour: expiry.getUTCHours(),
      minute: expiry.getUTCMinutes(),
    },
    runtime_manager_hash_linux: runtimeHashes.linux ?? null,
    runtime_manager_hash_nitro: runtimeHashes.nitro ?? null,
    runtime_manager_hash_icecap: runtimeHashes.icecap ?? null,
    runtime_manager_hash_sevsnp: runtimeHashes.sevsnp ?? null,
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
