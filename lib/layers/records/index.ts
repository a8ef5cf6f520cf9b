import { givenRecord, integerInRange, optionsOf } from '../../core/check.js';
import { CodecStream } from '../../core/codec-stream.js';
import type { Connection } from '../../core/connection.js';
import type { Layer } from '../../core/layer.js';
import type { CipherChunk, RecordChunk } from '../../core/unit.js';
import { MAX_RECORD_BODY_BYTES } from '../formats/tls-record.js';
import { RecordDecoder } from './decoder.js';
import { RECORDS } from './header.js';
import { RecordsOutbound } from './outbound.js';

export { RecordDecoder } from './decoder.js';
export { RecordEncoder } from './encoder.js';

/** Options of `records()`. */
export interface RecordsOptions {
  /**
   * Bytes of records that one unit (one POST) may hold, 0 to 2^30. A unit always holds at least one record. Default 0: one
   * record a unit, as the original client does. An original server takes 11 full records (180,466 bytes) a POST. A
   * function is called for each record, because the limit of a server may become known while the connection runs.
   */
  batchBytes?: number | (() => number);
  /**
   * Milliseconds after which a unit is closed that is not full and that no mark has closed: 1 to 60,000, counted from its first
   * record. Default 100. A mark follows each message, so the timer matters only for a message whose sender is slow. Without
   * effect when `batchBytes` is 0.
   */
  maxDelayMs?: number;
}

/** Defaults of `RecordsOptions`. */
export const RECORDS_DEFAULTS = Object.freeze({ batchBytes: 0, maxDelayMs: 100 });

function checked(options: RecordsOptions) {
  const { batchBytes = RECORDS_DEFAULTS.batchBytes, maxDelayMs = RECORDS_DEFAULTS.maxDelayMs } = givenRecord('options', options);
  if (typeof batchBytes !== 'function') integerInRange('batchBytes', batchBytes, 0, 2 ** 30);
  return { batchBytes, maxDelayMs: integerInRange('maxDelayMs', maxDelayMs, 1, 60_000) };
}

/**
 * TLS records (RFC 8446 §5.1) between TLS and a layer that has units. Outbound it cuts ciphertext at the ends of records.
 * Inbound it checks the record headers, so that bytes that cannot be TLS are refused before TLS gets them.
 *
 * @throws InvalidOptionError
 * @example
 * stack(lengthPrefix(), tls({ role: 'client', certificate, key, authority }), records({ batchBytes: 1_048_576 }), base64(), session({ end: 'client' }));
 */
export function records(options: RecordsOptions = {}): Layer<CipherChunk, RecordChunk> {
  const { batchBytes, maxDelayMs } = optionsOf(RECORDS, () => checked(options));
  return Object.freeze({
    name: RECORDS,
    limits: Object.freeze({
      batchBytes: typeof batchBytes === 'number' ? batchBytes : 'as the server says',
      maxRecordBodyBytes: MAX_RECORD_BODY_BYTES,
    }),
    outbound: (connection?: Connection) => new RecordsOutbound(batchBytes, maxDelayMs, connection),
    inbound: (connection?: Connection) => new CodecStream(RECORDS, new RecordDecoder(), connection),
    decoder: () => new RecordDecoder(),
  });
}
