import { RECORD_HEADER_BYTES, RECORD_TYPES, RecordHeaderReader } from '../../layers/formats/tls-record.js';
import { RecordDecoder } from '../../layers/records/index.js';
import { type Region, type Rows, verdict } from './region.js';

const LAYER = 'records';

/** The rows of TLS records. Their contents are ciphertext, which cannot be read without keys. */
export function* recordRows(region: Region): Rows {
  const { bytes } = region;
  const decoder = new RecordDecoder();
  const refused = verdict(LAYER, () => decoder.push(bytes));
  const error = refused ?? verdict(LAYER, () => decoder.end());
  // The rows end before a header that the decoder refuses. A record that is cut short is shown as far as its bytes go.
  const stop = refused?.offset ?? bytes.length;
  const headers = new RecordHeaderReader();
  for (let at = 0, count = 1; at + RECORD_HEADER_BYTES <= stop; count++) {
    headers.feed(bytes.subarray(at, at + RECORD_HEADER_BYTES));
    const { type, version, length } = headers;
    const got = headers.body(bytes.length - at - RECORD_HEADER_BYTES);
    yield region.group(LAYER, `record ${count}`, at, RECORD_HEADER_BYTES + got);
    const inside = region.within();
    yield inside.field(LAYER, 'type', at, 1, { value: type, name: RECORD_TYPES[type] ?? 'unknown' });
    yield inside.field(LAYER, 'version', at + 1, 2, { value: version, name: 'legacy' });
    yield inside.field(LAYER, 'length', at + RECORD_HEADER_BYTES - 2, 2, { value: length });
    const body = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + got);
    yield inside.field(LAYER, 'ciphertext', at + RECORD_HEADER_BYTES, got, {
      value: body,
      ...(got < length && { note: `${got} of ${length} bytes: the record goes on elsewhere` }),
    });
    at += RECORD_HEADER_BYTES + got;
  }
  if (error !== undefined) throw region.fault(error, stop);
}
