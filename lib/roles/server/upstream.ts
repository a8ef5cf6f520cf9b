import type { Duplex } from 'node:stream';
import { Backoff } from '../../core/backoff.js';
import { integerInRange } from '../../core/check.js';
import { clock } from '../../core/clock.js';
import { InvalidOptionError, LimitError } from '../../core/errors.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import type { FrameKind } from '../../layers/frame/index.js';
import { type Address, type AddressInput, type ConnectAddress, isConnectAddress, parseAddress } from '../../transports/address.js';
import { listenPipe, openPipe } from '../../transports/pipe.js';
import { connectingAborted } from '../../transports/retry.js';
import type { Listener, RetryOptions } from '../../transports/socket.js';
import { warnOfExposure } from '../link-privacy.js';
import { LinkTls, type LinkTlsOptions } from '../link-tls.js';
import type { Log } from '../options.js';
import { isAbsence, type Missing, TEXTS } from './absence.js';
import type { Asked } from './attestation-handshake.js';

/**
 * Milliseconds between two tries, from the first, doubled each time, up to the last. A manager that does not answer costs
 * next to nothing to try, and is back in service within half a second after it is back. One that was refused is not.
 */
const ABSENT_MANAGER = { firstMs: 100, lastMs: 500, jitter: 0.5 };
const ABSENT_ATTESTATION = { firstMs: 250, lastMs: 2000, jitter: 0.5 };
const REFUSED = { firstMs: 500, lastMs: 5000, jitter: 0.3 };
/** Default of `maxLinks`. */
const MAX_LINKS = 64;
/** Milliseconds that a connection has to become a link in service before it may have to make room for another. */
const JOIN_MS = 10_000;

/** Address and protocol of a Runtime Manager. */
export interface ManagerOptions {
  /**
   * The Server connects to the manager at `tcp://host:port` or `unix:///path`. At `tcp-listen://host:port` or
   * `unix-listen:///path` it listens instead, for one or more managers that connect.
   */
  readonly address: AddressInput;
  /** Dialect of the manager. Default: the Server's. */
  readonly dialect?: Dialect;
  /** Framing of its messages: `tcp9` on Linux and Nitro, `icecap4` on IceCap. Default: the Server's. */
  readonly frame?: FrameKind;
  /** Tries to connect at the Server's start. Default: one. */
  readonly retry?: RetryOptions;
  /**
   * Whether to wait for the hello of a console's guest before sending anything. Default false: the original sends no hello.
   */
  readonly hello?: boolean;
  /** Whether GetTlsData may be sent before the manager has said that it has data. Default: the Server's `askAhead`. */
  readonly askAhead?: boolean;
  /** Mutual TLS around the link. Default: the Server's `linkTls`. */
  readonly linkTls?: LinkTlsOptions;
  /**
   * Connections at once where the Server listens for managers. When one more comes, the oldest that is not in service after
   * ten seconds makes room; where there is none, the new one is closed. Default 64.
   */
  readonly maxLinks?: number;
}

/** The options that have no default. */
type Optional = 'retry' | 'hello' | 'linkTls' | 'maxLinks';
/** The options of an upstream, with the Server's defaults filled in. */
export type CompleteManagerOptions = Required<Omit<ManagerOptions, Optional | 'address'>> &
  Pick<ManagerOptions, Optional> & { readonly address: string };

/**
 * Puts the manager at the other end of a pipe into service. Settles when the manager is in service, rejects when that
 * fails. The callee owns the pipe in both cases.
 */
type Join = (pipe: Duplex, upstream: Upstream, signal: AbortSignal) => Promise<void>;

/** Makes the pipes for links: to one Runtime Manager that the Server connects to, or from all that connect to the Server. */
export class Upstream {
  readonly name: string;
  readonly dialect: Dialect;
  readonly frame: FrameKind;
  readonly askAhead: boolean;
  /** Closed for good: no further pipe is made. */
  closed = false;
  readonly #address: Address;
  readonly #retry: RetryOptions | undefined;
  readonly #hello: boolean | undefined;
  readonly #linkTls: LinkTls | undefined;
  readonly #log: Log;
  readonly #join: Join;
  readonly #stop = new AbortController();
  /** Managers that are on their way into service. */
  readonly #joining = new Set<Promise<void>>();
  readonly #maxLinks: number;
  /** Connections that have come, oldest first, and since when those are on their way that are not in service yet. */
  readonly #come = new Map<Duplex, number | undefined>();
  #listener: Listener | undefined;
  /** A pipe exists or is being made. */
  #busy = false;
  /** What keeps the manager from service, as far as it is known. */
  #missing: Missing = 'manager';
  /** Who is being asked, or was last. */
  #asked: Asked = 'manager';
  /** What was last said to be missing. */
  #said: Missing | undefined;

  constructor(manager: CompleteManagerOptions, log: Log, join: Join) {
    this.#address = parseAddress(manager.address);
    if (this.#address.kind === 'serial') {
      throw new InvalidOptionError(`a Server does not sit behind a console: ${manager.address}`, { layer: 'server', got: manager.address });
    }
    this.name = manager.address;
    this.dialect = manager.dialect;
    this.frame = manager.frame;
    this.askAhead = manager.askAhead;
    this.#retry = manager.retry;
    this.#hello = manager.hello;
    this.#maxLinks = integerInRange('maxLinks', manager.maxLinks ?? MAX_LINKS, 1, 2 ** 20);
    this.#linkTls = manager.linkTls && new LinkTls(manager.linkTls, 'server', log);
    this.#log = log;
    this.#join = join;
  }

