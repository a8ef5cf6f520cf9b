/** Two layers that put the length before each payload: `lengthPrefix` (header `be64`) and `frame` (`tcp9`, `icecap4`). */
export { FrameDecoder } from './decoder.js';
export { FrameEncoder } from './encoder.js';
export { FRAME_DEFAULTS, type FrameOptions, frame } from './frame.js';
export { encodeHeader, FRAME_HEADERS, FRAME_KINDS, type FrameHeader, type FrameKind, type HeaderKind } from './header.js';
export {
  encodePrefix,
  LENGTH_PREFIX_DEFAULTS,
  type LengthPrefixOptions,
  lengthPrefix,
  PREFIX_BYTES,
  readPrefix,
  type WholeMessage,
} from './length-prefix.js';
export { WholeFrameDecoder } from './whole-decoder.js';
