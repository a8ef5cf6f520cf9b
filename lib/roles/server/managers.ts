import type { Duplex } from 'node:stream';
import { clock } from '../../core/clock.js';
import { InvalidOptionError, LinkError } from '../../core/errors.js';
import type { Log } from '../options.js';
import { isAbsence, type Lack, nearest, TEXTS } from './absence.js';
import type { AttestationHandshake } from './attestation-handshake.js';
import { ManagerLink } from './manager-link.js';
import { Renewal } from './renewal.js';
import { type CompleteManagerOptions, Upstream } from './upstream.js';

const LAYER = 'server';

/** Milliseconds that the start waits for the other upstreams once the first one is open. */
const PATIENCE_MS = 1000;
/** Milliseconds that a manager has to answer `ResetEnclave`. After that its upstream is closed without an answer. */
const RESET_MS = 2000;

export interface ManagersOptions {
  readonly log: Log;
  /** As `ManagerLinkOptions`. */
  readonly maxSilenceMs: number;
  /** Attests each manager before it is used. Undefined when the managers need no attestation. */
  readonly attestationHandshake: AttestationHandshake | undefined;
  /** Whether the certificates that the handshake brings are renewed before they expire. */
  readonly renewCertificates: boolean;
  /** Called when a link in service is gone, whether or not it will be restored. */
  readonly onLost: (member: Member, error: LinkError | undefined) => void;
  /** Called when every upstream is closed and no link is left. */
  readonly onAllGone: () => void;
}

/** A link in service, with the number of sessions that it carries. */
export interface Member {
  readonly upstream: string;
  readonly link: ManagerLink;
  /** The attestation server's number for the manager; undefined where it is not attested. */
  deviceId: number | undefined;
  sessions: number;
  /** The link takes no new sessions. */
  draining: boolean;
  /** A principal has shut the manager down, so the end of its link is no fault. */
  retired: boolean;
}

/** The state of an upstream, for a status report. */
export interface ManagerStatus {
  readonly address: string;
  /** The link stands and the manager has passed the attestation handshake, if there is one. */
  readonly up: boolean;
  /** The attestation server's number for the manager; undefined where it is not attested. */
  readonly deviceId: number | undefined;
  readonly draining: boolean;
  readonly sessions: number;
  /** Number of unanswered requests. */
  readonly pending: number;
}

/**
 * The Runtime Managers of a Server. Each upstream (the address of a manager, or an address where managers connect) has its
 * own links. A new session goes to the link with the fewest sessions. A lost link ends only its own sessions, and it is
 * restored with backoff. Where there is an attestation handshake, a link comes into service when its manager has passed.
 */
export class Managers {
  readonly #upstreams: Upstream[];
  readonly #members = new Set<Member>();
  readonly #options: ManagersOptions;

  constructor(managers: readonly CompleteManagerOptions[], options: ManagersOptions) {
    if (managers.length === 0) throw new InvalidOptionError('a Server needs at least one Runtime Manager', { layer: LAYER, got: 0 });
    this.#options = options;
    this.#upstreams = managers.map(
      (manager) => new Upstream(manager, options.log, (pipe, upstream, signal) => this.#join(pipe, upstream, signal)),
    );
  }

  /** Begins to listen where managers connect. @throws TransportError */
  async listen(): Promise<void> {
    for (const upstream of this.#upstreams) await upstream.listen();
  }

  /**
   * Opens all upstreams in parallel and puts their managers into service. Settles when all are open, or one second after the
   * first is. The Server keeps trying the others for as long as it runs.
   *
   * @param waitMs milliseconds that it waits for what is not there; 0 for ever
   * @throws when none can be opened: the error of the first that refuses, else of the first
   */
  async open(waitMs: number, signal?: AbortSignal): Promise<void> {
    const attempts = this.#upstreams.map((upstream) => upstream.open(signal, waitMs));
    const all = Promise.allSettled(attempts);
    if (attempts.length > 1) this.#tellOfFailures(attempts);
    try {
      await Promise.any(attempts);
    } catch (error) {
      await this.close();
      const { errors } = error as AggregateError;
      throw errors.find((each) => !isAbsence(each)) ?? errors[0];
    }
    await Promise.race([all, clock.sleep(PATIENCE_MS, { ref: false })]);
    this.#upstreams.forEach((upstream, i) => void attempts[i]?.catch(() => upstream.restore()));
  }

  /** One of several may refuse while others are waited for, or serve. */
  #tellOfFailures(attempts: readonly Promise<void>[]): void {
    attempts.forEach((attempt, i) => {
      attempt.catch(({ message: reason }: Error) => {
        this.#options.log('warn', 'manager not in service', { manager: (this.#upstreams[i] as Upstream).name, reason });
      });
    });
  }

