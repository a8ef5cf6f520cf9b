/** The public state of a TLS session. */
import type { X509Certificate } from 'node:crypto';
import { Connection } from '../../core/connection.js';
import { InvalidArgumentError } from '../../core/errors.js';

/**
 * `waiting`: a client until both Transforms are there, a server until its first record is complete. `queued`: waits at the
 * gate. `handshake`: the handshake and its deadline run. `open`: the peer is admitted, and plaintext flows. `closed`: the
 * session is over.
 */
export type Phase = 'waiting' | 'queued' | 'handshake' | 'open' | 'closed';

/** What is known of the TLS session on a connection. */
export interface TlsState {
  readonly role: 'client' | 'server';
  readonly phase: Phase;
  /**
   * How the peer's side has ended: `open` (not yet), `close_notify` (as TLS demands), or `truncated` (the byte pipe ended
   * without close_notify, so what came before may be incomplete).
   */
  readonly peerEnd: 'open' | 'close_notify' | 'truncated';
  /** On a server: the index in `identities` of the client's certificate. Undefined before `open`. */
  readonly principal: number | undefined;
  /** The peer's leaf certificate. Undefined before `open`. */
  readonly certificate: X509Certificate | undefined;
  /** IANA name of the suite that was negotiated. Undefined before `open`. */
  readonly cipherSuite: string | undefined;
  /** True once a byte of plaintext has come: for a client, the proof that the server has accepted it. */
  readonly heard: boolean;
}

/** The key under which a connection keeps the state of its topmost TLS layer. */
const KEY = {};

function stateOf(connection: Connection): { state?: TlsState } {
  return connection.share(KEY, () => ({}));
}

/** Makes `state` the result of `tlsState`, unless a TLS layer above has done that already. */
export function publishState(connection: Connection, state: TlsState): void {
  stateOf(connection).state ??= state;
}

/** The state of the topmost TLS layer of a connection, or undefined when there is none. The object changes with the session. */
export function tlsState(connection: Connection): TlsState | undefined {
  if (connection instanceof Connection) return stateOf(connection).state;
  throw new InvalidArgumentError(`connection is that of a channel, got ${typeof connection}`, {
    layer: 'tls',
    expected: 'Connection',
    got: typeof connection,
  });
}
