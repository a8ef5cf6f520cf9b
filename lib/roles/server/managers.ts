import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidOptionError, LinkError } from '../../core/errors.js';
import type { Dialect } from '../../layers/bincode/index.js';
import type { FrameKind } from '../../layers/frame/index.js';
import { type Address, type ConnectAddress, parseAddress } from '../../transports/address.js';
import { openPipe } from '../../transports/pipe.js';
import { type Listener, listenSocket, type RetryOptions } from '../../transports/socket.js';
import type { Log } from '../options.js';
import { ManagerLink } from './manager-link.js';

const LAYER = 'server';
/** Milliseconds between two tries to restore a lost link: doubled from the first to the last. */
const RECONNECT_FIRST_MS = 100;
const RECONNECT_LAST_MS = 5000;

/** Milliseconds that the first open road waits for the others at the start. */
const PATIENCE_MS = 1000;

/** A Runtime Manager and how it is spoken to. */
export interface ManagerOptions {
  /**
   * Where it is: `tcp://host:port` or `unix:///path` to connect to it, `tcp-listen://host:port` or `unix-listen:///path`
   * to let it (or several) connect to us.
   */
  readonly address: string;
  /** What it speaks. Default: the Server's. */
  readonly dialect?: Dialect;
  /** How its messages are framed: `tcp9` on Linux and Nitro, `icecap4` on IceCap. Default: the Server's. */
  readonly frame?: FrameKind;
  /** How often the connection is tried at the Server's start. Default once. */
  readonly retry?: RetryOptions;
  /** Waits for the hello of a console's guest before it says a word. Default false: an original one sends none. */
  readonly hello?: boolean;
}

/** What a road needs. */
export type CompleteManagerOptions = Required<Omit<ManagerOptions, 'retry' | 'hello'>> & Pick<ManagerOptions, 'retry' | 'hello'>;

/** A link that is up, and the sessions that it carries. */
export interface Member {
  readonly road: string;
  readonly link: ManagerLink;
  sessions: number;
  /** Takes no new sessions. */
  draining: boolean;
}

/** What a road is worth, for a status report. */
export interface ManagerStatus {
  readonly address: string;
  readonly up: boolean;
  readonly draining: boolean;
  readonly sessions: number;
  /** Requests that await their answer. */
  readonly pending: number;
}

/**
 * The Runtime Managers of a Server, each at the end of a road of its own. New sessions go where the fewest are; a link
 * that is lost takes its own sessions with it and is restored with backoff, the others never notice.
 */
export class Managers {
  readonly #roads: Road[];
  readonly #members = new Set<Member>();
  readonly #onLost: (member: Member, error: LinkError | undefined) => void;
  readonly #onAllGone: () => void;

  constructor(
    managers: readonly CompleteManagerOptions[],
    options: {
      readonly log: Log;
      readonly maxSilenceMs: number;
      /** A link is gone, for good or to be restored. */
      readonly onLost: (member: Member, error: LinkError | undefined) => void;
      /** Every manager was torn down: there will be no link any more. */
      readonly onAllGone: () => void;
    },
  ) {
    if (managers.length === 0) throw new InvalidOptionError('a Server needs at least one Runtime Manager', { layer: LAYER, got: 0 });
    this.#onLost = options.onLost;
    this.#onAllGone = options.onAllGone;
    this.#roads = managers.map((manager) => new Road(manager, options, (pipe, road) => this.#join(pipe, road, options.maxSilenceMs)));
  }