  /** The link with the fewest sessions. @throws LinkError when no link takes new sessions */
  place(): Member {
    let best: Member | undefined;
    for (const member of this.#members) {
      if (!member.draining && (best === undefined || member.sessions < best.sessions)) best = member;
    }
    if (best === undefined)
      throw new LinkError(TEXTS[nearest(this.#upstreams.map((upstream) => this.#lackOf(upstream)))], { layer: LAYER });
    return best;
  }

  #lackOf(upstream: Upstream): Lack {
    const leaving = upstream.closed || this.#membersOf(upstream).length > 0;
    return leaving ? 'leaving' : upstream.missing;
  }

  #membersOf(upstream: Upstream): Member[] {
    return [...this.#members].filter((member) => member.upstream === upstream.name);
  }

  status(): ManagerStatus[] {
    return this.#upstreams.flatMap((upstream): ManagerStatus[] => {
      const members = this.#membersOf(upstream);
      const address = upstream.name;
      if (members.length === 0) return [{ address, up: false, deviceId: undefined, draining: upstream.closed, sessions: 0, pending: 0 }];
      return members.map(({ link, deviceId, sessions, draining }) => {
        return { address, up: true, deviceId, draining, sessions, pending: link.pending };
      });
    });
  }

  /** Gives the manager at `address` no new sessions, waits until its sessions have ended, and closes the upstream. */
  async drain(address: string): Promise<void> {
    const upstream = this.#find(address);
    this.#retireAll(upstream);
    // Closed first, so that no further manager connects here. One may have connected meanwhile: it is retired below.
    await upstream.close();
    const members = this.#retireAll(upstream);
    while (members.some((member) => member.sessions > 0 && this.#members.has(member))) await clock.sleep(20);
    await this.#tearDown(upstream);
  }

  /** Tells the manager at `address` to reset its enclave. Closes the upstream after the answer, or 2 s; its sessions end. */
  async reset(address: string): Promise<void> {
    const upstream = this.#find(address);
    const told = this.#retireAll(upstream)
      .filter(({ link }) => link.dialect !== 'head')
      .map(({ link }) => link.call({ kind: 'ResetEnclave' }));
    await Promise.race([Promise.allSettled(told), clock.sleep(RESET_MS, { ref: false })]);
    await this.#tearDown(upstream);
  }

  /** Called when the manager behind `member` has shut down. Closes its upstream for good, if only this manager uses it. */
  retire(member: Member): void {
    member.draining = true;
    member.retired = true;
    const upstream = this.#upstreams.find(({ name }) => name === member.upstream);
    // Where managers connect to the Server, several may share the upstream, so it stays open for the others.
    if (upstream !== undefined && !upstream.listens) upstream.closed = true;
    member.link.end();
  }

  async close(): Promise<void> {
    await Promise.all(this.#upstreams.map((upstream) => upstream.close()));
    for (const { link } of this.#members) link.destroy();
  }

  #find(address: string): Upstream {
    const upstream = this.#upstreams.find(({ name }) => name === address);
    if (upstream === undefined) throw new InvalidOptionError(`no Runtime Manager at ${address}`, { layer: LAYER, got: address });
    return upstream;
  }

  /** Marks all links of an upstream: they take no new sessions. */
  #retireAll(upstream: Upstream): Member[] {
    const members = this.#membersOf(upstream);
    for (const member of members) member.draining = true;
    return members;
  }

  async #tearDown(upstream: Upstream): Promise<void> {
    await upstream.close();
    for (const { link } of this.#membersOf(upstream)) link.destroy();
    this.#tellWhenAllGone();
  }

  #tellWhenAllGone(): void {
    if (this.#members.size === 0 && this.#upstreams.every(({ closed }) => closed)) this.#options.onAllGone();
  }

  async #join(pipe: Duplex, upstream: Upstream, signal: AbortSignal): Promise<void> {
    const { maxSilenceMs, attestationHandshake, renewCertificates, log } = this.#options;
    const gone = new AbortController();
    const link = new ManagerLink(
      pipe,
      { dialect: upstream.dialect, frame: upstream.frame, askAhead: upstream.askAhead, maxSilenceMs },
      (error) => {
        gone.abort(error);
        // A link that never came into service is not reported as lost.
        if (!this.#members.delete(member)) return;
        this.#options.onLost(member, error);
        upstream.lost();
        this.#tellWhenAllGone();
      },
    );
    const member: Member = { upstream: upstream.name, link, deviceId: undefined, sessions: 0, draining: false, retired: false };
    const leading = { manager: upstream.name, signal: AbortSignal.any([signal, gone.signal]) };
    try {
      const attested = await attestationHandshake?.lead(link, { ...leading, onStep: (asked) => upstream.asks(asked) });
      gone.signal.throwIfAborted();
      member.deviceId = attested?.deviceId;
      if (attestationHandshake !== undefined && renewCertificates) {
        const renew = async () => {
          const renewed = await attestationHandshake.lead(link, { ...leading, renewal: true });
          member.deviceId = renewed.deviceId;
          return renewed;
        };
        new Renewal(attested?.period, { ...leading, log, renew });
      }
    } catch (error) {
      link.destroy();
      throw error;
    }
    this.#members.add(member);
  }
}
