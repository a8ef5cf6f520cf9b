import { asVeracruzError, ClosedError, PolicyError, type VeracruzError } from '../../core/errors.js';
import { Mutex } from '../../core/semaphore.js';
import { policyHash } from '../../enclave/policy/index.js';
import type { Response } from '../../layers/bincode/index.js';
import { Enclave, type EnclaveOptions } from './enclave.js';
import type { Enrolment, ManagerIdentity } from './enrolment.js';
import type { PendingResponse } from './link.js';

const LAYER = 'runtime-manager';

/**
 * How a manager becomes an enclave: once, by one policy, whoever leads it there (wire spec §D, steps 3 and 5 of the
 * attestation handshake). What goes wrong is Status Fail and a line in the log; the original would die of some of it.
 */
export class Initialisation {
  readonly #options: EnclaveOptions;
  readonly #active: () => boolean;
  #enclave: Enclave | undefined;
  /** Takings run one after the other. */
  readonly #takings = new Mutex();

  /** @param active whether the manager still serves */
  constructor(options: EnclaveOptions, active: () => boolean) {
    this.#options = options;
    this.#active = active;
  }

  /** Undefined until the manager is initialised. */
  get enclave(): Enclave | undefined {
    return this.#enclave;
  }

  /**
   * Takes a policy and an identity. The first policy stays; with it, another identity may come.
   *
   * @throws PolicyError for another policy, or one that is none; LimitError, InvalidOptionError (`Enclave`);
   * FileStoreError for a store that belongs to another policy
   */
  take(policy: string, identity: ManagerIdentity): Promise<void> {
    return this.#takings.run(() => this.#take(policy, identity));
  }

  async #take(policy: string, identity: ManagerIdentity): Promise<void> {
    const before = this.#enclave;
    if (before !== undefined) {
      const got = policyHash(policy);
      if (got !== before.policyHash)
        throw new PolicyError('the manager has another policy', { layer: LAYER, expected: before.policyHash, got });
      before.present(identity);
      return;
    }
    const enclave = new Enclave(policy, identity, this.#options);
    await this.#options.store.bind(enclave.policyHash);
    this.#enclave = enclave;
  }

  /** Answers Attestation. */
  attest(enrolment: Enrolment, challenge: Buffer, device: number | string): PendingResponse {
    return this.#step('attested', { device, protocol: enrolment.protocol }, () => enrolment.attest(challenge));
  }

  /** Answers Initialize. */
  initialize(enrolment: Enrolment, policy: string, chain: readonly Buffer[]): PendingResponse {
    return this.#step('initialised', { policy: policyHash(policy) }, async () => {
      await this.take(policy, enrolment.accept(chain));
      return { kind: 'Status', status: 'Success' };
    });
  }

  /** Waits for what is under way; then ends what is running. */
  async end(): Promise<void> {
    await this.#takings.run(() => this.#enclave?.programs?.end());
  }

  #step(what: string, figures: Readonly<Record<string, unknown>>, work: () => Promise<Response>): PendingResponse {
    const { log } = this.#options;
    const started = performance.now();
    const answer = async (): Promise<Response> => {
      try {
        if (!this.#active()) throw new ClosedError('the manager has shut down', { layer: LAYER });
        const response = await work();
        log('info', what, { ...figures, milliseconds: Math.round(performance.now() - started) });
        return response;
      } catch (thrown) {
        const { code, message }: VeracruzError = asVeracruzError(thrown, { layer: LAYER });
        log('error', `not ${what}`, { ...figures, code, reason: message });
        return { kind: 'Status', status: 'Fail' };
      }
    };
    return { response: answer(), hurry: () => {} };
  }
}
