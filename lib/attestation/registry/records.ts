/** Records of the registry. Hashes and points are lowercase hex. */

/** The platforms of runtime hashes (wire spec §E). `linux` and `icecap` attest by PSA tokens, `nitro` by Nitro documents. */
export const PLATFORMS = Object.freeze(['linux', 'nitro', 'icecap'] as const);
/** The platform of a runtime hash. */
export type Platform = (typeof PLATFORMS)[number];

/** A device's public key. Tokens that it signed are accepted until it is revoked. */
export interface DeviceKey {
  /** SHA-256 of the point, 64 digits. `devices.pubkey_hash` refers to it. */
  readonly id: string;
  /** Uncompressed P-256 point, 130 digits. */
  readonly point: string;
  readonly label: string;
  readonly enrolledAt: Date;
  readonly revokedAt: Date | null;
}

/** A Runtime Manager that may get a certificate until it is revoked. */
export interface AllowedRuntime {
  readonly platform: Platform;
  /** 64 digits. */
  readonly hash: string;
  readonly label: string;
  readonly allowedAt: Date;
  readonly revokedAt: Date | null;
}

/** Options for adding a key or a runtime. */
export interface Admission {
  /** A text for the operator, at most 128 characters. Default empty. */
  label?: string | undefined;
  /** Adds a revoked entry again. Default false, so that a script which adds all entries does not undo a revocation. */
  restore?: boolean | undefined;
}

/** A Runtime Manager that was attested. */
export interface Device {
  /** A random number from the attestation server, 1 to 2^31 - 1. */
  readonly deviceId: number;
  /** Id of the key that signed its evidence, 64 digits; empty on Nitro, where AWS signs. */
  readonly pubkeyHash: string;
  /** From the evidence; at most 128 characters, may be empty. */
  readonly enclaveName: string;
  /** 64 digits. */
  readonly runtimeHash: string;
  /** A `Platform`; or the protocol, `psa` or `nitro`, if the runtime was accepted without being listed. */
  readonly platform: string;
  /** From the start message, never checked (wire spec §F). At most 128 characters. */
  readonly firmwareVersion: string;
  readonly attestedAt: Date;
}

/** A device to be recorded. The registry adds the time. */
export interface NewDevice extends Omit<Device, 'attestedAt' | 'firmwareVersion'> {
  readonly firmwareVersion?: string;
}
