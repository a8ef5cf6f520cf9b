import { definedOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import type { ComputeEngine } from '../../enclave/compute/engine.js';
import { type Policy, policyHash, readPolicy } from '../../enclave/policy/index.js';
import type { FileStore } from '../../enclave/store/file-store.js';
import type { Log } from '../options.js';
import { type MessageOptions, managerClientStack } from '../stacks.js';
import type { ManagerIdentity } from './enrolment.js';
import { GuardedFiles } from './guarded-files.js';
import { type IdentityPrincipal, Programs } from './programs.js';
import type { Service } from './requests.js';

export interface EnclaveOptions extends MessageOptions {
  readonly store: FileStore;
  readonly compute?: ComputeEngine;
  readonly maxPolicyBytes: number;
  readonly clientAuthorities?: readonly string[];
  readonly handshakeTimeoutMs?: number;
  readonly log: Log;
  /** A principal asks for the end of the service. */
  readonly shutdown: () => void;
}

/** What a manager guards once it is initialised: a policy, and files and programs as far as that policy goes. */
export class Enclave implements Service {
  readonly policyHash: string;
  readonly files: GuardedFiles;
  readonly programs: Programs | undefined;
  readonly log: Log;
  readonly shutdown: () => void;
  readonly #policy: Policy;
  readonly #options: EnclaveOptions;
  #stack: ReturnType<typeof managerClientStack>;

  /**
   * @param text the policy's exact text
   * @param identity what clients are shown
   * @throws PolicyError, LimitError; InvalidOptionError for certificates and keys that TLS cannot use, and for a policy
   * that lets nobody in
   */
  constructor(text: string, identity: ManagerIdentity, options: EnclaveOptions) {
    const { store, compute, log, maxPolicyBytes } = options;
    const policy = readPolicy(text, { maxPolicyBytes });
    if (policy.identities.length === 0) {
      throw new InvalidOptionError('the policy must name at least one identity', { expected: 'identities', got: 0 });
    }
    this.#policy = policy;
    this.#options = options;
    this.#stack = this.#stackFor(identity);
    this.policyHash = policyHash(text);
    this.files = new GuardedFiles(policy, store);
    this.programs = compute && new Programs({ policy, store, files: this.files, engine: compute });
    this.log = log;
    this.shutdown = options.shutdown;
  }

  /** The stack of a new session. */
  get stack(): ReturnType<typeof managerClientStack> {
    return this.#stack;
  }

  /** Shows new sessions another certificate. Those that are open keep theirs. Throws InvalidOptionError. */
  present(identity: ManagerIdentity): void {
    this.#stack = this.#stackFor(identity);
  }

  /** The principal at this place of the policy's list, which is where TLS found the client's certificate. */
  principal(index: number): IdentityPrincipal {
    const identity = this.#policy.identities[index];
    if (identity === undefined) throw new InvalidOptionError(`the policy has no identity at ${index}`, { got: index });
    return { kind: 'identity', id: identity.id };
  }

  #stackFor({ certificate, key }: ManagerIdentity): ReturnType<typeof managerClientStack> {
    const { dialect, maxMessageBytes, clientAuthorities, handshakeTimeoutMs } = this.#options;
    const { identities, ciphersuite: cipherSuite } = this.#policy;
    const trust = definedOf({ clientAuthorities, cipherSuite, handshakeTimeoutMs });
    return managerClientStack({
      dialect,
      maxMessageBytes,
      tls: { role: 'server', certificate, key, identities: identities.map((identity) => identity.certificate), ...trust },
    });
  }
}
