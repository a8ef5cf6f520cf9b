import type { Admission, AllowedRuntime, Device, DeviceKey, Platform } from './records.js';

/** What the operator of an attestation server does with its registry: himself, or through the server that has it open. */
export interface RegistryAdmin {
  /** A P-256 public key, PEM. @throws InvalidArgumentError for no such key, or a revoked one; LimitError */
  enrollKey(key: string, admission?: Admission): Promise<DeviceKey>;
  /** Tokens of its devices count no more, `/VerifyPAT` included. False when no such key is live. */
  revokeKey(id: string): Promise<boolean>;
  /** The newest first. */
  listKeys(): Promise<DeviceKey[]>;
  /** @throws InvalidArgumentError for another platform, no hash, or a revoked one; LimitError */
  allowRuntime(platform: Platform, hash: string, admission?: Admission): Promise<AllowedRuntime>;
  /** On one platform, or on all. False when it was allowed on none. */
  revokeRuntime(hash: string, platform?: Platform): Promise<boolean>;
  /** The newest first. */
  listRuntimes(): Promise<AllowedRuntime[]>;
  /** The newest first, at most `limit` (1 to 100,000; default 1,000). */
  listDevices(limit?: number): Promise<Device[]>;
  /** Forgets the devices that attested themselves before then (a date, or its ISO 8601 text); gives their number. */
  forgetDevices(before: Date | string): Promise<number>;
  close(): Promise<void>;
}

/** What may be asked over the admin socket, by name. */
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

/** Its outcome, as one line of JSON; dates are ISO 8601 texts. */
export type AdminOutcome = { readonly result: unknown } | { readonly error: { readonly code: string; readonly message: string } };
