import { randomBytes, randomInt } from 'node:crypto';
import type { AttestationProtocol } from '../../attestation/evidence/index.js';
import { ChallengeError, ChallengeExpiredError, LimitError } from '../../core/errors.js';

const LAYER = 'attestation-server';
/** Bytes of a challenge (wire spec §F). */
const CHALLENGE_BYTES = 32;
/** One more than the largest device id. A device id is a positive int32 on the wire. */
const DEVICE_IDS = 2 ** 31;

/** A challenge that was given to a device and not answered yet. */
export interface Challenge {
  readonly deviceId: number;
  /** 32 random bytes. */
  readonly nonce: Buffer;
  readonly protocol: AttestationProtocol;
  /** The firmware version in the start message. */
  readonly firmwareVersion: string;
}

interface Given extends Challenge {
  readonly at: number;
}

/**
 * The open challenges. They are kept in memory, so that they end with the server. Each can be answered once: the first
 * answer uses it up, whether the answer is right or wrong.
 */
export class Challenges {
  readonly #limit: number;
  readonly #lifetimeMs: number;
  readonly #clock: () => number;
  /**
   * By device id, oldest first. Expired ones are kept for one more lifetime, so that a late answer can be told that it is
   * late.
   */
  readonly #given = new Map<number, Given>();

  constructor(limit: number, lifetimeMs: number, clock: () => number) {
    this.#limit = limit;
    this.#lifetimeMs = lifetimeMs;
    this.#clock = clock;
  }

  get size(): number {
    return this.#given.size;
  }

  /**
   * Makes a challenge, with a device id that is not in use.
   * @param taken tells whether the registry has a device of this id
   * @throws LimitError when too many challenges are open
   */
  async give(protocol: AttestationProtocol, firmwareVersion: string, taken: (deviceId: number) => Promise<boolean>): Promise<Challenge> {
    for (;;) {
      this.#refuseFull();
      const deviceId = randomInt(1, DEVICE_IDS);
      if (this.#given.has(deviceId) || (await taken(deviceId)) || this.#given.has(deviceId)) continue;
      // Other challenges may have been given while the registry was asked.
      this.#refuseFull();
      const challenge = { deviceId, nonce: randomBytes(CHALLENGE_BYTES), protocol, firmwareVersion, at: this.#clock() };
      this.#given.set(deviceId, challenge);
      return challenge;
    }
  }

  /**
   * Removes and returns the challenge of a device.
   * @throws ChallengeError when there is none, or it is for another protocol; ChallengeExpiredError
   */
  take(deviceId: number, protocol: AttestationProtocol): Challenge {
    const challenge = this.#given.get(deviceId);
    this.#given.delete(deviceId);
    if (challenge === undefined) throw new ChallengeError('the device was given no challenge, or has used it', { layer: LAYER });
    if (this.#age(challenge) > this.#lifetimeMs) {
      throw new ChallengeExpiredError(`the challenge is older than ${this.#lifetimeMs} ms`, {
        layer: LAYER,
        limit: this.#lifetimeMs,
        got: Math.round(this.#age(challenge)),
      });
    }
    if (challenge.protocol !== protocol) {
      throw new ChallengeError('the challenge is of another protocol', { layer: LAYER, expected: challenge.protocol, got: protocol });
    }
    return challenge;
  }

  #age({ at }: Given): number {
    return this.#clock() - at;
  }

  #refuseFull(): void {
    this.#forget(2 * this.#lifetimeMs);
    if (this.#given.size >= this.#limit) this.#forget(this.#lifetimeMs);
    if (this.#given.size < this.#limit) return;
    throw new LimitError(`${this.#limit} challenges are under way`, { layer: LAYER, limit: this.#limit });
  }

  /** Drops challenges older than `ageMs`. */
  #forget(ageMs: number): void {
    for (const [deviceId, challenge] of this.#given) {
      if (this.#age(challenge) <= ageMs) return;
      this.#given.delete(deviceId);
    }
  }
}
