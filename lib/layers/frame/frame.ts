import { integerInRange, oneOf, optionsOf } from '../../core/check.js';
import { type Layer, layerOf } from '../../core/layer.js';
import type { BincodeChunk, FrameChunk } from '../../core/unit.js';
import { FrameDecoder } from './decoder.js';
import { FrameEncoder } from './encoder.js';
import { FRAME_HEADERS, FRAME_KINDS, type FrameKind } from './header.js';

/** Options of `frame()`. */
export interface FrameOptions {
  /**
   * Bytes of one payload, in either direction, the header not counted: 1 to 2^53 - 1 (`tcp9`) or 2^32 - 1 (`icecap4`).
   * Default 1 MiB + 64.
   */
  maxFrameBytes?: number;
}

/** Defaults of `FrameOptions`. */
export const FRAME_DEFAULTS = Object.freeze({ maxFrameBytes: 1_048_576 + 64 });

/**
 * The layer between bincode and a byte pipe (wire spec §D, "Framing"). Rules and errors: `FrameEncoder` and `FrameDecoder`.
 *
 * Throws `InvalidOptionError`. A connection fails with `ERR_VC_LIMIT`, `ERR_VC_TRUNCATED`, `ERR_VC_INVALID_ARGUMENT`, or,
 * outbound, `ERR_VC_LENGTH_MISMATCH`.
 *
 * @example
 * stack(bincode({ dialect: '2207', sends: 'response', receives: 'request' }), frame('icecap4'));
 */
export function frame(kind: FrameKind, options: FrameOptions = {}): Layer<BincodeChunk, FrameChunk> {
  const header = FRAME_HEADERS[optionsOf('frame', () => oneOf('kind', kind, FRAME_KINDS))];
  const { maxFrameBytes = FRAME_DEFAULTS.maxFrameBytes } = options;
  optionsOf(header.layer, () => integerInRange('maxFrameBytes', maxFrameBytes, 1, header.maxLength));
  return layerOf<BincodeChunk, FrameChunk>({
    name: header.layer,
    limits: { kind, maxFrameBytes },
    encoder: () => new FrameEncoder(header, maxFrameBytes),
    decoder: () => new FrameDecoder(header, maxFrameBytes),
  });
}
