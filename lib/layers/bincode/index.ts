/** bincode: typed messages between the Server and the Runtime Manager (wire spec §D). */
import { type Layer, layerOf } from '../../core/layer.js';
import type { BincodeChunk } from '../../core/unit.js';
import { BincodeDecoder } from './decoder.js';
import { BincodeEncoder } from './encoder.js';
import type { Received, Sent, Side } from './messages.js';
import { type BincodeOptions, bincodeOptions } from './options.js';
import { decodeRequest, encodeRequest } from './request.js';
import { decodeResponse, encodeResponse } from './response.js';
import type { Slices } from './slices.js';

export { BincodeDecoder } from './decoder.js';
export { BincodeEncoder } from './encoder.js';
export {
  type Message,
  REQUEST_KINDS,
  RESPONSE_KINDS,
  type Received,
  type Request,
  type RequestKind,
  type Response,
  type ResponseKind,
  type Sent,
  type Side,
  STATUSES,
  type Status,
} from './messages.js';
export { BINCODE_DEFAULTS, type BincodeOptions, type DecodeOptions } from './options.js';
export { SliceReader } from './reader.js';
export { decodeRequest, encodeRequest, readRequest } from './request.js';
export { decodeResponse, decodeStatus, encodeResponse, encodeStatus, readResponse } from './response.js';
export { type Bytes, joined, type Slices, sliceBytes } from './slices.js';

/**
 * The layer that turns messages into announced units of bytes. The messages that go out are `Sent<S>` (byte vectors in one
 * Buffer or in slices), those that come in are `Received<R>` (byte vectors in slices).
 *
 * Throws `InvalidOptionError`. A connection fails with `ERR_VC_BINCODE` (bytes that are no message of the dialect),
 * `ERR_VC_LIMIT`, `ERR_VC_TRUNCATED`, `ERR_VC_LENGTH_MISMATCH`, or `ERR_VC_INVALID_ARGUMENT` (a message that the
 * dialect does not have).
 *
 * @example
 * const link = stack(bincode({ dialect: '2207', sends: 'request', receives: 'response' }), frame('tcp9')).over(socket);
 * link.write({ kind: 'NewTlsSession' });
 */
export function bincode<S extends Side, R extends Side>(options: BincodeOptions<S, R>): Layer<Sent<S>, BincodeChunk, Received<R>> {
  const { dialect, sends, receives, allowTrailing, maxMessageBytes } = bincodeOptions(options);
  const encode = (message: Sent<Side>): Slices =>
    sends === 'request' ? encodeRequest(message as Sent<'request'>, dialect) : encodeResponse(message as Sent<'response'>, dialect);
  const decode = (slices: Slices): Received<Side> =>
    receives === 'request' ? decodeRequest(slices, dialect, { allowTrailing }) : decodeResponse(slices, dialect, { allowTrailing });
  return layerOf<Sent<S>, BincodeChunk, Received<R>>({
    name: 'bincode',
    limits: { dialect, maxMessageBytes },
    encoder: () => new BincodeEncoder<Sent<Side>>(encode, maxMessageBytes),
    decoder: () => new BincodeDecoder(decode as (slices: Slices) => Received<R>, maxMessageBytes),
  });
}
