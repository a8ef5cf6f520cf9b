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
  #state: RoleState = 'starting';
  #closing = false;
  readonly #over: Promise<void>;
  #succeed!: () => void;
  #fail!: (error: unknown) => void;
  /** Settles when the role has closed, whoever closed it, and never rejects: `close()` tells of a failure. */
  readonly closed: Promise<void>;
  /** Lets go of the signal. */
  #unwatch: () => void = () => {};

  /**
   * @param layer the role's name in errors
   * @param work closes the role; called once, when the state is `draining` already
   */
  constructor(layer: string, work: () => Promise<void>) {
    this.#layer = layer;
    this.#work = work;
    this.#over = new Promise((resolve, reject) => {
      this.#succeed = resolve;
      this.#fail = reject;
    });
    this.closed = this.#over.catch(() => {});
  }

  get state(): RoleState {
    return this.#state;
  }

  /** It is neither draining nor closed: what is new is taken. */
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
    const close = () => void this.close();
    signal.addEventListener('abort', close, { once: true });
    this.#unwatch = () => signal.removeEventListener('abort', close);
  }

  /** Nothing new is taken from now on. Does nothing where that is so already. */
  drain(): void {
    if (this.serving) this.#state = 'draining';
  }

  /** Closes the role, if nobody has begun to, and settles when it has closed. Rejects with what the closing throws. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#unwatch();
      this.drain();
      this.#work().then(
        () => this.#end(this.#succeed),
        (error: unknown) => this.#end(() => this.#fail(error)),
      );
    }
    await this.#over;
  }

  #end(settle: () => void): void {
    this.#state = 'closed';
    settle();
  }
}