  /** True when managers connect to the Server here. */
  get listens(): boolean {
    return !isConnectAddress(this.#address);
  }

  /** What keeps the manager from service. It means nothing while one is in service. */
  get missing(): Missing {
    return this.#missing;
  }

  /** Begins to listen, where managers connect. Does nothing where the Server connects. */
  async listen(): Promise<void> {
    if (!this.listens) return;
    this.#listener = await listenPipe(this.#address, (pipe) => {
      this.#accept(pipe).catch((error: Error) => {
        this.#log('debug', 'link refused', { manager: this.name, reason: error.message });
      });
    });
    await warnOfExposure(this.#address, this.#linkTls !== undefined, this.#log);
  }

  /**
   * Connects and puts the manager into service; waits for a manager or an attestation server that is not there. Where
   * managers connect, there is nothing to wait for.
   *
   * @param waitMs milliseconds after which no further try is made; 0 for ever
   * @throws what no further try would change, at once; the error of the last try
   */
  async open(signal: AbortSignal | undefined, waitMs: number): Promise<void> {
    if (this.listens) return;
    this.#busy = true;
    try {
      const either = signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]);
      const deadline = waitMs === 0 ? Number.POSITIVE_INFINITY : clock.monotonic() + waitMs;
      await this.#establish(either, (error, pauseMs) => !isAbsence(error) || clock.monotonic() + pauseMs > deadline, this.#retry);
    } catch (error) {
      this.#busy = false;
      throw error;
    }
  }

  /** Called when the link of a manager in service is gone; restores it. */
  lost(): void {
    this.#busy = false;
    this.#missing = 'manager';
    this.restore();
  }

  /** Called when somebody is asked in the attestation handshake. */
  asks(asked: Asked): void {
    // Until the attestation server has answered, nothing is known that was not known before.
    if (asked === 'manager') this.#missing = 'initialising';
    this.#asked = asked;
  }

  /** Connects, with backoff, until the manager is in service. Does nothing where a pipe exists or is being made. */
  restore(): void {
    if (this.listens || this.closed || this.#busy) return;
    this.#busy = true;
    this.#establish(this.#stop.signal, () => false).then(
      () => this.#log('info', 'link restored', { manager: this.name }),
      () => {},
    );
  }

  /** Makes no further pipe. Settles when no manager is on its way into service any more. Links in service stay. */
  async close(): Promise<void> {
    this.closed = true;
    this.#stop.abort();
    this.#linkTls?.close();
    await this.#listener?.close();
    await Promise.allSettled(this.#joining);
  }

  #connect(signal: AbortSignal, retry?: RetryOptions): Promise<Duplex> {
    return openPipe(this.#address as ConnectAddress, { signal, retry, hello: this.#hello });
  }

  /** A connection has come. */
  async #accept(pipe: Duplex): Promise<void> {
    if (this.#come.size >= this.#maxLinks && !this.#makeRoom()) {
      pipe.on('error', () => {}).destroy();
      throw new LimitError(`all ${this.#maxLinks} links are taken`, { layer: 'server', limit: this.#maxLinks, got: this.#come.size });
    }
    this.#come.set(pipe, clock.monotonic());
    pipe.once('close', () => this.#come.delete(pipe));
    await this.#take(pipe, this.#stop.signal);
    if (this.#come.has(pipe)) this.#come.set(pipe, undefined);
  }

  #makeRoom(): boolean {
    for (const [pipe, since] of this.#come) {
      if (since === undefined) continue;
      if (clock.monotonic() - since < JOIN_MS) return false;
      pipe.on('error', () => {}).destroy();
      this.#come.delete(pipe);
      return true;
    }
    return false;
  }

  async #take(pipe: Duplex, signal: AbortSignal): Promise<void> {
    const joined = this.#linkTls === undefined ? this.#join(pipe, this, signal) : this.#secure(this.#linkTls, pipe, signal);
    this.#joining.add(joined);
    await joined.finally(() => this.#joining.delete(joined));
  }

  async #secure(tls: LinkTls, pipe: Duplex, signal: AbortSignal): Promise<void> {
    await this.#join(await tls.secure(pipe, signal), this, signal);
  }

  /**
   * Connects until the manager is in service.
   *
   * @param giveUp whether the error of a try is the end, before a pause of so many milliseconds
   * @param retry for the first connection
   */
  async #establish(signal: AbortSignal, giveUp: (error: unknown, pauseMs: number) => boolean, retry?: RetryOptions): Promise<void> {
    const pauses = {
      manager: new Backoff(ABSENT_MANAGER),
      'attestation server': new Backoff(ABSENT_ATTESTATION),
      consent: new Backoff(REFUSED),
    };
    for (let first = true; ; first = false) {
      try {
        this.#asked = 'manager';
        const pipe = await this.#connect(signal, first ? retry : undefined);
        if (this.#missing === 'manager') this.#missing = 'initialising';
        await this.#take(pipe, signal);
        this.#said = undefined;
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        const missing = isAbsence(error) ? this.#asked : 'consent';
        const pauseMs = pauses[missing].next();
        this.#missing = missing;
        if (giveUp(error, pauseMs)) throw error;
        this.#noteAbsence(missing, error as Error);
        await clock.sleep(pauseMs, { signal }).catch((cause: unknown) => {
          throw connectingAborted(this.name, cause);
        });
      }
    }
  }

  /** Says once what is missing, until something else is. */
  #noteAbsence(missing: Missing, { message: reason }: Error): void {
    const [level, event] = this.#said === missing ? (['debug', 'link not restored'] as const) : (['warn', 'waiting'] as const);
    this.#said = missing;
    this.#log(level, event, { manager: this.name, because: TEXTS[missing], reason });
  }
}
