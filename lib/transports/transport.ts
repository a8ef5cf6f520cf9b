import type { Duplex } from 'node:stream';
import type { RetryOptions } from './retry.js';

/** The options of `dial`. A transport may have further options. */
export interface DialOptions {
  /** Ends the dialling with an `AbortedError`. It has no effect on a pipe that was returned already. */
  signal?: AbortSignal | undefined;
  /** How often the connection is tried. Default once. Without effect for a transport that dials at the first write. */
  retry?: RetryOptions | undefined;
}

/** The options of `listen`. A transport may have further options. */
export interface ListenOptions {
  /** Closes the listener. If it fires while the listener is being opened, nothing stays open. */
  signal?: AbortSignal | undefined;
}

/** A place that gives pipes: a port or a socket's file, an open console, or a name in this process. */
export interface ListenerAt<At> {
  /** Where it listens. If port 0 was asked for, this has the port that the system chose. */
  readonly address: At;
  /**
   * Stops listening and frees the place. Existing pipes stay open; only the link of a console is closed with the console.
   * Removes a Unix socket's file.
   */
  close(): Promise<void>;
  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The part that all addresses share. `kind` is `<scheme>`, or `<scheme>-listen` for a place where peers are awaited. */
export interface AnyAddress {
  readonly kind: string;
}

/**
 * One transport: it turns an address into a pipe, over which a stack runs.
 *
 *     dial(address)                 listen(address, onPipe)
 *          │                                  │
 *          ▼         the same bytes           ▼
 *       Duplex  ◀─────────────────────────▶  Duplex, one for each peer that comes
 *
 * A pipe is a Duplex with back-pressure. It ends once: with 'end' and 'finish', or with an error. A new transport is one file
 * that exports a `Transport`, and an entry in the list of `lib/transports/transports.ts`. `parseAddress`, `formatAddress`, `openPipe` and
 * `listenPipe` use that list, and so do the tests that each transport must pass.
 *
 * All errors are errors of this library and carry the name of a layer. Errors of `dial` and `listen` have the address in their
 * message: TransportError for a refusal of the system (its error is the `cause`), AbortedError, TimeoutError,
 * InvalidOptionError.
 */
export interface Transport<At extends AnyAddress, Dial extends DialOptions = DialOptions, Listen extends ListenOptions = ListenOptions> {
  /** The part of an address before `://`. An address of the kind `<scheme>-listen` belongs to the same transport. */
  readonly scheme: string;
  /** The forms of its addresses, for messages, e.g. `tcp://host:port`. */
  readonly forms: readonly string[];
  /**
   * `bytes`: the pipe is a stream of bytes; writes are joined and cut on the way.
   * `units`: the pipe is in object mode. Each unit, with a BOUNDARY after it, arrives as one unit. The dialling end sends one
   * unit, and the other end answers it with one unit.
   */
  readonly carries: 'bytes' | 'units';
  /**
   * `at-once`: `dial` settles when the peer was reached, or could not be reached.
   * `at-first-write`: `dial` settles at once. If the peer cannot be reached, the pipe fails.
   * `never`: there is no `dial`; the pipes of this transport come from `listen`.
   */
  readonly dials: 'at-once' | 'at-first-write' | 'never';
  /**
   * The effect of one side's `end()` on its peer.
   * `each-way`: the peer reads to the end and may still write.
   * `both-ways`: the peer gets the end when everything is answered; then both directions are over.
   * `untold`: none. The peer must find out by other means that nobody is there.
   */
  readonly ends: 'each-way' | 'both-ways' | 'untold';
  /**
   * Reads an address.
   *
   * @returns undefined for a text that has none of this transport's forms
   * @throws InvalidOptionError for a text that has such a form, but a port or path out of range
   */
  parse(text: string): At | undefined;
  /** The text form of an address. `parse` reads it. */
  format(address: At): string;
  /** Makes one pipe to the listener at `address`. @throws TransportError, AbortedError, TimeoutError, InvalidOptionError */
  dial?(address: At, options?: Dial): Promise<Duplex>;
  /**
   * Hands over a pipe for each peer that comes. An address without `-listen` has the same meaning here as one with it.
   *
   * @throws TransportError when the place is in use or not permitted; AbortedError, TimeoutError, InvalidOptionError
   */
  listen(address: At, onPipe: (pipe: Duplex) => void, options?: Listen): Promise<ListenerAt<At>>;
}
