import { CertificateWatch, periodOf } from '../../attestation/certificate-time.js';
import { clock } from '../../core/clock.js';
import { asVeracruzError, ClosedError, PolicyError, type VeracruzError } from '../../core/errors.js';
import { Mutex } from '../../core/semaphore.js';
import { policyHash } from '../../enclave/policy/index.js';
import type { Response } from '../../layers/bincode/index.js';
import { certificatesOf } from '../../layers/formats/certificates.js';
import { Enclave, type EnclaveOptions } from './enclave.js';
import type { Enrolment, IssuedIdentity, ManagerIdentity } from './enrolment.js';
import type { PendingResponse } from './link.js';

const LAYER = 'runtime-manager';

export interface InitialisationOptions extends EnclaveOptions {
  /** As in `RuntimeManagerOptions`. */
  readonly expectedPolicyHash?: string;
}

/**
 * How a manager becomes an enclave: once, by one policy, whoever leads it there (wire spec §D, steps 3 and 5 of the
 * attestation handshake). What goes wrong is Status Fail and a line in the log; the original would die of some of it.
 */
export class Initialisation {
  readonly #options: InitialisationOptions;
  readonly #active: () => boolean;
  #enclave: Enclave | undefined;
  /** Over the certificates that are held: those that links have brought, and the one that was given at the start. */
  readonly #watches = new Map<Enrolment | undefined, CertificateWatch>();
  /** Takings run one after the other. */
  readonly #takings = new Mutex();

  /** @param active whether the manager still serves */
  constructor(options: InitialisationOptions, active: () => boolean) {
    this.#options = options;
    this.#active = active;
  }

  /** Undefined until the manager is initialised. */
  get enclave(): Enclave | undefined {
    return this.#enclave;
  }

  /**
   * Takes the policy and the identity that the manager was started with. Whoever started it vouches for both.
   *
   * @throws PolicyError for a policy that is none; LimitError, InvalidOptionError (`Enclave`); FileStoreError for a store
   * that belongs to another policy
   */
  begin(policy: string, identity: ManagerIdentity): Promise<void> {
    return this.#takings.run(() => this.#found(policy, identity, undefined));
  }

  /** A link has closed: what it brought may be replaced (`Presented`). */
  left(enrolment: Enrolment | undefined): void {
    if (enrolment === undefined) return;
    enrolment.closed = true;
    this.#unwatch(enrolment);
    this.#enclave?.left(enrolment);
  }

  /** The first policy stays; with it, each link may bring a certificate of its own (`Presented`). */
  async #take(policy: string, identity: IssuedIdentity, enrolment: Enrolment): Promise<void> {
    if (enrolment.closed) throw new ClosedError('the link has closed', { layer: LAYER });
    const before = this.#enclave;
    if (before === undefined) return this.#found(policy, identity, enrolment);
    const got = policyHash(policy);
    if (got !== before.policyHash) throw anotherPolicy(before.policyHash, got);
    before.present(identity, enrolment);
    this.#watch(identity, enrolment);
  }

  /** The policy and the chain are judged before the store is bound to the policy for good. */
  async #found(policy: string, identity: ManagerIdentity | IssuedIdentity, enrolment: Enrolment | undefined): Promise<void> {
    const { store } = this.#options;
    checkPolicyHash(policy, this.#options);
    const enclave = new Enclave(policy, identity, enrolment, this.#options);
    await store.bind(enclave.policyHash);
    this.#enclave = enclave;
    this.#watch(identity, enrolment);
    if (enrolment?.closed === true) this.left(enrolment);
  }

  #watch({ certificate }: ManagerIdentity, from: Enrolment | undefined): void {
    this.#unwatch(from);
    const period = periodOf(certificatesOf('certificate', certificate));
    this.#watches.set(from, new CertificateWatch('of the manager', period, this.#options.log, from !== undefined));
  }

  #unwatch(from: Enrolment | undefined): void {
    this.#watches.get(from)?.stop();
    this.#watches.delete(from);
  }

  /** Answers Attestation. */
  attest(enrolment: Enrolment, challenge: Buffer, device: number | string): PendingResponse {
    return this.#step('attested', { device, protocol: enrolment.protocol }, () => enrolment.attest(challenge));
  }

  /** Answers Initialize. */
  initialize(enrolment: Enrolment, policy: string, chain: readonly Buffer[]): PendingResponse {
    return this.#step('initialised', { policy: policyHash(policy) }, async () => {
      const identity = enrolment.accept(chain);
      await this.#takings.run(() => this.#take(policy, identity, enrolment));
      enrolment.initialised = true;
      return { kind: 'Status', status: 'Success' };
    });
  }

  /** Waits for what is under way; then ends what is running. */
  async end(): Promise<void> {
    await this.#takings.run(() => this.#enclave?.programs?.end());
    for (const from of [...this.#watches.keys()]) this.#unwatch(from);
  }

  #step(what: string, figures: Readonly<Record<string, unknown>>, work: () => Promise<Response>): PendingResponse {
    const { log } = this.#options;
    const started = clock.monotonic();
    const answer = async (): Promise<Response> => {
      try {
        if (!this.#active()) throw new ClosedError('the manager has shut down', { layer: LAYER });
        const response = await work();
        log('info', what, { ...figures, milliseconds: Math.round(clock.monotonic() - started) });
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

/** @throws PolicyError for another policy than the one that is expected, if one is */
export function checkPolicyHash(policy: string, { expectedPolicyHash: expected }: Pick<InitialisationOptions, 'expectedPolicyHash'>): void {
  const got = policyHash(policy);
  if (expected !== undefined && got !== expected) throw anotherPolicy(expected, got);
}

function anotherPolicy(expected: string, got: string): PolicyError {
  return new PolicyError('the manager has another policy', { layer: LAYER, expected, got });
}
