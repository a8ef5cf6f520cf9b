/** What the layers of one connection share. */

let lastId = 0;

/**
 * One run of a stack over one byte pipe. The two directions of a layer find their common state here (TLS needs that), and
 * errors take their session from here.
 */
export class Connection {
  /** Counts up from 1 in this process; for logs and diagnostics. */
  readonly id = ++lastId;
  /** The label that errors carry. A layer that learns the session's id sets it. */
  session: string | undefined;
  /**
   * Whom the connection is counted for where something scarce is shared among peers: its IPv4 address or /64 of
   * IPv6, or the link that it comes over. Connections of which nothing is known have the same origin.
   */
  readonly origin: string;
  /** All layers run in one stack and know marks. The stack sets this. Outside of a stack, a layer makes no marks. */
  inStack = false;
  readonly #shared = new Map<object, unknown>();

  constructor(session?: string, origin = '') {
    this.session = session;
    this.origin = origin;
  }

  /** The one value that belongs to `key` (usually a layer) on this connection. The first call makes it. */
  share<T>(key: object, make: () => T): T {
    if (!this.#shared.has(key)) this.#shared.set(key, make());
    return this.#shared.get(key) as T;
  }
}
