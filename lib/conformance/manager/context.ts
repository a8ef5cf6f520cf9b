/** How a case reaches the Runtime Manager that is tried. */

import { randomBytes } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { issueEnclaveCertificate } from '../../attestation/authority.js';
import { EVIDENCE_DEFAULTS, NITRO_DEFAULTS, readCoseSign1 } from '../../attestation/evidence/index.js';
import { nitroPayload } from '../../attestation/evidence/nitro-payload.js';
import { joined } from '../../layers/bincode/index.js';
import { CaseFailed, CaseSkipped, expect } from '../case.js';
import type { Credentials, Material } from '../material.js';
import { need } from '../material.js';
import { Link, type LinkSettings, nameOf } from '../peers/link.js';
import { clientTls } from '../peers/tls.js';
import { type Cut, Visitor } from '../peers/visitor.js';
import { Scope } from '../scope.js';

export interface ManagerTarget extends LinkSettings {
  readonly address: string;
  readonly material: Material;
  /** The manager has no certificate yet: each link begins with Attestation and Initialize, as a Server's does. */
  readonly attested: boolean;
  /** The manager takes one connection in its life, as an original one on Linux: all cases share it. */
  readonly singleLink: boolean;
}

export class ManagerContext {
  readonly target: ManagerTarget;
  #shared: Promise<Link> | undefined;
  #sharedScope: Scope | undefined;

  constructor(target: ManagerTarget) {
    this.target = target;
  }

  get material(): Material {
    return this.target.material;
  }

  /** A link that is ready for sessions. */
  async link(scope: Scope): Promise<Link> {
    if (!this.target.singleLink) return this.#ready(scope);
    if (this.#shared === undefined) {
      this.#sharedScope = new Scope(scope.waitMs);
      this.#shared = this.#ready(this.#sharedScope);
    }
    if (this.#sharedScope?.heard === true) scope.heard = true;
    return this.#shared;
  }

  /** A link that the case may spoil. @throws CaseSkipped where there is only one */
  async ownLink(scope: Scope): Promise<Link> {
    if (this.target.singleLink) throw new CaseSkipped('needs a manager that takes more than one link (without --single-link)');
    return this.#ready(scope);
  }

  /** A client in a session of its own, over a link of its own. */
  async visit(scope: Scope, identity?: Credentials, more: ConnectionOptions = {}, cut?: Cut): Promise<Visitor> {
    const options = { ...clientTls(this.material, identity), ...more };
    return Visitor.open(await this.link(scope), options, cut);
  }

  /** The manager still serves: a client that is new asks for the policy's hash. @throws CaseFailed */
  async serves(scope: Scope): Promise<void> {
    const reply = await (await this.visit(scope)).ask({ oneof: 'request_policy_hash', fields: {} });
    expect(reply.refused === undefined, `a new client is refused afterwards: ${reply.refused}`);
  }

  /** The same, of the link alone. @throws CaseFailed */
  async answers(scope: Scope): Promise<void> {
    await (await this.link(scope)).open();
  }

  /** Ends what the cases share. */
  async close(): Promise<void> {
    await this.#sharedScope?.end();
  }

  async #ready(scope: Scope): Promise<Link> {
    const link = await Link.connect(this.target.address, this.target, scope);
    if (this.target.attested) await this.initialize(link);
    return link;
  }

  /** Leads a link through steps 3 and 5 of the attestation handshake (wire spec §D.7). @throws CaseFailed */
  async initialize(link: Link): Promise<void> {
    const { policy } = this.material;
    const answer = await link.call({ kind: 'Initialize', policy: need(policy, 'a policy'), chain: await this.chain(link) });
    expect(nameOf(answer) === 'Status Success', `Initialize was answered with ${nameOf(answer)}`);
  }

  /** The chain of a new certificate, as the dialect has it. */
  async chain(
    link: Link,
    signer = need(this.material.authority, 'the authority (--ca-cert and --ca-key, or --material)'),
  ): Promise<Buffer[]> {
    const { csr } = await this.attest(link);
    const runtimeHash = need(this.material.runtimeHash, 'a runtime hash (--runtime-hash or --material)');
    const leaf = issueEnclaveCertificate(signer, { request: csr, runtimeHash });
    const chain = [leaf, signer.certificateDer];
    return link.settings.dialect === 'head' ? [Buffer.concat(chain)] : chain;
  }

  /** Step 3: evidence and request. @throws CaseFailed */
  async attest(link: Link, challenge: Buffer = randomBytes(32)): Promise<{ readonly token: Buffer; readonly csr: Buffer }> {
    const answer = await link.call(this.attestation(challenge));
    if (answer.kind !== 'AttestationData') throw new CaseFailed(`Attestation was answered with ${nameOf(answer)}`);
    const token = joined(answer.token);
    return { token, csr: answer.csr === undefined ? requestIn(token) : joined(answer.csr) };
  }

  /** The request of step 3. */
  attestation(challenge: Buffer): { readonly kind: 'Attestation'; readonly challenge: Buffer; readonly deviceId: number | string } {
    const deviceId = this.target.dialect === 'head' ? '00000000-0000-0000-0000-000000000007' : 7;
    return { kind: 'Attestation', challenge, deviceId };
  }
}

/** The request in a Nitro document: in 2207-nitro it is the user_data (wire spec §F.5). */
function requestIn(document: Buffer): Buffer {
  const { payload } = readCoseSign1(document, { ...EVIDENCE_DEFAULTS, tagged: 'either' });
  const { userData } = nitroPayload(payload, { maxDepth: EVIDENCE_DEFAULTS.maxDepth, maxCertificates: NITRO_DEFAULTS.maxCertificates });
  if (userData === undefined) throw new CaseFailed('the document has no user_data');
  return userData;
}
