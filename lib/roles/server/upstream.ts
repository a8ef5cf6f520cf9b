import type { Duplex } from 'node:stream';
import { Backoff } from '../../core/backoff.js';
import { InvalidOptionError } from '../../core/errors.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import type { FrameKind } from '../../layers/frame/index.js';
import { type Address, type ConnectAddress, isConnectAddress, parseAddress } from '../../transports/address.js';
import { listenPipe, openPipe } from '../../transports/pipe.js';
import type { Listener, RetryOptions } from '../../transports/socket.js';
import { warnOfExposure } from '../link-privacy.js';
import { LinkTls, type LinkTlsOptions } from '../link-tls.js';
import type { Log } from '../options.js';

/** Milliseconds between two tries to restore a lost link: from FIRST, doubled each time, up to LAST. */
const RECONNECT_FIRST_MS = 100;
const RECONNECT_LAST_MS = 5000;

/** Address and protocol of a Runtime Manager. */
export interface ManagerOptions {
  /**
   * The Server connects to the manager at `tcp://host:port` or `unix:///path`. At `tcp-listen://host:port` or
   * `unix-listen:///path` it listens instead, for one or more managers that connect.
   */
  readonly address: string;
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
}

/** The options that have no default. */
type Optional = 'retry' | 'hello' | 'linkTls';
/** The options of an upstream, with the Server's defaults filled in. */
export type CompleteManagerOptions = Required<Omit<ManagerOptions, Optional>> & Pick<ManagerOptions, Optional>;

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
  #listener: Listener | undefined;
  /** A pipe exists or is being made. */
  #busy = false;

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
    this.#linkTls = manager.linkTls && new LinkTls(manager.linkTls, 'server');
    this.#log = log;
    this.#join = join;
  }

  /** True when managers connect to the Server here. */
  get listens(): boolean {
    return !isConnectAddress(this.#address);
  }

  /** Connects and puts the manager into service, or begins to listen. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    if (this.listens) {
      this.#listener = await listenPipe(this.#address, (pipe) => {
        this.#take(pipe, this.#stop.signal).catch((error: Error) => {
          this.#log('debug', 'link refused', { manager: this.name, reason: error.message });
        });
      });
      await warnOfExposure(this.#address, this.#linkTls !== undefined, this.#log);
      return;
    }
    this.#busy = true;
    try {
      const either = signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]);
      await this.#take(await this.#connect(either, this.#retry), either);
    } catch (error) {
      this.#busy = false;
      throw error;
    }
  }

  /** Called when the link of a manager in service is gone; restores it. */
  lost(): void {
    this.#busy = false;
    this.restore();
  }

  /** Connects, with backoff, until the manager is in service. Does nothing where a pipe exists or is being made. */
  restore(): void {
    if (this.listens || this.closed || this.#busy) return;
    this.#busy = true;
    void this.#reconnect();
  }

  /** Makes no further pipe. Settles when no manager is on its way into service any more. Links in service stay. */
  async close(): Promise<void> {
    this.closed = true;
    this.#stop.abort();
    await this.#listener?.close();
    await Promise.allSettled(this.#joining);
  }

  #connect(signal: AbortSignal, retry?: RetryOptions): Promise<Duplex> {
    return openPipe(this.#address as ConnectAddress, { signal, retry, hello: this.#hello });
  }

  async #take(pipe: Duplex, signal: AbortSignal): Promise<void> {
    const joined = this.#linkTls === undefined ? this.#join(pipe, this, signal) : this.#secure(this.#linkTls, pipe, signal);
    this.#joining.add(joined);
    await joined.finally(() => this.#joining.delete(joined));
  }

  async #secure(tls: LinkTls, pipe: Duplex, signal: AbortSignal): Promise<void> {
    await this.#join(await tls.secure(pipe, signal), this, signal);
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#stop;
    const pauses = new Backoff({ firstMs: RECONNECT_FIRST_MS, lastMs: RECONNECT_LAST_MS });
    for (;;) {
      try {
        await pauses.wait(signal);
        await this.#take(await this.#connect(signal), signal);
        this.#log('info', 'link restored', { manager: this.name });
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#log('debug', 'link not restored', { manager: this.name, reason: (error as Error).message });
      }
    }
  }
}
