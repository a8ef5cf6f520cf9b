import { checkPeriod, dateOf, type Period, periodOf } from '../../attestation/certificate-time.js';
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
  /** Milliseconds by which our clock may differ from that of the attestation server. */
  readonly maxClockSkewMs: number;
  readonly log: Log;
}

/** What a handshake has led to. */
export interface Attested {
  /** The attestation server's number for the manager. */
  readonly deviceId: number;
  /** When the manager's certificates hold. Undefined where we cannot read them, and only the manager can. */
  readonly period: Period | undefined;
}

/** Who is asked in a step: who it is that does not answer, when it fails. */
export type Asked = 'attestation server' | 'manager';

/** How a handshake is led. */
export interface Leading {
  /** The manager's name in log lines. */
  readonly manager: string;
  /** Ends the handshake. Its reason is a LinkError when the link has ended. */
  readonly signal: AbortSignal;
  /**
   * The link carries sessions, which must not end because a handshake fails: the link stays, whatever happens. Default false:
   * a handshake that is ended, or that the manager does not answer in time, destroys the link.
   */
  readonly renewal?: boolean;
  /** Hears of each step as it begins. */
  readonly onStep?: (asked: Asked) => void;
}

/**
 * Attests the manager at the other end of a link, before the link carries its first session, and anew while it carries
 * sessions, so that its certificate does not end (wire spec §D):
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
  readonly #maxClockSkewMs: number;
  readonly #log: Log;

  constructor({ policy, url, timeoutMs, maxClockSkewMs, log }: AttestationHandshakeOptions) {
    this.#policy = policy;
    this.#service = new AttestationClient(url, timeoutMs);
    this.#timeoutMs = timeoutMs;
    this.#maxClockSkewMs = maxClockSkewMs;
    this.#log = log;
  }

  /**
   * Carries out all steps with the manager at the other end of `link`. The caller owns the link.
   *
   * @throws RequestFailedError when the manager refuses a step; LinkError when it gives an unexpected answer, answers too
   * late, or is gone; CertificateError for certificates that do not hold now; AbortedError; and the errors of
   * `AttestationClient`
   */
  async lead(link: ManagerLink, leading: Leading): Promise<Attested> {
    const { signal } = leading;
    const steps = new Steps(leading, this.#log);
    const abort = leading.renewal === true ? () => {} : () => link.destroy();
    signal.addEventListener('abort', abort, { once: true });
    try {
      signal.throwIfAborted();
      return await this.#lead(link, steps, leading);
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

  async #lead(link: ManagerLink, steps: Steps, { signal, renewal = false }: Leading): Promise<Attested> {
    const keep = { renewal, signal };
    const protocol = link.dialect === '2207-nitro' ? 'nitro' : 'psa';
    steps.begin('Start', 'attestation server');
    // The firmware versions that the original's Servers send (wire spec §F).
    const { challenge, deviceId } = await this.#service.start(protocol, link.frame === 'icecap4' ? '0.3.0' : '0.0', signal);
    steps.done(deviceId);

    steps.begin('Attestation', 'manager');
    const asked = link.dialect === 'head' ? uuidOf(deviceId) : deviceId;
    const evidence = await this.#evidence(link, { kind: 'Attestation', challenge: [challenge], deviceId: asked }, keep);
    steps.done(deviceId, { tokenBytes: evidence.token.length, csrBytes: evidence.csr?.length });

    steps.begin('AttestationToken', 'attestation server');
    const { enclave, root } = await this.#service.certify(protocol, deviceId, evidence, signal);
    const period = periodIn([enclave, root]);
    if (period !== undefined) checkPeriod(period, this.#maxClockSkewMs, LAYER);
    const validTo = period && dateOf(period.to);
    steps.done(deviceId, { certificateBytes: enclave.length, rootBytes: root.length, validTo });

    steps.begin('Initialize', 'manager');
    await this.#initialize(link, { enclave, root }, keep);
    steps.done(deviceId);
    return { deviceId, period };
  }

  async #evidence(link: ManagerLink, request: Request, keep: Keep): Promise<Evidence> {
    const { token, csr } = await this.#ask(link, request, 'AttestationData', keep);
    return { token: joined(token), csr: csr === undefined ? undefined : joined(csr) };
  }

  async #initialize(link: ManagerLink, { enclave, root }: IssuedChain, keep: Keep): Promise<void> {
    // The head dialect takes the certificate chain as one piece: leaf, then root.
    const chain = link.dialect === 'head' ? [[enclave, root]] : [[enclave], [root]];
    const answer = await this.#ask(link, { kind: 'Initialize', policy: this.#policy, chain }, 'Status', keep);
    if (answer.status !== 'Success') throw refused('Initialize', 'Success', answer);
  }

  async #ask<K extends ResponseKind>(
    link: ManagerLink,
    request: Request,
    expected: K,
    { renewal, signal }: Keep,
  ): Promise<Extract<Response, { kind: K }>> {
    const limit = this.#timeoutMs;
    const late = new LinkError(`the Runtime Manager did not answer ${request.kind} in ${limit} ms`, { layer: LAYER, limit });
    const answer = await new Promise<Response>((resolve, reject) => {
      // On a link that stays, an answer that comes later is still that of its request: its place in the order says so.
      const deadline = clock.setTimeout(() => (renewal ? reject(late) : link.destroy(late)), limit);
      const aborted = () => reject(signal.reason as Error);
      if (renewal) signal.addEventListener('abort', aborted, { once: true });
      const over = () => {
        clock.clear(deadline);
        signal.removeEventListener('abort', aborted);
      };
      void link.call(request).then(resolve, reject).finally(over);
    });
    if (answer.kind === expected) return answer as Extract<Response, { kind: K }>;
    throw refused(request.kind, expected, answer);
  }
}

/** What of a `Leading` its steps need. */
type Keep = Required<Pick<Leading, 'renewal' | 'signal'>>;

/** When certificates hold; undefined where we cannot read one of them. */
function periodIn(chain: readonly Buffer[]): Period | undefined {
  try {
    return periodOf(chain);
  } catch {
    return undefined;
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
  readonly #leading: Leading;
  readonly #log: Log;
  readonly #started = clock.monotonic();
  #step = '';
  #stepStarted = 0;
  #device: number | undefined;

  constructor(leading: Leading, log: Log) {
    this.#leading = leading;
    this.#log = log;
  }

  begin(step: string, asked: Asked): void {
    this.#leading.onStep?.(asked);
    this.#step = step;
    this.#stepStarted = clock.monotonic();
  }

  done(device: number, figures: Readonly<Record<string, number | string | undefined>> = {}): void {
    this.#device = device;
    const milliseconds = since(this.#stepStarted);
    this.#log('info', 'attestation step', { manager: this.#leading.manager, device, step: this.#step, milliseconds, ...figures });
  }

  failed({ code, message }: VeracruzError): void {
    const figures = { manager: this.#leading.manager, device: this.#device, step: this.#step, milliseconds: since(this.#started) };
    this.#log('warn', 'attestation failed', { ...figures, code, reason: message });
  }
}

function since(time: number): number {
  return Math.round(clock.monotonic() - time);
}
