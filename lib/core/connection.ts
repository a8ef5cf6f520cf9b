/** What the layers of one connection have in common. */

let lastId = 0;

/**
 * One run of a stack over one byte pipe. The directions of a layer that must know of each other (TLS) meet here;
 * errors take their session from here.
 */
export class Connection {
  /** Counts up from 1 in this process; for logs and diagnostics. */
  readonly id = ++lastId;
  /** The label that errors carry; a layer that learns the session's id sets it. */
  session: string | undefined;
  /** All layers of a stack run over it, and know marks. Set by the stack; alone, a layer gives no mark that it was not given. */
  inStack = false;
  readonly #shared = new Map<object, unknown>();

  constructor(session?: string) {
    this.session = session;
  }

  /** The one value that belongs to `key` (usually a layer) on this connection, made at the first call. */
  share<T>(key: object, make: () => T): T {
    if (!this.#shared.has(key)) this.#shared.set(key, make());
    return this.#shared.get(key) as T;
  }
}
