import { InvalidArgumentError } from '../../core/errors.js';
import { encodeBase64 } from '../../layers/base64/index.js';
import { encodeHeader, encodePrefix, FRAME_HEADERS } from '../../layers/frame/index.js';
import { NEW_SESSION_ID, sessionHead } from '../../layers/session/index.js';
import type { Known } from './reading.js';

/**
 * Wraps `bytes` in the layers below their own, as far down as possible without keys, a socket or HTTP. Returns the new bytes
 * and the layer that they belong to.
 *
 *     protobuf → prefix      record → base64 → session      bincode → frame
 *
 * Throws `InvalidArgumentError` for a layer that has no such layer below it.
 */
export function wrap(bytes: Buffer, known: Known): { bytes: Buffer; layer: Known['layer'] } {
  switch (known.layer) {
    case 'protobuf':
      return { bytes: Buffer.concat([encodePrefix(bytes.length), bytes]), layer: 'prefix' };
    case 'record':
    case 'base64': {
      const text = known.layer === 'record' ? encodeBase64(bytes) : bytes;
      return { bytes: Buffer.concat([sessionHead(NEW_SESSION_ID), text]), layer: 'session' };
    }
    case 'bincode': {
      return { bytes: Buffer.concat([encodeHeader(FRAME_HEADERS[known.frame], bytes.length), bytes]), layer: 'frame' };
    }
    case 'prefix':
    case 'session':
    case 'http':
    case 'frame':
      throw new InvalidArgumentError(`--down adds the layers below; below ${known.layer} there is none to add: leave --down out`);
  }
}
