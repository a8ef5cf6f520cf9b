import type { Codec } from '../../core/codec.js';
import type { DeferredBytes } from '../../core/deferred-bytes.js';
import { type Base64Chunk, BODY_END, BOUNDARY, type BodyChunk } from '../../core/unit.js';
import { sessionHead } from './format.js';
import type { SessionState } from './state.js';

/**
 * Writes request bodies, `<id> <b64>`, one for each unit.
 *
 *     "aGVs" "bG8=" BOUNDARY BOUNDARY
 *     "71 " "aGVs" "bG8=" BOUNDARY "71 " BOUNDARY
 *
 * A body carries the id that the session has when the body's first bytes come. A unit without text becomes a poll, `<id> `.
 *
 * @see ClientSessionDecoder
 */
export class ClientSessionEncoder implements Codec<Base64Chunk | DeferredBytes, BodyChunk | DeferredBytes> {
  readonly #state: SessionState;
  #begun = false;
  #first: BodyChunk | DeferredBytes | undefined;
  #second: BodyChunk | DeferredBytes | undefined;

  constructor(state: SessionState) {
    this.#state = state;
  }

  push(chunk: Base64Chunk | DeferredBytes): void {
    if (Buffer.isBuffer(chunk) && chunk.length === 0) return;
    const bytes = chunk === BODY_END ? BOUNDARY : chunk;
    if (this.#begun) {
      this.#first = bytes;
    } else {
      this.#first = sessionHead(this.#state.id);
      this.#second = bytes;
    }
    this.#begun = bytes !== BOUNDARY;
  }

  next(): BodyChunk | DeferredBytes | undefined {
    const item = this.#first;
    this.#first = this.#second;
    this.#second = undefined;
    return item;
  }

  end(): void {
    // Nothing to do: the end of the stream ends the last body.
  }
}
