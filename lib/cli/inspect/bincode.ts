import { BINCODE_DEFAULTS, readRequest, readResponse, STATUSES } from '../../layers/bincode/index.js';
import type { Reading } from './reading.js';
import { RecordingReader } from './recording-reader.js';
import { recordRows } from './records.js';
import { asFarAsItGoes, type Region, type Rows, verdict } from './region.js';

const LAYER = 'bincode';
/** The field of SendTlsData and TlsData that holds TLS records. */
const CIPHER_FIELD = 'data';

/** The rows of one message, which is all of `region`, and of the TLS records in it. */
export function* bincodeRows(region: Region, reading: Reading): Rows {
  const { bytes } = region;
  const reader = new RecordingReader(bytes);
  const error = verdict(LAYER, () => {
    if (reading.side === 'status') reader.variant('the status', STATUSES);
    else if (reading.side === 'request') readRequest(reader, reading.dialect);
    else readResponse(reader, reading.dialect);
    reader.finish(false);
  });
  const kind = reader.fields[0]?.name;
  yield region.group(LAYER, reading.side, 0, bytes.length, {
    ...(kind !== undefined && { name: kind }),
    ...(bytes.length > BINCODE_DEFAULTS.maxMessageBytes && {
      note: `more than maxMessageBytes by default, ${BINCODE_DEFAULTS.maxMessageBytes}`,
    }),
  });
  const inside = region.within();
  for (const { field, offset, length, ...remarks } of reader.fields) {
    if (field === CIPHER_FIELD && length > 0) {
      yield inside.group(LAYER, field, offset, length, remarks);
      const data = inside.part(offset, length);
      yield* asFarAsItGoes(recordRows(data), data, LAYER, 'bytes');
    } else {
      yield inside.field(LAYER, field, offset, length, remarks);
    }
  }
  if (error !== undefined) throw region.fault(error, reader.offset);
}
