import { FRAME_HEADERS, FrameDecoder, LENGTH_PREFIX_DEFAULTS, PREFIX_BYTES } from '../../layers/frame/index.js';
import { protobufRows } from './protobuf.js';
import type { Reading } from './reading.js';
import { asFarAsItGoes, type Region, type Rows } from './region.js';
import { type Unit, unitRows } from './units.js';

const LAYER = 'length-prefix';

/** The rows of length prefixes, and of the protobuf message after each. */
export function prefixRows(region: Region, reading: Reading): Rows {
  const decoder = new FrameDecoder(FRAME_HEADERS.be64, Number.MAX_SAFE_INTEGER);
  return unitRows(LAYER, decoder, PREFIX_BYTES, region, (unit) => oneMessage(unit, region, reading));
}

function* oneMessage({ count, at, announced, got }: Unit, region: Region, reading: Reading): Rows {
  const long = announced > LENGTH_PREFIX_DEFAULTS.maxMessageBytes;
  yield region.group(LAYER, `message ${count}`, at, PREFIX_BYTES + got);
  yield region.within().field(LAYER, 'length', at, PREFIX_BYTES, {
    value: announced,
    ...(long && { note: `more than maxMessageBytes by default, ${LENGTH_PREFIX_DEFAULTS.maxMessageBytes}` }),
  });
  const message = region.part(at + PREFIX_BYTES, got);
  const rows = protobufRows(message, reading, announced);
  if (got === announced) yield* rows;
  else yield* asFarAsItGoes(rows, message, LAYER, 'message (incomplete)', `${got} of ${announced} bytes`);
}
