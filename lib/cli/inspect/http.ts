import { base64Rows } from './base64.js';
import { beginsChunk, chunkedRows, cut, fault, type Head, HTTP, headRows } from './http-framing.js';
import type { Reading } from './reading.js';
import { isSound, type Region, type Rows } from './region.js';
import { sessionRows } from './session.js';

/** Paths of a Server, whose bodies are texts of a session (wire spec §C). */
const SESSION = /^\/runtime_manager\b/;
/** Paths of the attestation server, whose bodies are base64 of a message (wire spec §F). */
const ATTESTATION = /^\/(?:Start|PSA|Nitro|VerifyPAT)\b/;

/**
 * The rows of saved HTTP/1.1 messages, heads and bodies: requests, responses, or both. Each response belongs to the first
 * request before it that has none yet. A body is read as the path of its request says; where there is no request, as the text
 * of a session, if it is one.
 */
export function* httpRows(region: Region, reading: Reading): Rows {
  const asked: (string | undefined)[] = [];
  for (let at = 0, count = 1; at < region.bytes.length; count++) {
    const head = yield* headRows(region, at, count);
    if (head.side === 'request') asked.push(head.path);
    // An interim response is not the one that was asked for.
    const path = head.side === 'request' ? head.path : head.status < 200 ? asked[0] : asked.shift();
    at = yield* framedRows(region, head, path, reading);
  }
}

/** The body behind a head, as the head frames it. Gives the offset behind it. */
function* framedRows(region: Region, head: Head, path: string | undefined, reading: Reading): Rows<number> {
  const { end: at, headers } = head;
  const chunked = /\bchunked$/i.test(headers.get('transfer-encoding') ?? '');
  if (chunked && beginsChunk(region, at)) {
    const { body, end } = yield* chunkedRows(region, at);
    yield* bodyRows(region.decodedTo(body), head, path, reading);
    return end;
  }
  const left = region.bytes.length - at;
  const length = headers.get('content-length') ?? (!chunked && hasNoBody(head) ? '0' : String(left));
  if (!/^\d{1,15}$/.test(length)) throw region.fault(fault('content-length is no number', 'digits'), at);
  const got = Math.min(Number(length), left);
  const rows = () => bodyRows(region.slice(at, got), head, path, reading);
  if (got === Number(length)) {
    yield* rows();
    return at + got;
  }
  // What is in a body that is cut may be faulty for that reason alone.
  if (isSound(rows())) yield* rows();
  throw region.fault(cut('body', got, Number(length)), region.bytes.length);
}

/** Where the head does not tell the length of its body: there is none, or, of a response, it goes on to the end. */
function hasNoBody({ side, status }: Head): boolean {
  return side === 'request' || status < 200 || status === 204 || status === 304;
}

function* bodyRows(body: Region, head: Head, path: string | undefined, reading: Reading): Rows {
  if (body.bytes.length === 0) return;
  yield body.group(HTTP, 'body', 0, body.bytes.length);
  yield* contentRows(body.within(), head, path, reading);
}

function contentRows(body: Region, { side, status }: Head, path: string | undefined, reading: Reading): Rows {
  // A refusal has a text for people.
  const refused = side === 'response' && (status < 200 || status > 299);
  if (refused || (path !== undefined && !SESSION.test(path) && !ATTESTATION.test(path))) return plainRows(body);
  if (path !== undefined && ATTESTATION.test(path)) {
    const type = side === 'request' ? 'ProxyAttestationServerRequest' : 'ProxyAttestationServerResponse';
    return base64Rows(body, { ...reading, layer: 'base64', side, type });
  }
  const rows = () => sessionRows(body, { ...reading, layer: 'session', side });
  return path === undefined && !isSound(rows()) ? plainRows(body) : rows();
}

function* plainRows(body: Region): Rows {
  yield body.field(HTTP, 'text', 0, body.bytes.length, { value: body.bytes.toString() });
}
