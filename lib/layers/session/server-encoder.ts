import type { Codec } from '../../core/codec.js';
import type { DeferredBytes } from '../../core/deferred-bytes.js';
import { type Base64Chunk, BODY_END, BOUNDARY, type BodyChunk } from '../../core/unit.js';
import { SPACE, sessionHead } from './format.js';
import type { SessionState } from './state.js';

/**
 * Writes response bodies, `<id> <b64> <b64>…`: each text is an item, and BODY_END (or the end of the stream) ends a body.
 *
 *     "aGVs" "bG8=" BOUNDARY "/w==" BOUNDARY BODY_END
 *     "71 " "aGVs" "bG8=" " " "/w==" BOUNDARY
 *
 * A body carries the id that the session has when its first item begins. An item without text leaves only the blank before it,
 * as with an original server. A body that BODY_END ends carries the id even without items, so that the client learns it. An
 * original server sends an empty body then. A body without items that the end of the stream ends is empty here too.
 *
 * @see ServerSessionDecoder
 */
export class ServerSessionEncoder implements Codec<Base64Chunk | DeferredBytes, BodyChunk | DeferredBytes> {
  readonly #state: SessionState;
  #headGiven = false;
  #inItem = false;
  #first: BodyChunk | DeferredBytes | undefined;
  #second: BodyChunk | DeferredBytes | undefined;

  constructor(state: SessionState) {
    this.#state = state;
  }

  push(chunk: Base64Chunk | DeferredBytes): void {
    if (chunk === BODY_END) {
      this.#first = this.#headGiven ? undefined : sessionHead(this.#state.id);
      this.#second = BOUNDARY;
      this.#headGiven = false;
      this.#inItem = false;
      return;
    }
    if (chunk !== BOUNDARY && chunk.length === 0) return;
    const text = chunk === BOUNDARY ? undefined : chunk;
    if (this.#inItem) {
      this.#first = text;
    } else {
      this.#first = this.#headGiven ? SPACE : sessionHead(this.#state.id);
      this.#headGiven = true;
      this.#second = text;
    }
    this.#inItem = text !== undefined;
  }

  next(): BodyChunk | DeferredBytes | undefined {
    const item = this.#first ?? this.#second;
    if (this.#first === undefined) this.#second = undefined;
    this.#first = undefined;
    return item;
  }

  end(): void {
    // Nothing to do: the end of the stream ends the body.
  }
}
