/** The life of a role, from its start to its end. */
import { AbortedError } from './errors.js';

/**
 * `starting`: it takes what it needs, and may serve already. `listening`: its start is over. `draining`: it takes nothing
 * new and ends what it has. `closed`: nothing of it is left.
 */
export type RoleState = 'starting' | 'listening' | 'draining' | 'closed';

/**
 * Where a role is in its life, and who may change that. It only goes forward:
 *
 *     state      listening()   drain()    close()             the end of the closing
 *     starting   listening     draining   draining; begins    –
 *     listening  listening     draining   draining; begins    –
 *     draining   draining      draining   draining; see below closed
 *     closed     closed        closed     closed              closed
 *
 * "begins": the role's closing is called. It is called once: `close()` of a draining role calls it if only `drain()` was
 * called before, and otherwise waits for the call that is under way. A signal that fires is a `close()`.
 */
export class Lifecycle {
  readonly #layer: string;
  readonly #work: () => Promise<void>;
  readonly #onFailure: (error: Error) => void;
  #state: RoleState = 'starting';
  #closing = false;
  readonly #over: Promise<void>;
  #succeed!: () => void;
  #fail!: (error: unknown) => void;
  /** Settles when the role has closed, whoever closed it. It never rejects: a failure is reported by `close()`. */
  readonly closed: Promise<void>;
  /** Stops listening to the signal. */
  #unwatch: () => void = () => {};

  /**
   * @param layer the role's name in errors
   * @param work closes the role; called once, after the state has become `draining`
   * @param onFailure hears of a closing that failed where nobody waits for it. Default: nobody
   */
  constructor(layer: string, work: () => Promise<void>, onFailure: (error: Error) => void = () => {}) {
    this.#layer = layer;
    this.#work = work;
    this.#onFailure = onFailure;
    this.#over = new Promise((resolve, reject) => {
      this.#succeed = resolve;
      this.#fail = reject;
    });
    this.closed = this.#over.catch(() => {});
  }

  get state(): RoleState {
    return this.#state;
  }

  /** The role is neither draining nor closed, so it takes new work. */
  get serving(): boolean {
    return this.#state === 'starting' || this.#state === 'listening';
  }

  /**
   * The start is over. From now on `signal` closes the role.
   *
   * @throws AbortedError when `signal` has fired already; the role has closed then
   */
  async listening(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) {
      await this.close();
      throw new AbortedError('aborted at the start', { layer: this.#layer, cause: signal.reason });
    }
    if (!this.serving) return;
    this.#state = 'listening';
    if (signal === undefined) return;
    const close = () => this.end();
    signal.addEventListener('abort', close, { once: true });
    this.#unwatch = () => signal.removeEventListener('abort', close);
  }

  /** From now on the role takes no new work. Does nothing when that is so already. */
  drain(): void {
    if (this.serving) this.#state = 'draining';
  }

  /** As `close`, where nobody waits for it: the role has decided so by itself, or its signal has fired. */
  end(): void {
    this.close().catch(this.#onFailure);
  }

  /** Closes the role, unless that has begun already, and settles when it has closed. Rejects with the error of the closing. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#unwatch();
      this.drain();
      this.#work().then(
        () => this.#closed(this.#succeed),
        (error: unknown) => this.#closed(() => this.#fail(error)),
      );
    }
    await this.#over;
  }

  #closed(settle: () => void): void {
    this.#state = 'closed';
    settle();
  }
}
