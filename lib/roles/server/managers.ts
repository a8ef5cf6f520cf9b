import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidOptionError, LinkError } from '../../core/errors.js';
import type { Log } from '../options.js';
import type { AttestationHandshake } from './attestation-handshake.js';
import { ManagerLink } from './manager-link.js';
import { type CompleteManagerOptions, Upstream } from './upstream.js';

const LAYER = 'server';

/** Milliseconds that the first open upstream waits for the others at the start. */
const PATIENCE_MS = 1000;
/** Milliseconds that a manager has to answer `ResetEnclave` before its upstream is closed all the same. */
const RESET_MS = 2000;

export interface ManagersOptions {
  readonly log: Log;
  /** As `ManagerLinkOptions`. */
  readonly maxSilenceMs: number;
  /** What a manager is led through before it is used. Undefined: managers that are ready as they are. */
  readonly attestationHandshake: AttestationHandshake | undefined;
  /** A link in service is gone, for good or to be restored. */
  readonly onLost: (member: Member, error: LinkError | undefined) => void;
  /** Every manager was torn down: there will be no link any more. */
  readonly onAllGone: () => void;
}

/** A link in service, and the sessions that it carries. */
export interface Member {
  readonly upstream: string;
  readonly link: ManagerLink;
  /** Of its attestation. */
  deviceId: number | undefined;
  sessions: number;
  /** Takes no new sessions. */
  draining: boolean;
  /** A principal has shut it down, and it has said so: that its link ends is no fault. */
  retired: boolean;
}

/** The state of an upstream, for a status report. */
export interface ManagerStatus {
  readonly address: string;
  /** Its link is there and, where there is an attestation handshake, it has been led through it. */
  readonly up: boolean;
  /** The attestation server's number for it; undefined where it is not attested. */
  readonly deviceId: number | undefined;
  readonly draining: boolean;
  readonly sessions: number;
  /** Requests that await their answer. */
  readonly pending: number;
}

/**
 * The Runtime Managers of a Server, each behind an upstream of its own. New sessions go where the fewest are; a link
 * that is lost takes its own sessions with it and is restored with backoff, the others never notice. Where there is an
 * attestation handshake, a link is not in service before the manager is through it; one that fails it counts as lost.
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

  /**
   * Opens every upstream, in parallel, and puts their managers into service; settles when all are, or a second after the first
   * one is. What is not open then is tried for as long as the Server runs.
   *
   * @throws the first upstream's error when no upstream can be reached
   */
  async open(signal?: AbortSignal): Promise<void> {
    const attempts = this.#upstreams.map((upstream) => upstream.open(signal));
    const all = Promise.allSettled(attempts);
    try {
      await Promise.any(attempts);
    } catch (error) {
      await this.close();
      throw (error as AggregateError).errors[0];
    }
    await Promise.race([all, sleep(PATIENCE_MS, undefined, { ref: false })]);
    this.#upstreams.forEach((upstream, i) => void attempts[i]?.catch(() => upstream.restore()));
  }

  /** The link with the fewest sessions. @throws LinkError when none is up */
  place(): Member {
    let best: Member | undefined;
    for (const member of this.#members) {
      if (!member.draining && (best === undefined || member.sessions < best.sessions)) best = member;
    }
    if (best === undefined) throw new LinkError('the Runtime Manager is not there', { layer: LAYER });
    return best;
  }

  status(): ManagerStatus[] {
    return this.#upstreams.flatMap((upstream): ManagerStatus[] => {
      const members = [...this.#members].filter((member) => member.upstream === upstream.name);
      const address = upstream.name;
      if (members.length === 0) return [{ address, up: false, deviceId: undefined, draining: upstream.closed, sessions: 0, pending: 0 }];
      return members.map(({ link, deviceId, sessions, draining }) => {
        return { address, up: true, deviceId, draining, sessions, pending: link.pending };
      });
    });
  }

  /** Takes no new sessions for the manager at `address`, waits for those it has, and closes the upstream. */
  async drain(address: string): Promise<void> {
    const upstream = this.#find(address);
    this.#retireAll(upstream);
    // A manager that comes by itself now would be cut off with the sessions that it took; one may just have come.
    await upstream.close();
    const members = this.#retireAll(upstream);
    while (members.some((member) => member.sessions > 0 && this.#members.has(member))) await sleep(20);
    await this.#tearDown(upstream);
  }

  /** Tells the manager at `address` to reset its enclave, then, 2 s later at the latest, closes the upstream; its sessions end. */
  async reset(address: string): Promise<void> {
    const upstream = this.#find(address);
    const told = this.#retireAll(upstream)
      .filter(({ link }) => link.dialect !== 'head')
      .map(({ link }) => link.call({ kind: 'ResetEnclave' }));
    await Promise.race([Promise.allSettled(told), sleep(RESET_MS, undefined, { ref: false })]);
    await this.#tearDown(upstream);
  }

  /** The manager behind `member` has shut down: its upstream is closed for good. */
  retire(member: Member): void {
    member.draining = true;
    member.retired = true;
    const upstream = this.#upstreams.find(({ name }) => name === member.upstream);
    // One of several that connected to us says nothing about the others.
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

  /** Its links take no new sessions. */
  #retireAll(upstream: Upstream): Member[] {
    const members = [...this.#members].filter((member) => member.upstream === upstream.name);
    for (const member of members) member.draining = true;
    return members;
  }

  async #tearDown(upstream: Upstream): Promise<void> {
    await upstream.close();
    for (const member of this.#members) if (member.upstream === upstream.name) member.link.destroy();
    this.#tellWhenAllGone();
  }

  #tellWhenAllGone(): void {
    if (this.#members.size === 0 && this.#upstreams.every(({ closed }) => closed)) this.#options.onAllGone();
  }

  async #join(pipe: Duplex, upstream: Upstream, signal: AbortSignal): Promise<void> {
    const { maxSilenceMs, attestationHandshake } = this.#options;
    const gone = new AbortController();
    const link = new ManagerLink(
      pipe,
      { dialect: upstream.dialect, frame: upstream.frame, askAhead: upstream.askAhead, maxSilenceMs },
      (error) => {
        gone.abort(error);
        // One that never came into service is nobody's loss.
        if (!this.#members.delete(member)) return;
        this.#options.onLost(member, error);
        upstream.lost();
        this.#tellWhenAllGone();
      },
    );
    const member: Member = { upstream: upstream.name, link, deviceId: undefined, sessions: 0, draining: false, retired: false };
    try {
      member.deviceId = await attestationHandshake?.lead(link, upstream.name, AbortSignal.any([signal, gone.signal]));
      gone.signal.throwIfAborted();
    } catch (error) {
      link.destroy();
      throw error;
    }
    this.#members.add(member);
  }
}
