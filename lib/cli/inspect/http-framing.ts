/** The framing of HTTP/1.1 (RFC 9112): heads, and bodies in chunks. */
import { TransportError } from '../../core/errors.js';
import { looksLikeCurlTrace } from './curl-trace.js';
import { FaultFound, type Region, type Rows } from './region.js';

export const HTTP = 'http';
const REQUEST = /^[A-Z]+ (\S+) HTTP\/1\.[01]$/;
const STATUS = /^HTTP\/1\.[01] (\d{3})(?: .*)?$/;
const HEADER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):(.*)$/;
const CHUNK_SIZE = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i;
const LINE_FEED = 0x0a;
/** Bytes of a line that are read. */
const MAX_LINE_BYTES = 65_536;

/** The head of a message. */
export interface Head {
  /** Offset of the first byte behind it. */
  readonly end: number;
  readonly side: 'request' | 'response';
  /** Of a request. */
  readonly path: string | undefined;
  /** Of a response; 0 in a request. */
  readonly status: number;
  /** By their names in small letters. */
  readonly headers: ReadonlyMap<string, string>;
}

interface Line {
  readonly text: string;
  /** Offset of the first byte behind it. */
  readonly end: number;
}

/** The rows of the head that begins at `from`. */
export function* headRows(region: Region, from: number, count: number): Rows<Head> {
  const { text } = lineAt(region, from);
  const request = REQUEST.exec(text);
  const status = STATUS.exec(text);
  if (request === null && status === null) throw region.fault(noMessage(region, from), from);
  const side = request === null ? 'response' : 'request';
  const lines = () => lineRows(region, from, request === null ? 'status line' : 'request line');
  yield region.group(HTTP, `${side} ${count}`, from, endOf(lines(), ({ end }) => end, region) - from);
  return { ...(yield* lines()), side, path: request?.[1], status: Number(status?.[1] ?? 0) };
}

function* lineRows(region: Region, from: number, first: string): Rows<Pick<Head, 'end' | 'headers'>> {
  const inside = region.within();
  const headers = new Map<string, string>();
  const begin = lineAt(region, from);
  yield inside.field(HTTP, first, from, begin.end - from, { value: begin.text });
  for (let at = begin.end; ; ) {
    const { text, end } = lineAt(region, at);
    if (text === '') {
      yield inside.field(HTTP, 'end of the head', at, end - at);
      return { end, headers };
    }
    const [, name, value = ''] = HEADER.exec(text) ?? [];
    if (name === undefined) throw region.fault(fault('the line is no header', 'name: value'), at);
    headers.set(name.toLowerCase(), value.trim());
    yield inside.field(HTTP, name, at, end - at, { value: value.trim() });
    at = end;
  }
}

/** Whether a body that should be in chunks is. `curl -i` shows the head as it came, and the body without its chunks. */
export function beginsChunk({ bytes }: Region, at: number): boolean {
  const [line = ''] = bytes.toString('latin1', at, at + MAX_LINE_BYTES).split('\n', 1);
  return at >= bytes.length || CHUNK_SIZE.test(line.replace(/\r$/, ''));
}

/** The rows of a body in chunks that begins at `from`. Gives what is in the chunks, and the offset behind the last. */
export function* chunkedRows(region: Region, from: number): Rows<{ readonly body: Buffer; readonly end: number }> {
  yield region.group(HTTP, 'chunks', from, endOf(chunkRows(region, from), ({ end }) => end, region) - from);
  return yield* chunkRows(region, from);
}

function* chunkRows(region: Region, from: number): Rows<{ readonly body: Buffer; readonly end: number }> {
  const inside = region.within();
  const chunks: Buffer[] = [];
  for (let at = from; ; ) {
    const head = lineAt(region, at);
    const size = Number.parseInt(CHUNK_SIZE.exec(head.text)?.[1] ?? '', 16);
    if (Number.isNaN(size)) throw region.fault(fault('the line is no size of a chunk', 'hexadecimal digits'), at);
    yield inside.field(HTTP, 'chunk size', at, head.end - at, { value: size });
    const chunk = region.bytes.subarray(head.end, head.end + size);
    if (size > 0) yield inside.field(HTTP, 'chunk', head.end, chunk.length, { value: chunk });
    if (chunk.length < size) throw region.fault(cut('chunk', chunk.length, size), region.bytes.length);
    chunks.push(chunk);
    const end = lineAt(region, head.end + size);
    if (end.text !== '') throw region.fault(fault('no line ends behind the chunk', 'CR LF'), head.end + size);
    yield inside.field(HTTP, 'end of the chunk', head.end + size, end.end - head.end - size);
    at = end.end;
    if (size === 0) return { body: Buffer.concat(chunks), end: at };
  }
}

/** The error for a body or chunk of which only some bytes are there. */
export function cut(what: string, got: number, expected: number): TransportError {
  return new TransportError(`the ${what} is cut: ${got} of ${expected} bytes`, { layer: HTTP, expected, got });
}

export function fault(message: string, expected: string): TransportError {
  return new TransportError(message, { layer: HTTP, expected });
}

/** Where rows end, without showing them; at a fault, where the region does. */
function endOf<T>(rows: Rows<T>, end: (result: T) => number, region: Region): number {
  try {
    for (let row = rows.next(); ; row = rows.next()) if (row.done === true) return end(row.value);
  } catch (thrown) {
    if (thrown instanceof FaultFound) return region.bytes.length;
    throw thrown;
  }
}

/** The line at an offset, without its end, which is LF or CR LF. */
function lineAt(region: Region, at: number): Line {
  const { bytes } = region;
  const feed = bytes.subarray(0, at + MAX_LINE_BYTES).indexOf(LINE_FEED, at);
  if (feed >= 0) return { text: bytes.toString('latin1', at, feed).replace(/\r$/, ''), end: feed + 1 };
  if (at === 0) throw region.fault(noMessage(region, at), at);
  const got = Math.max(0, bytes.length - at);
  throw region.fault(new TransportError(`a line of ${got} bytes has no end`, { layer: HTTP, got }), bytes.length);
}

function noMessage(region: Region, at: number): TransportError {
  const curl = at === 0 && looksLikeCurlTrace(region.bytes.toString('latin1', 0, 256));
  return fault(`no HTTP/1.1 message begins here${curl ? '; for a trace of curl: --input curl' : ''}`, 'a request line or a status line');
}
