import type { Codec } from '../../core/codec.js';
import type { Connection } from '../../core/connection.js';
import { type Base64Chunk, BOUNDARY, type BodyChunk } from '../../core/unit.js';
import { NEW_SESSION_ID } from './format.js';
import { SessionRequestDecoder, type SessionRequestOptions } from './request-decoder.js';
import type { SessionState } from './state.js';

/**
 * Reads request bodies, one a unit. Reports the id of each, and gives its data as a text with BOUNDARY after it.
 *
 *     "0 aGV" "sbG8=" BOUNDARY "71 " BOUNDARY
 *     "aGV" "sbG8=" BOUNDARY BOUNDARY
 *
 * The id of a body becomes the id of the session before any part of the body is given. `onId` may then replace it (0 asks for a
 * new session) or throw. A BOUNDARY without bytes before it is an empty body, which is refused. The end of the stream ends a
 * body only if it has begun.
 *
 * Errors: those of SessionRequestDecoder, and those that `onId` throws.
 *
 * @see ServerSessionEncoder
 */
export class ServerSessionDecoder implements Codec<BodyChunk, Base64Chunk> {
  readonly #state: SessionState;
  readonly #options: SessionRequestOptions;
  readonly #onId: ((id: number, state: SessionState) => void) | undefined;
  readonly #connection: Connection | undefined;
  #body: SessionRequestDecoder;
  #begun = false;
  #idTold = false;
  #item: Base64Chunk | undefined;

  constructor(
    state: SessionState,
    options: SessionRequestOptions = {},
    onId?: (id: number, state: SessionState) => void,
    connection?: Connection,
  ) {
    this.#state = state;
    this.#options = options;
    this.#onId = onId;
    this.#connection = connection;
    this.#body = new SessionRequestDecoder(options);
  }

  push(chunk: BodyChunk): void {
    if (!Buffer.isBuffer(chunk)) {
      this.#endBody();
      return;
    }
    if (chunk.length === 0) return;
    this.#begun = true;
    this.#item = this.#body.push(chunk);
    this.#tellId();
  }

  next(): Base64Chunk | undefined {
    const item = this.#item;
    this.#item = undefined;
    return item;
  }

  end(): void {
    if (this.#begun) this.#endBody();
  }

  #endBody(): void {
    this.#body.end();
    this.#tellId();
    this.#item = BOUNDARY;
    this.#body = new SessionRequestDecoder(this.#options);
    this.#begun = false;
    this.#idTold = false;
  }

  #tellId(): void {
    const id = this.#body.id;
    if (this.#idTold || id === undefined) return;
    this.#idTold = true;
    this.#state.id = id;
    this.#onId?.(id, this.#state);
    if (this.#connection !== undefined && this.#state.id !== NEW_SESSION_ID) this.#connection.session = String(this.#state.id);
  }
}
