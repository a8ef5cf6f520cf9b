import { BOUNDARY } from '../../core/unit.js';
import { isWhitespace, SessionRequestDecoder, SessionResponseDecoder } from '../../layers/session/index.js';
import { cipherRows, textRow } from './base64.js';
import type { Reading } from './reading.js';
import { type Region, type Rows, verdict } from './region.js';

const LAYER = 'session';

/** The rows of one HTTP body: the session id, and the base64 texts after it. */
export function* sessionRows(region: Region, reading: Reading): Rows {
  const { bytes } = region;
  const { id, error } = judge(bytes, reading);
  const stop = error?.offset ?? bytes.length;
  yield region.group(LAYER, reading.side === 'response' ? 'response body' : 'request body', 0, bytes.length);
  const inside = region.within();
  // The decoded bytes of all texts. Four letters give at most three bytes.
  const cipher = Buffer.allocUnsafe(Math.ceil((bytes.length * 3) / 4));
  let cipherBytes = 0;
  let idSeen = false;
  for (let at = 0; at < stop; ) {
    const blank = isWhitespace(bytes[at] as number);
    let next = at + 1;
    while (next < stop && isWhitespace(bytes[next] as number) === blank) next++;
    if (blank) yield inside.field(LAYER, 'white space', at, next - at);
    else if (idSeen) cipherBytes += (yield* textRow(region.part(at, next - at))).copy(cipher, cipherBytes);
    else if (id !== undefined) {
      yield inside.field(LAYER, 'session id', at, next - at, { value: id, ...(id === 0 && { name: 'a new session' }) });
      idSeen = true;
    }
    at = next;
  }
  if (error !== undefined) throw region.fault(error, stop);
  if (cipherBytes > 0) yield* cipherRows(inside, cipher.subarray(0, cipherBytes));
  else if (reading.side !== 'response') {
    yield inside.field(LAYER, 'no data', bytes.length, 0, { note: 'a request for output; an original server refuses it' });
  }
}

/** Runs the real decoder on the body. Gives the session id, and the error if there is one. */
function judge(bytes: Buffer, reading: Reading): { id: number | undefined; error: ReturnType<typeof verdict> } {
  if (reading.side !== 'response') {
    const request = new SessionRequestDecoder();
    const error = verdict(LAYER, () => {
      request.push(bytes);
      request.end();
    });
    return { id: request.id, error };
  }
  const response = new SessionResponseDecoder();
  const drain = () => {
    for (let item = response.next(); item !== undefined; item = response.next()) if (item === BOUNDARY) continue;
  };
  const error = verdict(LAYER, () => {
    response.push(bytes);
    drain();
    response.end();
    drain();
  });
  return { id: response.id, error };
}
