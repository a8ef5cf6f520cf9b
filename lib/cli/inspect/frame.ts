import { FRAME_DEFAULTS, FRAME_HEADERS, FrameDecoder } from '../../layers/frame/index.js';
import { bincodeRows } from './bincode.js';
import type { Reading } from './reading.js';
import { asFarAsItGoes, type Region, type Rows } from './region.js';
import { type Unit, unitRows } from './units.js';

/** The rows of frames, and of the bincode message in each. */
export function frameRows(region: Region, reading: Reading): Rows {
  const header = FRAME_HEADERS[reading.frame];
  return unitRows('frame', new FrameDecoder(header, header.maxLength), header.bytes, region, (unit) => oneFrame(unit, region, reading));
}

function* oneFrame({ count, at, announced, got }: Unit, region: Region, reading: Reading): Rows {
  const header = FRAME_HEADERS[reading.frame];
  const { lengthBytes } = header;
  const long = announced > FRAME_DEFAULTS.maxFrameBytes;
  yield region.group('frame', `frame ${count}`, at, header.bytes + got);
  const inside = region.within();
  yield inside.field('frame', 'length', at, lengthBytes, {
    value: announced,
    ...(long && { note: `more than maxFrameBytes by default, ${FRAME_DEFAULTS.maxFrameBytes}` }),
  });
  if (header.bytes > lengthBytes) {
    const value = region.bytes[at + lengthBytes] as number;
    yield inside.field('frame', 'unused', at + lengthBytes, 1, { value, ...(value !== 0 && { note: 'written as 0, never looked at' }) });
  }
  const payload = region.part(at + header.bytes, got);
  const rows = bincodeRows(payload, reading);
  if (got === announced) yield* rows;
  else yield* asFarAsItGoes(rows, payload, 'frame', 'payload (incomplete)', `${got} of ${announced} bytes`);
}
