import type { Duplex } from 'node:stream';
import type { RetryOptions } from './retry.js';

/** What `dial` takes. A transport may add options of its own. */
export interface DialOptions {
  /** Ends the dialling with an `AbortedError`. A pipe that has been given is not touched any more. */
  signal?: AbortSignal | undefined;
  /** How often the connection is tried. Default once. Means nothing to a transport that dials at the first write. */
  retry?: RetryOptions | undefined;
}

/** What `listen` takes. A transport may add options of its own. */
export interface ListenOptions {
  /** Closes the listener. One that fires while it is opened leaves nothing behind. */
  signal?: AbortSignal | undefined;
}

/** A place where pipes come about: a port or a socket's file that is listened at, an open console, a name in this process. */
export interface ListenerAt<At> {
  /** Where it listens; a port 0 is the one that was given. */
  readonly address: At;
  /**
   * Stops, and gives the place free. Pipes that exist stay; those of a console do not, because they are the console.
   * Removes a Unix socket's file.
   */
  close(): Promise<void>;
}

/** What every address has: `<scheme>`, or `<scheme>-listen` for a place where the peer is waited for. */
export interface AnyAddress {
  readonly kind: string;
}

/**
 * One transport: a way from an address to a pipe, which a stack runs over.
 *
 *     dial(address)                 listen(address, onPipe)
 *          │                                  │
 *          ▼         the same bytes           ▼
 *       Duplex  ◀─────────────────────────▶  Duplex, one for each peer that comes
 *
 * A pipe is a Duplex with back-pressure. It ends once: with 'end' and 'finish', or with an error. To add a transport is to
 * write one file that exports one of these, and to name it in the list of `transports.ts`: `parseAddress`,
 * `formatAddress`, `openPipe` and `listenPipe` work from that list, and so do the tests that each transport must pass.
 *
 * All errors are of this library, carry the name of a layer, and those of `dial` and `listen` have the address in their
 * message: TransportError for what the system refused (`cause` has its error), AbortedError, TimeoutError,
 * InvalidOptionError.
 */
export interface Transport<At extends AnyAddress, Dial extends DialOptions = DialOptions, Listen extends ListenOptions = ListenOptions> {
  /** What stands before `://`. An address of the kind `<scheme>-listen` belongs to the same transport. */
  readonly scheme: string;
  /** The forms of its addresses, as messages name them, e.g. `tcp://host:port`. */
  readonly forms: readonly string[];
  /**
   * `bytes`: the pipe is a stream of bytes; writes are joined and cut on the way.
   * `units`: the pipe is in object mode; each unit, ended by a BOUNDARY, arrives as a unit. The dialling end asks with
   * one unit, the other end answers it with one.
   */
  readonly carries: 'bytes' | 'units';
  /**
   * `at-once`: `dial` settles when the peer has been reached, or could not be.
   * `at-first-write`: `dial` settles at once; a peer that cannot be reached is an error of the pipe.
   * `never`: there is no `dial`; the pipes of this transport are got from `listen`.
   */
  readonly dials: 'at-once' | 'at-first-write' | 'never';
  /**
   * What the `end()` of one side tells the peer.
   * `each-way`: the peer reads to its end and may still write.
   * `both-ways`: the peer hears it when all is answered; then both directions are over.
   * `untold`: nothing. The peer must notice by other means that nobody is there.
   */
  readonly ends: 'each-way' | 'both-ways' | 'untold';
  /**
   * Reads an address.
   *
   * @returns undefined for a text that has none of this transport's forms
   * @throws InvalidOptionError for one that has the form, and a figure outside its range
   */
  parse(text: string): At | undefined;
  /** The text form of an address, as `parse` reads it. */
  format(address: At): string;
  /** Makes one pipe to whoever listens at `address`. @throws TransportError, AbortedError, TimeoutError, InvalidOptionError */
  dial?(address: At, options?: Dial): Promise<Duplex>;
  /**
   * Hands over a pipe for each peer that comes. An address without `-listen` means the same here.
   *
   * @throws TransportError when the place is taken or not allowed; AbortedError, TimeoutError, InvalidOptionError
   */
  listen(address: At, onPipe: (pipe: Duplex) => void, options?: Listen): Promise<ListenerAt<At>>;
}
