import { decodeBase64 } from '../../layers/base64/index.js';
import { prefixRows } from './length-prefix.js';
import type { Reading } from './reading.js';
import { recordRows } from './records.js';
import { asFarAsItGoes, type Region, type Rows, verdict } from './region.js';

const LAYER = 'base64';

/** The rows of one base64 text, which is all of `region`. Returns the decoded bytes. */
export function* textRow(region: Region): Rows<Buffer> {
  let decoded: Buffer = Buffer.alloc(0);
  const error = verdict(LAYER, () => {
    decoded = decodeBase64(region.bytes);
  });
  if (error !== undefined) throw region.fault(error, 0);
  yield region.field(LAYER, 'text', 0, region.bytes.length, { value: decoded });
  return decoded;
}

/** A base64 text and its contents: TLS records, or a length-prefixed message of the attestation server (wire spec §F). */
export function* base64Rows(region: Region, reading: Reading): Rows {
  const decoded = yield* textRow(region);
  if (reading.type.startsWith('ProxyAttestationServer')) {
    const inner = region.decodedTo(decoded);
    yield inner.group(LAYER, 'decoded', 0, decoded.length);
    yield* prefixRows(inner.within(), reading);
  } else {
    yield* cipherRows(region, decoded);
  }
}

/** The decoded bytes of one or more texts, as TLS records. Bytes that are not TLS do not make the text faulty. */
export function* cipherRows(region: Region, decoded: Buffer): Rows {
  const inner = region.decodedTo(decoded);
  yield inner.group(LAYER, 'decoded', 0, decoded.length);
  yield* asFarAsItGoes(recordRows(inner.within()), inner.within(), LAYER, 'bytes');
}
