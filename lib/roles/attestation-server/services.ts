import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DeviceRegistry, tameText } from '../../attestation/registry/index.js';
import { asVeracruzError, ProtobufError, VeracruzError } from '../../core/errors.js';
import { encodeBase64 } from '../../layers/base64/index.js';
import type { Channel } from '../../pipeline/channel.js';
import { tooLong } from '../../transports/http-faults.js';
import { plain } from '../http-answers.js';
import { attestationServerStack } from '../stacks.js';
import { type Appraised, Appraiser } from './appraiser.js';
import { Challenges } from './challenges.js';
import { type Answer, type Arm, type Asked, type Fields, onlyMessage } from './messages.js';
import type { Completed } from './options.js';
import { answerOk, PostBody } from './post-body.js';
import { isOurs, Refusal, refusalOf } from './refusal.js';

const LAYER = 'attestation-server';
/** The only text that is sent when evidence does not pass. */
const FAILED = 'attestation failed';

/** The answer: a message, or bytes that are sent as base64 without being a message. */
type Outcome = Answer | Buffer;

/** The handler of each message. A new message of the schema does not compile until it has an entry here. */
type Serving = { readonly [A in Arm]: (fields: Fields<A>, from: string) => Promise<Outcome> };

/** The paths that take each message (wire spec §F). */
const PATHS: Readonly<Record<Arm, readonly string[]>> = {
  start_msg: ['/Start'],
  native_psa_attestation_token: ['/PSA/AttestationToken', '/PSA'],
  nitro_attestation_doc: ['/Nitro/AttestationToken', '/Nitro'],
  proxy_psa_attestation_token: ['/VerifyPAT'],
};
const TAKEN_AT: ReadonlyMap<string, Arm> = new Map(
  Object.entries(PATHS).flatMap(([arm, paths]) => paths.map((path) => [path, arm as Arm] as const)),
);

/** Serves the POSTs of an attestation server. Each has one message, and one answer. */
export class Services {
  readonly #options: Completed;
  readonly #registry: DeviceRegistry;
  readonly #challenges: Challenges;
  readonly #serving: Serving;

  constructor(registry: DeviceRegistry, options: Completed) {
    this.#options = options;
    this.#registry = registry;
    this.#challenges = new Challenges(options.maxChallenges, options.challengeLifetimeMs, options.clock);
    const appraiser = new Appraiser(registry, this.#challenges, options);
    this.#serving = {
      start_msg: (fields) => this.#start(fields),
      native_psa_attestation_token: ({ token, device_id, csr }, from) =>
        this.#attest(device_id, from, () => appraiser.psa(device_id, token, csr)),
      nitro_attestation_doc: ({ doc, device_id }, from) => this.#attest(device_id, from, () => appraiser.nitro(device_id, doc)),
      proxy_psa_attestation_token: ({ token, pubkey, device_id }, from) =>
        this.#judge(device_id, from, () => appraiser.proxy(device_id, token, pubkey)),
    };
  }

  /** Number of challenges that are kept, including expired ones. */
  get challenges(): number {
    return this.#challenges.size;
  }

  has(path: string): boolean {
    return TAKEN_AT.has(path);
  }

  /** Answers a POST. Never rejects. Calls `proceed` before it reads the body. */
  async serve(path: string, request: IncomingMessage, response: ServerResponse, proceed: () => void): Promise<void> {
    const takes = TAKEN_AT.get(path) as Arm;
    // The cast is safe: the kind of the message is checked below, before `serve` is called.
    const serve = this.#serving[takes] as (fields: Fields<Arm>, from: string) => Promise<Outcome>;
    const from = request.socket.remoteAddress ?? '';
    let channel: Channel<Answer, Asked> | undefined;
    try {
      const { maxBodyBytes } = this.#options;
      const announced = Number(request.headers['content-length'] ?? 0);
      if (announced > maxBodyBytes) throw tooLong('a body', announced, maxBodyBytes);
      proceed();
      channel = attestationServerStack().over(new PostBody(request, response, maxBodyBytes));
      channel.on('error', () => {});
      const message = await onlyMessage(channel);
      if (message.oneof !== takes) {
        throw new ProtobufError(`${path} takes ${takes}, got ${message.oneof ?? 'nothing'}`, {
          expected: takes,
          got: String(message.oneof),
        });
      }
      const outcome = await serve(message.fields, from);
      if (Buffer.isBuffer(outcome)) {
        channel.destroy();
        answerOk(response, encodeBase64(outcome));
      } else channel.end(outcome);
    } catch (error) {
      this.#refuse(request, response, error, path);
      channel?.destroy();
    }
  }

  async #start({ protocol, firmware_version = '' }: Fields<'start_msg'>): Promise<Answer> {
    if (protocol !== 'psa' && protocol !== 'nitro') throw new Refusal(501, 'the protocol is psa or nitro');
    const taken = async (deviceId: number) => (await this.#registry.findDevice(deviceId)) !== undefined;
    const { deviceId, nonce } = await this.#challenges.give(protocol, tameText(firmware_version), taken);
    this.#options.log('debug', 'challenge given', { device: deviceId, protocol });
    return { oneof: 'psa_attestation_init', fields: { challenge: nonce, device_id: deviceId } };
  }

  async #attest(deviceId: number, from: string, appraise: () => Promise<Appraised>): Promise<Answer> {
    const { platform, runtimeHash, root, certificate } = await this.#judge(deviceId, from, appraise);
    this.#options.log('info', 'device attested', { device: deviceId, platform, runtimeHash });
    return { oneof: 'cert_chain', fields: { root_cert: root, enclave_cert: certificate } };
  }

  /** Logs why evidence does not pass. The client gets only a 403. */
  async #judge<T>(deviceId: number, from: string, appraise: () => Promise<T>): Promise<T> {
    try {
      return await appraise();
    } catch (thrown) {
      // The registry does not answer or is full, which says nothing about the evidence.
      if (isOurs(thrown)) throw thrown;
      const { code, message, expected, got } = asVeracruzError(thrown, { layer: LAYER });
      const level = thrown instanceof VeracruzError ? 'warn' : 'error';
      this.#options.log(level, 'attestation refused', { device: deviceId, code, reason: message, expected, got, from });
      throw new Refusal(403, FAILED);
    }
  }

  #refuse(request: IncomingMessage, response: ServerResponse, thrown: unknown, path: string): void {
    const { status, message, cause } = refusalOf(thrown);
    // No cause means no log line: refused evidence was logged in more detail, and an unknown protocol is not worth one.
    if (cause instanceof VeracruzError) {
      this.#options.log(status === 503 ? 'error' : 'warn', 'request refused', { path, status, code: cause.code, reason: cause.message });
    }
    plain(request, response, status, message);
  }
}
