import { LimitError, RecordError } from '../../core/errors.js';
import { MAX_RECORD_BODY_BYTES, type RecordHeaderCheck } from '../formats/tls-record.js';

/** Name of the layer. */
export const RECORDS = 'records';
const FIRST_TYPE = 20;
const LAST_TYPE = 23;
/** The version in a record is 0x0303, in a ClientHello also 0x0301 (RFC 8446 §5.1). */
const VERSION_MAJOR = 3;

/**
 * Refuses an invalid byte `index` (0 to 2) of a record header, as soon as the byte has come.
 * @param offset of the byte in the stream
 * @throws RecordError
 */
function checkHeaderByte(index: number, byte: number, offset: number): void {
  if (index === 0 && (byte < FIRST_TYPE || byte > LAST_TYPE)) {
    throw new RecordError(`no TLS record has type ${byte}`, {
      layer: RECORDS,
      expected: `${FIRST_TYPE}..${LAST_TYPE}`,
      got: byte,
      offset,
    });
  }
  if ((index === 1 && byte !== VERSION_MAJOR) || (index === 2 && byte !== 1 && byte !== 3)) {
    throw new RecordError(`no TLS record has ${byte} in byte ${index} of its header`, {
      layer: RECORDS,
      expected: index === 1 ? '3' : '1 or 3',
      got: byte,
      offset,
    });
  }
}

/**
 * Refuses a record body of `length` bytes that is larger than TLS allows.
 * @param offset of the length in the stream
 * @throws LimitError
 */
function checkBodyLength(length: number, offset: number): void {
  if (length <= MAX_RECORD_BODY_BYTES) return;
  throw new LimitError(`a TLS record of ${length} bytes is announced, the largest has ${MAX_RECORD_BODY_BYTES}`, {
    layer: RECORDS,
    limit: MAX_RECORD_BODY_BYTES,
    got: length,
    offset,
  });
}

/** The checks of this layer, the same in both directions. */
export const RECORD_CHECK: RecordHeaderCheck = Object.freeze({ byte: checkHeaderByte, length: checkBodyLength });
