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

/** Milliseconds between two tries to restore a lost link: doubled from the first to the last. */
const RECONNECT_FIRST_MS = 100;
const RECONNECT_LAST_MS = 5000;

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
  /** Whether it is asked ahead. Default: as the Server's `askAhead`. */
  readonly askAhead?: boolean;
  /** Mutual TLS around the link. Default: the Server's `linkTls`. */
  readonly linkTls?: LinkTlsOptions;
}

/** What has no default here. */
type Optional = 'retry' | 'hello' | 'linkTls';
/** What an upstream needs. */
export type CompleteManagerOptions = Required<Omit<ManagerOptions, Optional>> & Pick<ManagerOptions, Optional>;

/**
 * Puts the manager at the other end of a pipe into service, and settles then; rejects when that cannot be. The pipe is
 * its own from then on, whatever comes of it.
 */
type Join = (pipe: Duplex, upstream: Upstream, signal: AbortSignal) => Promise<void>;

/** One Runtime Manager that the Server reaches (or, where it listens, all that come): makes the pipes that links run over. */
export class Upstream {
  readonly name: string;
  readonly dialect: Dialect;
  readonly frame: FrameKind;
  readonly askAhead: boolean;
  /** No further pipe is made. */
  closed = false;
  readonly #address: Address;
  readonly #retry: RetryOptions | undefined;
  readonly #hello: boolean | undefined;
  readonly #linkTls: LinkTls | undefined;
  readonly #log: Log;
  readonly #join: Join;
  readonly #stop = new AbortController();
  /** What is on its way into service. */
  readonly #joining = new Set<Promise<void>>();
  #listener: Listener | undefined;
  /** A pipe exists, or one is being made. */
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

  /** Managers connect to us here. */
  get listens(): boolean {
    return !isConnectAddress(this.#address);
  }

  /** Makes the first pipe and puts its manager into service, or begins to listen. */
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

  /** The pipe of a manager that was in service is gone. */
  lost(): void {
    this.#busy = false;
    this.restore();
  }

  /** Makes a pipe, with backoff, until its manager is in service; does nothing where one exists or is being made. */
  restore(): void {
    if (this.listens || this.closed || this.#busy) return;
    this.#busy = true;
    void this.#reconnect();
  }

  /** Makes no further pipe; settles when nothing is on its way into service any more. Links in service stay. */
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
