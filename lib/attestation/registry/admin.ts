import type { Admission, AllowedRuntime, Device, DeviceKey, Platform } from './records.js';

/** What an operator of an attestation server can do with its registry, directly or through the server that has it open. */
export interface RegistryAdmin {
  /** Enrols a P-256 public key, PEM. @throws InvalidArgumentError for a malformed or revoked key; LimitError */
  enrollKey(key: string, admission?: Admission): Promise<DeviceKey>;
  /** From then on, tokens signed by the key are refused, also at `/VerifyPAT`. False when there is no such unrevoked key. */
  revokeKey(id: string): Promise<boolean>;
  /** All keys, newest first. */
  listKeys(): Promise<DeviceKey[]>;
  /** @throws InvalidArgumentError for an unknown platform, or a malformed or revoked hash; LimitError */
  allowRuntime(platform: Platform, hash: string, admission?: Admission): Promise<AllowedRuntime>;
  /** Revokes a hash on one platform, or on all. False when the hash was not allowed on any of them. */
  revokeRuntime(hash: string, platform?: Platform): Promise<boolean>;
  /** All runtimes, newest first. */
  listRuntimes(): Promise<AllowedRuntime[]>;
  /** Devices, newest first, at most `limit` (1 to 100,000; default 1,000). */
  listDevices(limit?: number): Promise<Device[]>;
  /** Removes the devices that were attested before `before` (a date, or its ISO 8601 text). Returns their number. */
  forgetDevices(before: Date | string): Promise<number>;
  /** Closes the registry, or the connection to the one that has it. */
  close(): Promise<void>;
}

/** Names of the methods that can be called over the admin socket. */
export const ADMIN_METHODS = [
  'enrollKey',
  'revokeKey',
  'listKeys',
  'allowRuntime',
  'revokeRuntime',
  'listRuntimes',
  'listDevices',
  'forgetDevices',
] as const satisfies readonly (keyof RegistryAdmin)[];
export type AdminMethod = (typeof ADMIN_METHODS)[number];

/** One call, as one line of JSON. */
export interface AdminCall {
  readonly call: AdminMethod;
  readonly with: readonly unknown[];
}

/** The outcome of a call, as one line of JSON. Dates are ISO 8601 texts. */
export type AdminOutcome = { readonly result: unknown } | { readonly error: { readonly code: string; readonly message: string } };
