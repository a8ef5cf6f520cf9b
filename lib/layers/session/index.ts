import { given, integerInRange, oneOf, optionsOf } from '../../core/check.js';
import type { Connection } from '../../core/connection.js';
import type { DeferredBytes } from '../../core/deferred-bytes.js';
import { type Layer, layerOf } from '../../core/layer.js';
import type { Base64Chunk, BodyChunk } from '../../core/unit.js';
import { MAX_WHITESPACE_BYTES } from './body-decoder.js';
import { ClientSessionDecoder } from './client-decoder.js';
import { ClientSessionEncoder } from './client-encoder.js';
import { MAX_SESSION_ID, NEW_SESSION_ID, SESSION } from './format.js';
import { ServerSessionDecoder } from './server-decoder.js';
import { ServerSessionEncoder } from './server-encoder.js';
import type { SessionState } from './state.js';

export { isWhitespace, MAX_SESSION_ID, NEW_SESSION_ID, sessionHead, splitBody } from './format.js';
export { SessionRequestDecoder, type SessionRequestOptions } from './request-decoder.js';
export { SessionResponseDecoder, type SessionResponseOptions } from './response-decoder.js';
export type { SessionState } from './state.js';

/** Options of `session()`. */
export interface SessionOptions {
  /** The end of the connection: a client writes requests and reads responses, a server reads requests and writes responses. */
  end: 'client' | 'server';
  /** The id at the start, a u32. Default 0: a client's first request opens a session. */
  id?: number;
  /**
   * Called with an id before any part of its body is given. At a client it is called once, when a response sets the id of the
   * session. At a server it is called for every request; the response carries the id that is in `state.id` afterwards. An error
   * that it throws ends the layer.
   */
  onId?: (id: number, state: SessionState) => void;
  /** Whether a server accepts requests without data. Default true. The original server does not accept them. */
  allowPoll?: boolean;
  /** White space in a row that a body may have, bytes, 1 to 2^20. Default 1024. */
  maxWhitespaceBytes?: number;
}

/** Defaults of `SessionOptions`. */
export const SESSION_DEFAULTS = Object.freeze({ id: NEW_SESSION_ID, allowPoll: true, maxWhitespaceBytes: MAX_WHITESPACE_BYTES });

/** The session layer, and the state that its two directions share on a connection. */
export interface SessionLayer<Deferred = never> extends Layer<Base64Chunk | Deferred, BodyChunk | Deferred> {
  /** The state on `connection`. Setting its id changes what the next body carries. */
  state(connection: Connection): SessionState;
}

function checked({ end, id, allowPoll, maxWhitespaceBytes }: SessionOptions) {
  return {
    end: oneOf('end', end, ['client', 'server']),
    id: integerInRange('id', id ?? SESSION_DEFAULTS.id, 0, MAX_SESSION_ID),
    allowPoll: allowPoll ?? SESSION_DEFAULTS.allowPoll,
    maxWhitespaceBytes: integerInRange('maxWhitespaceBytes', maxWhitespaceBytes ?? MAX_WHITESPACE_BYTES, 1, 2 ** 20),
  };
}

/**
 * The text form of HTTP bodies (wire spec §C): requests `<id> <b64>`, responses `<id> <b64> <b64>…`, between base64 and HTTP.
 * A unit is one body. The exception is the server's outbound direction: there a unit is one text of a body, and BODY_END or
 * the end of the stream ends the body.
 *
 * The two directions share their state by the Connection. A direction made without a Connection has an id of its own. Below a
 * `deferred` base64 use `session<DeferredBytes>`.
 *
 * @throws InvalidOptionError
 * @example
 * stack(records(), base64(), session({ end: 'client' }));
 */
export function session<Deferred extends DeferredBytes = never>(options: SessionOptions): SessionLayer<Deferred>;
export function session(options: SessionOptions): SessionLayer<DeferredBytes> {
  const { end, id, allowPoll, maxWhitespaceBytes } = optionsOf(SESSION, () => checked(given('options', options)));
  const { onId } = options;
  const key = {};
  const make = (): SessionState => ({ id });
  const stateOn = (connection?: Connection) => connection?.share(key, make) ?? make();
  const layer = layerOf<Base64Chunk | DeferredBytes, BodyChunk | DeferredBytes>({
    name: SESSION,
    limits: end === 'client' ? { end, maxWhitespaceBytes } : { end, allowPoll: String(allowPoll), maxWhitespaceBytes },
    encoder: (connection) =>
      end === 'client' ? new ClientSessionEncoder(stateOn(connection)) : new ServerSessionEncoder(stateOn(connection)),
    decoder: (connection) =>
      end === 'client'
        ? new ClientSessionDecoder(stateOn(connection), { maxWhitespaceBytes }, onId, connection)
        : new ServerSessionDecoder(stateOn(connection), { allowPoll, maxWhitespaceBytes }, onId, connection),
  });
  return Object.freeze({ ...layer, state: stateOn });
}
