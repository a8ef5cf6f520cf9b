import { definedOf } from '../../core/check.js';
import { InvalidOptionError } from '../../core/errors.js';
import type { ComputeEngine } from '../../enclave/compute/engine.js';
import { type Policy, policyHash, readPolicy } from '../../enclave/policy/index.js';
import type { FileStore } from '../../enclave/store/file-store.js';
import { certificatesOf, certificatesOfAll } from '../../layers/formats/certificates.js';
import type { Log } from '../options.js';
import { type MessageOptions, managerClientStack } from '../stacks.js';
import { checkRoot } from './certificate-chain.js';
import type { IssuedIdentity, ManagerIdentity } from './enrolment.js';
import { GuardedFiles } from './guarded-files.js';
import { handshakeBytes } from './handshake-bytes.js';
import type { IdentityPrincipal } from './identity-principal.js';
import { Presented } from './presented.js';
import { Programs } from './programs.js';
import type { Service } from './requests.js';

export interface EnclaveOptions extends MessageOptions {
  readonly store: FileStore;
  readonly compute?: ComputeEngine;
  readonly maxPolicyBytes: number;
  readonly clientAuthorities?: readonly string[];
  readonly handshakeTimeoutMs?: number;
  readonly maxHandshakeBytes?: number;
  readonly minAppendBytesPerSecond: number;
  readonly log: Log;
  /** A principal asks for the end of the service. */
  readonly shutdown: () => void;
}

type SessionStack = ReturnType<typeof managerClientStack>;
/** What of the options the stacks of sessions need. */
type StackOptions = MessageOptions & Pick<EnclaveOptions, 'clientAuthorities' | 'handshakeTimeoutMs' | 'maxHandshakeBytes'>;

/**
 * Checks a policy and an identity as `Enclave` does, where there is no store yet.
 *
 * @throws PolicyError, LimitError; InvalidOptionError for certificates and keys that TLS cannot use
 */
export function checkEnclave(
  text: string,
  identity: ManagerIdentity,
  options: StackOptions & Pick<EnclaveOptions, 'maxPolicyBytes'>,
): void {
  stackOf(policyOf(text, options), identity, options);
}

function policyOf(text: string, { maxPolicyBytes }: Pick<EnclaveOptions, 'maxPolicyBytes'>): Policy {
  const policy = readPolicy(text, { maxPolicyBytes });
  if (policy.identities.length > 0) return policy;
  throw new InvalidOptionError('the policy must name at least one identity', { expected: 'identities', got: 0 });
}

function stackOf(policy: Policy, identity: ManagerIdentity | IssuedIdentity, options: StackOptions): SessionStack {
  if ('chain' in identity) checkRoot(identity.chain, certificatesOf('proxy_service_cert', policy.proxy_service_cert));
  const { certificate, key } = identity;
  const { dialect, maxMessageBytes, clientAuthorities, handshakeTimeoutMs } = options;
  const { identities, ciphersuite: cipherSuite } = policy;
  const certificates = identities.map((identity) => identity.certificate);
  const trust = definedOf({ clientAuthorities, cipherSuite, handshakeTimeoutMs });
  const maxHandshakeBytes = handshakeBytesOf(certificates, options);
  return managerClientStack({
    dialect,
    maxMessageBytes,
    tls: { role: 'server', certificate, key, identities: certificates, maxHandshakeBytes, ...trust },
  });
}

function handshakeBytesOf(certificates: readonly string[], { maxHandshakeBytes, clientAuthorities }: StackOptions): number {
  if (maxHandshakeBytes !== undefined) return maxHandshakeBytes;
  return handshakeBytes(
    certificates.map((certificate) => certificatesOf('identities', certificate)),
    clientAuthorities === undefined ? [] : certificatesOfAll('clientAuthorities', clientAuthorities),
  );
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
  readonly #presented: Presented<SessionStack>;

  /**
   * @param text the policy's exact text
   * @param identity what clients are shown. The policy must trust its chain where it has come over a link (`checkRoot`);
   * otherwise whoever started the manager vouches for it
   * @param from the link's enrolment; undefined where the identity came over no link
   * @throws PolicyError, LimitError; CertificateError for a chain that the policy does not trust; InvalidOptionError for
   * certificates and keys that TLS cannot use, and for a policy that lets nobody in
   */
  constructor(text: string, identity: ManagerIdentity | IssuedIdentity, from: object | undefined, options: EnclaveOptions) {
    const { store, compute, log } = options;
    const policy = policyOf(text, options);
    this.#policy = policy;
    this.#options = options;
    this.#presented = new Presented(stackOf(policy, identity, options), from);
    this.policyHash = policyHash(text);
    this.files = new GuardedFiles(policy, store, options.minAppendBytesPerSecond);
    this.programs = compute && new Programs({ policy, store, files: this.files, engine: compute });
    this.log = log;
    this.shutdown = options.shutdown;
  }

  /** The stack of a new session of a link: it shows the certificate that `Presented` names. */
  stackFor(link: object | undefined): SessionStack {
    return this.#presented.to(link);
  }

  /**
   * Takes another certificate that a link has brought (see `Presented`). Sessions that are open keep theirs.
   *
   * @throws CertificateError for a chain that the policy does not trust; InvalidOptionError
   */
  present(identity: IssuedIdentity, link: object): void {
    this.#presented.bring(stackOf(this.#policy, identity, this.#options), link);
  }

  /** A link has closed. */
  left(link: object): void {
    this.#presented.left(link);
  }

  /** The principal at this place of the policy's list, which is where TLS found the client's certificate. */
  principal(index: number): IdentityPrincipal {
    const identity = this.#policy.identities[index];
    if (identity === undefined) throw new InvalidOptionError(`the policy has no identity at ${index}`, { got: index });
    return { kind: 'identity', id: identity.id };
  }
}
