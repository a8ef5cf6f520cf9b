/** `veracruz-streams/core`: what a layer is made of: bytes, units, marks, codecs, and every class of error. */
export { ByteQueue } from './byte-queue.js';
export type { Codec } from './codec.js';
export { CodecStream } from './codec-stream.js';
export { Connection } from './connection.js';
export { DeferredBytes } from './deferred-bytes.js';
export * from './errors.js';
export { type Layer, layerOf } from './layer.js';
export { LayerStream } from './layer-stream.js';
export type { Traffic } from './traffic.js';
export {
  Announce,
  type AnnouncedChunk,
  type Base64Chunk,
  type BincodeChunk,
  BODY_END,
  BOUNDARY,
  type BodyChunk,
  type BodyEnd,
  type Boundary,
  type BoundedChunk,
  type ByteChunk,
  type CipherChunk,
  END_OF_MESSAGE,
  FLUSH,
  type FrameChunk,
  type ItemChunk,
  isMark,
  type Mark,
  type MarkedPipe,
  type MessageChunk,
  type PrefixedChunk,
  type RecordChunk,
  type UnitChunk,
} from './unit.js';
