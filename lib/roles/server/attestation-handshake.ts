import { clock } from '../../core/clock.js';
import { AbortedError, asVeracruzError, LinkError, RequestFailedError, type VeracruzError } from '../../core/errors.js';
import { joined, type Request, type Response, type ResponseKind } from '../../layers/bincode/index.js';
import type { Log } from '../options.js';
import { AttestationClient, type Evidence, type IssuedChain } from './attestation-client.js';
import { type ManagerLink, nameOf } from './manager-link.js';

const LAYER = 'attestation';

export interface AttestationHandshakeOptions {
  /** The policy's exact text, which is sent to the manager unchanged. */
  readonly policy: string;
  /** Base URL of the Proxy Attestation Server. */
  readonly url: string;
  /** Most milliseconds for each step. */
  readonly timeoutMs: number;
  readonly log: Log;
}

/**
 * Attests the manager at the other end of a link, before the link carries its first session (wire spec §D):
 *
 *     Server                                   Proxy Attestation Server
 *       Start(protocol, firmware version)  ──▶
 *                                          ◀──  challenge, device id
 *                                              Runtime Manager
 *       Attestation(challenge, device id)  ──▶
 *                                          ◀──  evidence, CSR
 *                                              Proxy Attestation Server
 *       evidence, CSR, device id           ──▶
 *                                          ◀──  certificates: the enclave's, the root
 *                                              Runtime Manager
 *       Initialize(policy, certificates)   ──▶
 *                                          ◀──  Success
 *
 * The attestation server gives each handshake a new device id. The protocol is `nitro` for dialect 2207-nitro, else `psa`.
 */
export class AttestationHandshake {
  readonly #policy: string;
  readonly #service: AttestationClient;
  readonly #timeoutMs: number;
  readonly #log: Log;

  constructor({ policy, url, timeoutMs, log }: AttestationHandshakeOptions) {
    this.#policy = policy;
    this.#service = new AttestationClient(url, timeoutMs);
    this.#timeoutMs = timeoutMs;
    this.#log = log;
  }

  /**
   * Carries out all steps with the manager at the other end of `link` and returns its device id. The caller owns the link
   * and destroys it when this fails.
   *
   * @param manager the manager's name in log lines
   * @param signal aborts the handshake; its reason is a LinkError when the link has ended
   * @throws RequestFailedError when the manager refuses a step; LinkError when it gives an unexpected answer, answers too
   * late, or is gone; AbortedError; and the errors of `AttestationClient`
   */
  async lead(link: ManagerLink, manager: string, signal: AbortSignal): Promise<number> {
    const steps = new Steps(manager, this.#log);
    const abort = () => link.destroy();
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      return await this.#lead(link, steps, signal);
    } catch (thrown) {
      const reason: unknown = signal.aborted ? signal.reason : thrown;
      if (signal.aborted && !(reason instanceof LinkError)) {
        throw new AbortedError('the attestation was aborted', { layer: LAYER, cause: reason });
      }
      const error = asVeracruzError(reason, { layer: LAYER });
      steps.failed(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #lead(link: ManagerLink, steps: Steps, signal: AbortSignal): Promise<number> {
    const protocol = link.dialect === '2207-nitro' ? 'nitro' : 'psa';
    steps.begin('Start');
    // The firmware versions that the original's Servers send (wire spec §F).
    const { challenge, deviceId } = await this.#service.start(protocol, link.frame === 'icecap4' ? '0.3.0' : '0.0', signal);
    steps.done(deviceId);

    steps.begin('Attestation');
    const asked = link.dialect === 'head' ? uuidOf(deviceId) : deviceId;
    const evidence = await this.#evidence(link, { kind: 'Attestation', challenge: [challenge], deviceId: asked });
    steps.done(deviceId, { tokenBytes: evidence.token.length, csrBytes: evidence.csr?.length });

    steps.begin('AttestationToken');
    const { enclave, root } = await this.#service.certify(protocol, deviceId, evidence, signal);
    steps.done(deviceId, { certificateBytes: enclave.length, rootBytes: root.length });

    steps.begin('Initialize');
    await this.#initialize(link, { enclave, root });
    steps.done(deviceId);
    return deviceId;
  }

  async #evidence(link: ManagerLink, request: Request): Promise<Evidence> {
    const { token, csr } = await this.#ask(link, request, 'AttestationData');
    return { token: joined(token), csr: csr === undefined ? undefined : joined(csr) };
  }

  async #initialize(link: ManagerLink, { enclave, root }: IssuedChain): Promise<void> {
    // The head dialect takes the certificate chain as one piece: leaf, then root.
    const chain = link.dialect === 'head' ? [[enclave, root]] : [[enclave], [root]];
    const answer = await this.#ask(link, { kind: 'Initialize', policy: this.#policy, chain }, 'Status');
    if (answer.status !== 'Success') throw refused('Initialize', 'Success', answer);
  }

  async #ask<K extends ResponseKind>(link: ManagerLink, request: Request, expected: K): Promise<Extract<Response, { kind: K }>> {
    const limit = this.#timeoutMs;
    const late = () =>
      link.destroy(new LinkError(`the Runtime Manager did not answer ${request.kind} in ${limit} ms`, { layer: LAYER, limit }));
    const deadline = clock.setTimeout(late, limit);
    const answer = await link.call(request).finally(() => clock.clear(deadline));
    if (answer.kind === expected) return answer as Extract<Response, { kind: K }>;
    throw refused(request.kind, expected, answer);
  }
}

/** The error for an unexpected answer. A failed status is a refusal; any other kind means that the link is out of order. */
function refused(request: string, expected: string, answer: Response): VeracruzError {
  const got = nameOf(answer);
  const figures = { layer: LAYER, expected, got };
  return answer.kind === 'Status' && answer.status !== 'Success'
    ? new RequestFailedError(`the Runtime Manager refused ${request} with ${got}`, figures)
    : new LinkError(`the Runtime Manager answered ${request} with ${got}`, figures);
}

/** A device id in the head dialect: a UUID with the number in its last twelve hex digits. */
function uuidOf(deviceId: number): string {
  return `00000000-0000-0000-0000-${(deviceId >>> 0).toString(16).padStart(12, '0')}`;
}

/** Logs each step of a handshake, with the device id and the milliseconds it took. */
class Steps {
  readonly #manager: string;
  readonly #log: Log;
  readonly #started = clock.monotonic();
  #step = '';
  #stepStarted = 0;
  #device: number | undefined;

  constructor(manager: string, log: Log) {
    this.#manager = manager;
    this.#log = log;
  }

  begin(step: string): void {
    this.#step = step;
    this.#stepStarted = clock.monotonic();
  }

  done(device: number, figures: Readonly<Record<string, number | undefined>> = {}): void {
    this.#device = device;
    const milliseconds = since(this.#stepStarted);
    this.#log('info', 'attestation step', { manager: this.#manager, device, step: this.#step, milliseconds, ...figures });
  }

  failed({ code, message }: VeracruzError): void {
    const figures = { manager: this.#manager, device: this.#device, step: this.#step, milliseconds: since(this.#started) };
    this.#log('warn', 'attestation failed', { ...figures, code, reason: message });
  }
}

function since(time: number): number {
  return Math.round(clock.monotonic() - time);
}