  /**
   * Opens every road; settles when all are open, or a second after the first one is. What is not open then is tried for
   * as long as the Server runs.
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
      if (members.length === 0) return [{ address: road.name, up: false, draining: road.closed, sessions: 0, pending: 0 }];
      return members.map(({ link, sessions, draining }) => ({ address: road.name, up: true, draining, sessions, pending: link.pending }));
    });
  }

  /** Takes no new sessions for the manager at `address`, waits for those it has, and closes the road. */
  async drain(address: string): Promise<void> {
    const road = this.#find(address);
    const members = [...this.#members].filter((member) => member.road === road.name);
    for (const member of members) member.draining = true;
    while (members.some((member) => member.sessions > 0 && this.#members.has(member))) await sleep(20);
    await this.#tearDown(road);
  }

  /** Tells the manager at `address` to reset its enclave, then closes the road; its sessions end. */
  async reset(address: string): Promise<void> {
    const road = this.#find(address);
    const members = [...this.#members].filter((member) => member.road === road.name);
    for (const { link } of members) {
      if (link.dialect !== 'head') await link.call({ kind: 'ResetEnclave' }).catch(() => {});
    }
    await this.#tearDown(road);
  }

  /** The manager behind `member` has shut down: its road is closed for good. */
  retire(member: Member): void {
    member.draining = true;
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

  async #tearDown(road: Road): Promise<void> {
    await road.close();
    for (const member of this.#members) if (member.road === road.name) member.link.destroy();
  }

  #join(pipe: Duplex, road: Road, maxSilenceMs: number): void {
    const link = new ManagerLink(pipe, { dialect: road.dialect, frame: road.frame, maxSilenceMs }, (error) => {
      this.#members.delete(member);
      this.#onLost(member, error);
      road.lost();
      if (this.#members.size === 0 && this.#roads.every(({ closed }) => closed)) this.#onAllGone();
    });
    const member: Member = { road: road.name, link, sessions: 0, draining: false };
    this.#members.add(member);
  }
}

/** The way to one Runtime Manager (or, where it listens, to all that come): makes the pipes that links run over. */
class Road {
  readonly name: string;
  readonly dialect: Dialect;
  readonly frame: FrameKind;
  /** No further pipe is made. */
  closed = false;
  readonly #address: Address;
  readonly #retry: RetryOptions | undefined;
  readonly #hello: boolean | undefined;
  readonly #log: Log;
  readonly #onPipe: (pipe: Duplex, road: Road) => void;
  readonly #stop = new AbortController();
  #listener: Listener | undefined;
  /** A pipe exists, or one is being made. */
  #busy = false;

  constructor(manager: CompleteManagerOptions, { log }: { readonly log: Log }, onPipe: (pipe: Duplex, road: Road) => void) {
    this.#address = parseAddress(manager.address);
    if (this.#address.kind === 'serial') {
      throw new InvalidOptionError(`a Server does not sit behind a console: ${manager.address}`, { layer: LAYER, got: manager.address });
    }
    this.name = manager.address;
    this.dialect = manager.dialect;
    this.frame = manager.frame;
    this.#retry = manager.retry;
    this.#hello = manager.hello;
    this.#log = log;
    this.#onPipe = onPipe;
  }

  /** Managers connect to us here. */
  get listens(): boolean {
    return this.#address.kind === 'tcp-listen' || this.#address.kind === 'unix-listen';
  }

  /** Makes the first pipe, or begins to listen. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    if (this.listens) {
      this.#listener = await listenSocket(this.#address, (socket) => this.#onPipe(socket, this));
      return;
    }
    this.#busy = true;
    try {
      this.#onPipe(await this.#connect(anyOf(this.#stop.signal, signal), this.#retry), this);
    } catch (error) {
      this.#busy = false;
      throw error;
    }
  }

  #connect(signal: AbortSignal, retry?: RetryOptions): Promise<Duplex> {
    return openPipe(this.#address as ConnectAddress, { signal, retry, hello: this.#hello });
  }

  /** The pipe is gone. */
  lost(): void {
    this.#busy = false;
    this.restore();
  }

  /** Makes a pipe, with backoff, until there is one; does nothing where one exists or is being made. */
  restore(): void {
    if (this.listens || this.closed || this.#busy) return;
    this.#busy = true;
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#stop;
    for (let delayMs = RECONNECT_FIRST_MS; ; delayMs = Math.min(delayMs * 2, RECONNECT_LAST_MS)) {
      try {
        await sleep(delayMs, undefined, { signal });
        const pipe = await this.#connect(signal);
        this.#log('info', 'link restored', { manager: this.name });
        this.#onPipe(pipe, this);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#log('debug', 'link not restored', { manager: this.name, reason: (error as Error).message });
      }
    }
  }

  close(): Promise<void> {
    this.closed = true;
    this.#stop.abort();
    return this.#listener?.close() ?? Promise.resolve();
  }
}

function anyOf(own: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other === undefined ? own : AbortSignal.any([own, other]);
}
