import { randomBytes, randomInt } from 'node:crypto';
import type { AttestationProtocol } from '../../attestation/evidence/index.js';
import { ChallengeError, ChallengeExpiredError, LimitError } from '../../core/errors.js';

const LAYER = 'attestation-server';
/** Bytes of a challenge (wire spec §F). */
const CHALLENGE_BYTES = 32;
/** One past the largest device id: int32 on the wire, and never 0 or less. */
const DEVICE_IDS = 2 ** 31;

/** What was asked of a device that has not answered yet. */
export interface Challenge {
  readonly deviceId: number;
  /** 32 random bytes. */
  readonly nonce: Buffer;
  readonly protocol: AttestationProtocol;
  /** As the start said it. */
  readonly firmwareVersion: string;
}

interface Given extends Challenge {
  readonly at: number;
}

/**
 * The challenges that are under way, in memory: they do not outlive the server, and should not. Each serves once: the first
 * answer to it burns it, right or wrong.
 */
export class Challenges {
  readonly #limit: number;
  readonly #lifetimeMs: number;
  readonly #clock: () => number;
  /** By device id, the oldest first. Those that are late by up to a lifetime stay, so that an answer can be told so. */
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
   * A challenge for a device id that nobody has.
   * @param taken whether a device of this id has attested itself already
   * @throws LimitError when there are too many
   */
  async give(protocol: AttestationProtocol, firmwareVersion: string, taken: (deviceId: number) => Promise<boolean>): Promise<Challenge> {
    for (;;) {
      this.#refuseFull();
      const deviceId = randomInt(1, DEVICE_IDS);
      if (this.#given.has(deviceId) || (await taken(deviceId)) || this.#given.has(deviceId)) continue;
      // Others were given one while the registry was asked.
      this.#refuseFull();
      const challenge = { deviceId, nonce: randomBytes(CHALLENGE_BYTES), protocol, firmwareVersion, at: this.#clock() };
      this.#given.set(deviceId, challenge);
      return challenge;
    }
  }

  /**
   * Takes the challenge of a device, for good.
   * @throws ChallengeError when there is none, or it is of another protocol; ChallengeExpiredError
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

  /** Drops those that are older. */
  #forget(ageMs: number): void {
    for (const [deviceId, challenge] of this.#given) {
      if (this.#age(challenge) <= ageMs) return;
      this.#given.delete(deviceId);
    }
  }
}
