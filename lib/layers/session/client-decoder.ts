import type { Codec } from '../../core/codec.js';
import type { Connection } from '../../core/connection.js';
import { SessionMismatchError } from '../../core/errors.js';
import type { Base64Chunk, BodyChunk } from '../../core/unit.js';
import { NEW_SESSION_ID, SESSION } from './format.js';
import { SessionResponseDecoder, type SessionResponseOptions } from './response-decoder.js';
import type { SessionState } from './state.js';

/**
 * Reads response bodies, one a unit. Gives their items; each item is a text with BOUNDARY after it.
 *
 *     "71 aGV" "sbG8= /w==" BOUNDARY BOUNDARY "71 " BOUNDARY
 *     "aGV" "sbG8=" BOUNDARY "/w==" BOUNDARY
 *
 * The first body with an id other than 0 sets the id of the session. A later body with another id (or 0) is refused before
 * any part of it is given. The end of the stream ends the last body.
 *
 * Errors: `SessionMismatchError` {expected, got}; `SessionTextError` and `LimitError` as in SessionResponseDecoder.
 *
 * @see ClientSessionEncoder
 */
export class ClientSessionDecoder implements Codec<BodyChunk, Base64Chunk> {
  readonly #state: SessionState;
  readonly #options: SessionResponseOptions;
  readonly #onId: ((id: number, state: SessionState) => void) | undefined;
  readonly #connection: Connection | undefined;
  #body: SessionResponseDecoder;
  #idChecked = false;
  #over = false;

  constructor(
    state: SessionState,
    options: SessionResponseOptions = {},
    onId?: (id: number, state: SessionState) => void,
    connection?: Connection,
  ) {
    this.#state = state;
    this.#options = options;
    this.#onId = onId;
    this.#connection = connection;
    this.#body = new SessionResponseDecoder(options);
  }

  push(chunk: BodyChunk): void {
    if (Buffer.isBuffer(chunk)) this.#body.push(chunk);
    else this.end();
  }

  next(): Base64Chunk | undefined {
    const item = this.#body.next();
    if (!this.#idChecked && this.#body.id !== undefined) this.#check(this.#body.id);
    if (item === undefined && this.#over) {
      this.#body = new SessionResponseDecoder(this.#options);
      this.#idChecked = false;
      this.#over = false;
    }
    return item;
  }

  end(): void {
    this.#body.end();
    this.#over = true;
  }

  #check(id: number): void {
    this.#idChecked = true;
    const expected = this.#state.id;
    if (id === expected) return;
    if (expected !== NEW_SESSION_ID) {
      // The ids are figures of the error and not in its message: messages stand in logs.
      throw new SessionMismatchError('a response of another session came', { layer: SESSION, expected, got: id });
    }
    this.#state.id = id;
    if (this.#connection !== undefined) this.#connection.session = String(id);
    this.#onId?.(id, this.#state);
  }
}
