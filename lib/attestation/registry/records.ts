/** What the registry keeps. Hashes and points are lowercase hex. */

/** The platforms of a policy's runtime hashes (wire spec §E): `linux` and `icecap` attest by PSA tokens, `nitro` by documents. */
export const PLATFORMS = Object.freeze(['linux', 'nitro', 'icecap'] as const);
export type Platform = (typeof PLATFORMS)[number];

/** A public key whose tokens count. */
export interface DeviceKey {
  /** SHA-256 of the point, 64 digits: what `devices.pubkey_hash` refers to. */
  readonly id: string;
  /** Uncompressed P-256 point, 130 digits. */
  readonly point: string;
  readonly label: string;
  readonly enrolledAt: Date;
  readonly revokedAt: Date | null;
}

/** A Runtime Manager that may have a certificate. */
export interface AllowedRuntime {
  readonly platform: Platform;
  /** 64 digits. */
  readonly hash: string;
  readonly label: string;
  readonly allowedAt: Date;
  readonly revokedAt: Date | null;
}

/** What is said of a key or a runtime that is taken in. */
export interface Admission {
  /** For people: at most 128 characters. Default empty. */
  label?: string | undefined;
  /** Takes in again what was revoked. Without it that is refused: a script that enrols all must not undo it. Default false. */
  restore?: boolean | undefined;
}

/** A Runtime Manager that has attested itself. */
export interface Device {
  /** Drawn by the attestation server, 1 to 2^31 - 1. */
  readonly deviceId: number;
  /** Id of the key that signed its evidence, 64 digits; empty on Nitro, where AWS signs. */
  readonly pubkeyHash: string;
  /** As the evidence says, may be empty; at most 128 characters. */
  readonly enclaveName: string;
  /** 64 digits. */
  readonly runtimeHash: string;
  /** A `Platform`; or the protocol, `psa` or `nitro`, of a runtime that was let in unlisted. */
  readonly platform: string;
  /** As it was told at the start; never checked (wire spec §F). At most 128 characters. */
  readonly firmwareVersion: string;
  readonly attestedAt: Date;
}

/** A device as it is recorded; the registry adds the time. */
export interface NewDevice extends Omit<Device, 'attestedAt' | 'firmwareVersion'> {
  readonly firmwareVersion?: string;
}
