/** What others may know of a TLS session. */
import type { X509Certificate } from 'node:crypto';
import type { Connection } from '../../core/connection.js';

/**
 * `waiting`: a server that the whole first record has not come to. `queued`: at the gate. `handshake`: its deadline runs. `open`: the peer
 * is admitted, plaintext flows. `closed`: over, one way or another.
 */
export type Phase = 'waiting' | 'queued' | 'handshake' | 'open' | 'closed';

export interface TlsState {
  readonly role: 'client' | 'server';
  readonly phase: Phase;
  /**
   * How the peer's side ended: `open` (it has not), `close_notify` (it said so), or `truncated` (the byte pipe ended
   * without a word: what came before may be incomplete).
   */
  readonly peerEnd: 'open' | 'close_notify' | 'truncated';
  /** On a server: the index in `identities` of the principal that the client is. Undefined before `open`. */
  readonly principal: number | undefined;
  /** The peer's leaf certificate. Undefined before `open`. */
  readonly certificate: X509Certificate | undefined;
  /** IANA name of the suite that was negotiated. Undefined before `open`. */
  readonly cipherSuite: string | undefined;
  /** True once a byte of plaintext has come: for a client, the proof that the server has accepted it. */
  readonly heard: boolean;
}

/** Under this a connection keeps the state of its topmost TLS layer. */
const KEY = {};

function stateOf(connection: Connection): { state?: TlsState } {
  return connection.share(KEY, () => ({}));
}

/** Makes `state` the one that `tlsState` gives, unless a TLS layer above has done so. */
export function publishState(connection: Connection, state: TlsState): void {
  stateOf(connection).state ??= state;
}

/** The TLS session of a connection (of its topmost TLS layer), or undefined where there is none. It is live. */
export function tlsState(connection: Connection): TlsState | undefined {
  return stateOf(connection).state;
}
