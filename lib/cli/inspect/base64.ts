import { decodeBase64 } from '../../layers/base64/index.js';
import { prefixRows } from './length-prefix.js';
import type { Reading } from './reading.js';
import { recordRows } from './records.js';
import { asFarAsItGoes, type Region, type Rows, verdict } from './region.js';

const LAYER = 'base64';

/** One text, which is all of `region`; gives what it decodes to. */
export function* textRow(region: Region): Rows<Buffer> {
  let decoded: Buffer = Buffer.alloc(0);
  const error = verdict(LAYER, () => {
    decoded = decodeBase64(region.bytes);
  });
  if (error !== undefined) throw region.fault(error, 0);
  yield region.field(LAYER, 'text', 0, region.bytes.length, { value: decoded });
  return decoded;
}

/** A text, and in it TLS records, or a prefixed message where it is one of the attestation server (wire spec §F). */
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

/** The ciphertext that one or more texts decode to. That it is no TLS is no fault of the text. */
export function* cipherRows(region: Region, decoded: Buffer): Rows {
  const inner = region.decodedTo(decoded);
  yield inner.group(LAYER, 'decoded', 0, decoded.length);
  yield* asFarAsItGoes(recordRows(inner.within()), inner.within(), LAYER, 'bytes');
}
