/** What leads a manager through its initialisation: an attester that says what it was asked, and a Server's first words. */
import { createHash, randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { type Authority, issue } from '../../lib/attestation/authority.js';
import type { AttestationProtocol, Attester } from '../../lib/attestation/evidence/attester.js';
import { joined, type Request, type Response, type Sent } from '../../lib/layers/bincode/index.js';
import type { Channel } from '../../lib/pipeline/channel.js';
import { type LinkOptions, serverManagerStack } from '../../lib/roles/stacks.js';
import { connectSocket } from '../../lib/transports/socket.js';
import { within } from './foreign.js';
import { authority, POLICY, portOf, RUNTIME_HASH } from './roles.js';

/** Evidence that anybody can make, and this test can check: SHA-256 of the challenge, then the request itself. */
export function plainAttester(protocol: AttestationProtocol = 'psa'): Attester & { asked: number } {
  const attester = {
    protocol,
    asked: 0,
    attest: async (challenge: Buffer, request: Buffer) => {
      attester.asked++;
      return Buffer.concat([createHash('sha256').update(challenge).digest(), request]);
    },
  };
  return attester;
}

/** A certificate for a request, and its authority's: what the Proxy Attestation Server gives. */
export function certify(csr: Buffer, by: Authority = authority, more: Partial<Parameters<typeof issue>[1]> = {}): [Buffer, Buffer] {
  return [issue(by, { request: csr, san: ['ComputeEnclave.dev'], runtimeHash: RUNTIME_HASH, ...more }), by.certificateDer];
}

/** The Server's end of a link, word by word. */
export class Leader {
  readonly channel: Channel<Sent<'request'>, Response>;
  readonly #dialect: LinkOptions['dialect'];
  readonly #answers: AsyncIterator<Response>;

  private constructor(channel: Channel<Sent<'request'>, Response>, dialect: LinkOptions['dialect']) {
    this.channel = channel;
    this.#dialect = dialect;
    channel.on('error', () => {});
    this.#answers = channel.iterator({ destroyOnReturn: false });
  }

  static async connect(
    t: Pick<Test, 'teardown'>,
    manager: { readonly address: unknown },
    options: Partial<LinkOptions> = {},
  ): Promise<Leader> {
    const { dialect = '2207', frame = 'tcp9' } = options;
    const socket = await connectSocket({ kind: 'tcp', host: '127.0.0.1', port: portOf(manager) });
    const leader = new Leader(serverManagerStack({ dialect, frame }).over(socket), dialect);
    t.teardown(() => leader.channel.destroy());
    return leader;
  }

  send(request: Request): void {
    this.channel.write(request);
  }

  async answer(): Promise<Response> {
    return (await within('an answer of the manager', this.#answers.next())).value as Response;
  }

  call(request: Request): Promise<Response> {
    this.send(request);
    return this.answer();
  }

  /** `Success`, `Fail`, `Unimplemented`, or the kind of the answer. */
  async outcome(request: Request): Promise<string> {
    return outcomeOf(await this.call(request));
  }

  async attest(challenge: Buffer = randomBytes(32)): Promise<{ token: Buffer; csr: Buffer }> {
    const deviceId = this.#dialect === 'head' ? '00112233-4455-6677-8899-aabbccddeeff' : 7;
    const answer = await this.call({ kind: 'Attestation', challenge: [challenge], deviceId });
    if (answer.kind !== 'AttestationData') throw new Error(`no AttestationData: ${outcomeOf(answer)}`);
    const token = joined(answer.token);
    return { token, csr: answer.csr === undefined ? token.subarray(32) : joined(answer.csr) };
  }

  initialize(policy: string, chain: readonly Buffer[]): Promise<string> {
    return this.outcome({ kind: 'Initialize', policy, chain: chain.map((item) => [item]) });
  }

  /** All of it. */
  async lead(policy: string = POLICY): Promise<string> {
    const chain = certify((await this.attest()).csr);
    return this.initialize(policy, this.#dialect === 'head' ? [Buffer.concat(chain)] : chain);
  }
}

export function outcomeOf(answer: Response): string {
  return answer.kind === 'Status' ? answer.status : answer.kind;
}
