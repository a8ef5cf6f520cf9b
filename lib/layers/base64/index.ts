import type { DeferredBytes } from '../../core/deferred-bytes.js';
import { type Layer, layerOf } from '../../core/layer.js';
import type { Base64Chunk, BoundedChunk, UnitChunk } from '../../core/unit.js';
import { BASE64 } from './alphabet.js';
import { Base64Decoder } from './decoder.js';
import { Base64Encoder, type Base64Options } from './encoder.js';

export { Base64Decoder, decodeBase64 } from './decoder.js';
export { Base64Encoder, type Base64Options, encodeBase64 } from './encoder.js';

/**
 * The layer of base64 texts (RFC 4648 §4; wire spec §C), one a unit, between bytes and HTTP bodies. It has no limits,
 * because it keeps at most three letters, whatever the size of the text.
 *
 * @example
 * stack(records(), base64(), session({ end: 'client' }));
 */
export function base64(options?: Base64Options & { deferred?: false }): Layer<UnitChunk, Base64Chunk, BoundedChunk>;
export function base64(options: Base64Options): Layer<UnitChunk, Base64Chunk | DeferredBytes, BoundedChunk>;
export function base64(options: Base64Options = {}): Layer<UnitChunk, Base64Chunk | DeferredBytes, BoundedChunk> {
  return layerOf<UnitChunk, Base64Chunk | DeferredBytes, BoundedChunk>({
    name: BASE64,
    encoder: () => new Base64Encoder(options),
    decoder: () => new Base64Decoder(),
  });
}
