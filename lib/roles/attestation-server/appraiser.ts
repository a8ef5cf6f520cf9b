import { createHash } from 'node:crypto';
import { issueEnclaveCertificate } from '../../attestation/authority.js';
import {
  type AttestationProtocol,
  type PsaClaims,
  readPsaClaims,
  verifyDeviceToken,
  verifyNitroDocument,
  verifyPsaToken,
} from '../../attestation/evidence/index.js';
import { type DeviceKey, type DeviceRegistry, tameText } from '../../attestation/registry/index.js';
import { clock } from '../../core/clock.js';
import { DeviceUnknownError, EvidenceSignatureError, RuntimeHashError } from '../../core/errors.js';
import type { Challenge, Challenges } from './challenges.js';
import { type Completed, PLATFORMS_OF } from './options.js';

const LAYER = 'attestation-server';
/** Bytes of a key id, which is a SHA-256. */
const KEY_ID_BYTES = 32;

/** What verified evidence of either kind proves. */
interface Proof {
  /** Id of the device's key, hex; empty for Nitro, where AWS signs. */
  readonly pubkeyHash: string;
  readonly enclaveName: string;
  /** 32 bytes. */
  readonly runtimeHash: Buffer;
  /** Certificate signing request, DER. */
  readonly request: Buffer;
}

/** A device whose evidence passed, and its certificates. */
export interface Appraised {
  readonly deviceId: number;
  readonly platform: string;
  /** Hex. */
  readonly runtimeHash: string;
  /** DER. */
  readonly root: Buffer;
  readonly certificate: Buffer;
}

type Settings = Pick<Completed, 'authority' | 'days' | 'certificateLifetimeMs' | 'allowAnyRuntime' | 'nitroRoot' | 'maxKeysTried'>;

/**
 * Decides about evidence. It checks, in this order: the challenge, the signature, what the evidence binds, and whether its
 * Runtime Manager is allowed. The challenge is used up first, even when a later check fails.
 *
 * The methods throw ChallengeError, ChallengeExpiredError, EvidenceError, EvidenceSignatureError, EvidenceChainError,
 * CertificateRequestError, DeviceUnknownError, RuntimeHashError or RegistryError.
 */
export class Appraiser {
  readonly #registry: DeviceRegistry;
  readonly #challenges: Challenges;
  readonly #settings: Settings;

  constructor(registry: DeviceRegistry, challenges: Challenges, settings: Settings) {
    this.#registry = registry;
    this.#challenges = challenges;
    this.#settings = settings;
  }

  /** Appraises a `NativePsaAttestationToken`. */
  async psa(deviceId: number, token: Buffer, request: Buffer): Promise<Appraised> {
    const challenge = this.#challenges.take(deviceId, 'psa');
    const [key, claims] = await this.#verifyPsa(token, challenge, request);
    return this.#admit(challenge, {
      pubkeyHash: key.id,
      enclaveName: tameText(claims.name ?? ''),
      runtimeHash: claims.runtimeHash,
      request,
    });
  }

  /** Appraises a `NitroAttestationDoc`. The certificate signing request is inside the document. */
  async nitro(deviceId: number, document: Buffer): Promise<Appraised> {
    const challenge = this.#challenges.take(deviceId, 'nitro');
    const { nitroRoot } = this.#settings;
    const evidence = verifyNitroDocument(document, {
      challenge: challenge.nonce,
      userData: 'request',
      ...(nitroRoot !== undefined && { root: nitroRoot }),
    });
    return this.#admit(challenge, {
      pubkeyHash: '',
      enclaveName: tameText(evidence.moduleId),
      runtimeHash: evidence.runtimeHash,
      request: evidence.userData,
    });
  }

  /** Verifies a `ProxyPsaAttestationToken` and returns its payload. The device must have been attested with the same key. */
  async proxy(deviceId: number, token: Buffer, publicKey: Buffer): Promise<Buffer> {
    const hash = createHash('sha256').update(publicKey).digest('hex');
    const device = deviceId > 0 ? await this.#registry.findDevice(deviceId) : undefined;
    if (device?.pubkeyHash !== hash) throw unknown('no such device, or it has another key');
    const key = await this.#registry.findKey(hash);
    // A database of the original has devices but no keys, so no key can have been revoked.
    if (key !== undefined && key.revokedAt !== null) throw unknown("the device's key was revoked");
    return verifyDeviceToken(token, publicKey);
  }

  /** Finds the enrolled key that signed the token, and returns it with the token's claims. */
  async #verifyPsa(token: Buffer, challenge: Challenge, request: Buffer): Promise<[DeviceKey, PsaClaims]> {
    let refusal: unknown;
    for (const key of await this.#keysFor(readPsaClaims(token))) {
      try {
        const publicKey = Buffer.from(key.point, 'hex');
        return [key, verifyPsaToken(token, { publicKey, challenge: challenge.nonce, request })];
      } catch (error) {
        if (!(error instanceof EvidenceSignatureError)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  /** The key that the token names, or all keys to try when it names none. At least one. */
  async #keysFor({ keyId }: PsaClaims): Promise<DeviceKey[]> {
    if (keyId === undefined) {
      const keys = await this.#registry.liveKeys(this.#settings.maxKeysTried);
      if (keys.length === 0) throw unknown('no device key is enrolled');
      return keys;
    }
    const key = keyId.length === KEY_ID_BYTES ? await this.#registry.findKey(keyId) : undefined;
    if (key === undefined || key.revokedAt !== null) throw unknown('the key that the token names is not enrolled, or was revoked');
    return [key];
  }

  async #admit({ deviceId, protocol, firmwareVersion }: Challenge, proof: Proof): Promise<Appraised> {
    const { authority, days, certificateLifetimeMs } = this.#settings;
    const notAfter = certificateLifetimeMs === undefined ? {} : { notAfter: new Date(clock.now() + certificateLifetimeMs) };
    const runtimeHash = proof.runtimeHash.toString('hex');
    const platform = await this.#platformOf(protocol, runtimeHash);
    const certificate = issueEnclaveCertificate(authority, { request: proof.request, runtimeHash: proof.runtimeHash, days, ...notAfter });
    const { pubkeyHash, enclaveName } = proof;
    await this.#registry.recordAttestation({ deviceId, pubkeyHash, enclaveName, runtimeHash, platform, firmwareVersion });
    return { deviceId, platform, runtimeHash, root: authority.certificateDer, certificate };
  }

  async #platformOf(protocol: AttestationProtocol, runtimeHash: string): Promise<string> {
    const runtime = await this.#registry.findRuntime(runtimeHash, PLATFORMS_OF[protocol]);
    if (runtime !== undefined) return runtime.platform;
    if (this.#settings.allowAnyRuntime) return protocol;
    throw new RuntimeHashError('this Runtime Manager is not allowed', { layer: LAYER, got: runtimeHash });
  }
}

function unknown(message: string): DeviceUnknownError {
  return new DeviceUnknownError(message, { layer: LAYER });
}
