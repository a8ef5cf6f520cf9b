import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidOptionError, LinkError } from '../../core/errors.js';
import type { Log } from '../options.js';
import type { Choreography } from './choreography.js';
import { ManagerLink } from './manager-link.js';
import { type CompleteManagerOptions, Road } from './road.js';

const LAYER = 'server';

/** Milliseconds that the first open road waits for the others at the start. */
const PATIENCE_MS = 1000;
/** Milliseconds that a manager has to answer `ResetEnclave` before its road is closed all the same. */
const RESET_MS = 2000;

export interface ManagersOptions {
  readonly log: Log;
  /** As `ManagerLinkOptions`. */
  readonly maxSilenceMs: number;
  /** What a manager is led through before it is used. Undefined: managers that are ready as they are. */
  readonly choreography: Choreography | undefined;
  /** A link in service is gone, for good or to be restored. */
  readonly onLost: (member: Member, error: LinkError | undefined) => void;
  /** Every manager was torn down: there will be no link any more. */
  readonly onAllGone: () => void;
}

/** A link in service, and the sessions that it carries. */
export interface Member {
  readonly road: string;
  readonly link: ManagerLink;
  /** Of its attestation. */
  deviceId: number | undefined;
  sessions: number;
  /** Takes no new sessions. */
  draining: boolean;
  /** A principal has shut it down, and it has said so: that its link ends is no fault. */
  retired: boolean;
}

/** What a road is worth, for a status report. */
export interface ManagerStatus {
  readonly address: string;
  /** Its link is there and, where there is a choreography, it has been led through it. */
  readonly up: boolean;
  /** The attestation server's number for it; undefined where it is not attested. */
  readonly deviceId: number | undefined;
  readonly draining: boolean;
  readonly sessions: number;
  /** Requests that await their answer. */
  readonly pending: number;
}

/**
 * The Runtime Managers of a Server, each at the end of a road of its own. New sessions go where the fewest are; a link
 * that is lost takes its own sessions with it and is restored with backoff, the others never notice. Where there is a
 * choreography, a link is not in service before the manager is through it; one that fails it counts as lost.
 */
export class Managers {
  readonly #roads: Road[];
  readonly #members = new Set<Member>();
  readonly #options: ManagersOptions;

  constructor(managers: readonly CompleteManagerOptions[], options: ManagersOptions) {
    if (managers.length === 0) throw new InvalidOptionError('a Server needs at least one Runtime Manager', { layer: LAYER, got: 0 });
    this.#options = options;
    this.#roads = managers.map((manager) => new Road(manager, options.log, (pipe, road, signal) => this.#join(pipe, road, signal)));
  }

  /**
   * Opens every road, in parallel, and puts their managers into service; settles when all are, or a second after the first
   * one is. What is not open then is tried for as long as the Server runs.
   *
   * @throws the first road's error when no road leads anywhere
   */
  async open(signal?: AbortSignal): Promise<void> {
    const attempts = this.#roads.map((road) => road.open(signal));
    const all = Promise.allSettled(attempts);
    try {
      await Promise.any(attempts);
    } catch (error) {
      await this.close();
      throw (error as AggregateError).errors[0];
    }
    await Promise.race([all, sleep(PATIENCE_MS, undefined, { ref: false })]);
    this.#roads.forEach((road, i) => void attempts[i]?.catch(() => road.restore()));
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
    return this.#roads.flatMap((road): ManagerStatus[] => {
      const members = [...this.#members].filter((member) => member.road === road.name);
      const address = road.name;
      if (members.length === 0) return [{ address, up: false, deviceId: undefined, draining: road.closed, sessions: 0, pending: 0 }];
      return members.map(({ link, deviceId, sessions, draining }) => {
        return { address, up: true, deviceId, draining, sessions, pending: link.pending };
      });
    });
  }

  /** Takes no new sessions for the manager at `address`, waits for those it has, and closes the road. */
  async drain(address: string): Promise<void> {
    const road = this.#find(address);
    this.#retireAll(road);
    // A manager that comes by itself now would be cut off with the sessions that it took; one may just have come.
    await road.close();
    const members = this.#retireAll(road);
    while (members.some((member) => member.sessions > 0 && this.#members.has(member))) await sleep(20);
    await this.#tearDown(road);
  }

  /** Tells the manager at `address` to reset its enclave, then, 2 s later at the latest, closes the road; its sessions end. */
  async reset(address: string): Promise<void> {
    const road = this.#find(address);
    const told = this.#retireAll(road)
      .filter(({ link }) => link.dialect !== 'head')
      .map(({ link }) => link.call({ kind: 'ResetEnclave' }));
    await Promise.race([Promise.allSettled(told), sleep(RESET_MS, undefined, { ref: false })]);
    await this.#tearDown(road);
  }

  /** The manager behind `member` has shut down: its road is closed for good. */
  retire(member: Member): void {
    member.draining = true;
    member.retired = true;
    const road = this.#roads.find(({ name }) => name === member.road);
    // One of several that connected to us says nothing about the others.
    if (road !== undefined && !road.listens) road.closed = true;
    member.link.end();
  }

  async close(): Promise<void> {
    await Promise.all(this.#roads.map((road) => road.close()));
    for (const { link } of this.#members) link.destroy();
  }

  #find(address: string): Road {
    const road = this.#roads.find(({ name }) => name === address);
    if (road === undefined) throw new InvalidOptionError(`no Runtime Manager at ${address}`, { layer: LAYER, got: address });
    return road;
  }

  /** Its links take no new sessions. */
  #retireAll(road: Road): Member[] {
    const members = [...this.#members].filter((member) => member.road === road.name);
    for (const member of members) member.draining = true;
    return members;
  }

  async #tearDown(road: Road): Promise<void> {
    await road.close();
    for (const member of this.#members) if (member.road === road.name) member.link.destroy();
    this.#tellWhenAllGone();
  }

  #tellWhenAllGone(): void {
    if (this.#members.size === 0 && this.#roads.every(({ closed }) => closed)) this.#options.onAllGone();
  }

  async #join(pipe: Duplex, road: Road, signal: AbortSignal): Promise<void> {
    const { maxSilenceMs, choreography } = this.#options;
    const gone = new AbortController();
    const link = new ManagerLink(pipe, { dialect: road.dialect, frame: road.frame, askAhead: road.askAhead, maxSilenceMs }, (error) => {
      gone.abort(error);
      // One that never came into service is nobody's loss.
      if (!this.#members.delete(member)) return;
      this.#options.onLost(member, error);
      road.lost();
      this.#tellWhenAllGone();
    });
    const member: Member = { road: road.name, link, deviceId: undefined, sessions: 0, draining: false, retired: false };
    try {
      member.deviceId = await choreography?.lead(link, road.name, AbortSignal.any([signal, gone.signal]));
      gone.signal.throwIfAborted();
    } catch (error) {
      link.destroy();
      throw error;
    }
    this.#members.add(member);
  }
}
