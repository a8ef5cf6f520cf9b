/** HTTP/1.1 by hand: what is sent is exactly what a case says. */
import { CaseFailed, shown } from '../case.js';
import type { Scope } from '../scope.js';
import { Pipe } from './pipe.js';

export interface HttpAnswer {
  /** The status line, without its end. */
  readonly line: string;
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface PostShape {
  readonly method?: string;
  readonly path?: string;
  /** Lines, each with its `\r\n`. */
  readonly headers?: string;
}

/** The bytes of a request with a body. */
export function post(body: Buffer | string, { method = 'POST', path = '/runtime_manager', headers = '' }: PostShape = {}): Buffer {
  const bytes = Buffer.from(body);
  const head = `${method} ${path} HTTP/1.1\r\nHost: conformance\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** Where the server of a URL listens, as an address of TCP. */
function tcpOf(url: string): string {
  return url.replace(/^http:/, 'tcp:').replace(/\/$/, '');
}

/** One connection to an HTTP server. */
export class Http {
  readonly pipe: Pipe;
  /** How far the chunks of the next answer were read: a look at each piece of it would read all of them again. */
  #chunks: Chunks | undefined;

  constructor(pipe: Pipe) {
    this.pipe = pipe;
  }

  /** @param url `http://host:port` */
  static async connect(url: string, scope: Scope): Promise<Http> {
    return new Http(await Pipe.connect(tcpOf(url), scope));
  }

  async send(bytes: Buffer): Promise<HttpAnswer> {
    this.pipe.write(bytes);
    return this.answer();
  }

  /** The next answer. @throws CaseFailed when none comes, or the connection ends before */
  async answer(): Promise<HttpAnswer> {
    const found = await this.refusal();
    if (found !== undefined) return found;
    throw new CaseFailed('the connection ended without an answer');
  }

  /** The next answer; undefined when the connection was ended instead. @throws CaseFailed when neither comes */
  async refusal(): Promise<HttpAnswer | undefined> {
    let found: Parsed | undefined;
    const whole = await this.pipe.comes((bytes) => {
      checkHead(bytes);
      found = this.#parse(bytes);
      return found !== undefined;
    });
    if (whole && found !== undefined) {
      this.pipe.drop(found.bytes);
      this.#chunks = undefined;
      return found.answer;
    }
    if (this.pipe.over) return undefined;
    throw new CaseFailed(this.pipe.bytes.length === 0 ? 'no answer, the peer hangs' : 'half an answer, the peer hangs');
  }

  #parse(bytes: Buffer): Parsed | undefined {
    const head = headOf(bytes);
    if (head === undefined) return undefined;
    const { line, status, headers, end } = head;
    if (headers['transfer-encoding'] === 'chunked' && status >= 200 && status !== 204) {
      this.#chunks ??= { at: end, ranges: [] };
      const found = chunksOf(bytes, this.#chunks);
      return found && { answer: { line, status, headers, body: found.body }, bytes: found.end };
    }
    const found = bodyOf(bytes, end, status, headers, this.pipe.over);
    return found && { answer: { line, status, headers, body: found.body }, bytes: found.end };
  }
}

interface Parsed {
  readonly answer: HttpAnswer;
  readonly bytes: number;
}

const VERSION = Buffer.from('HTTP/1.');
/** Bytes of a head that are read. */
const MAX_HEAD_BYTES = 65_536;

/** What cannot become an answer is told at once, and not waited for. @throws CaseFailed */
function checkHead(bytes: Buffer): void {
  const length = Math.min(bytes.length, VERSION.length);
  if (!bytes.subarray(0, length).equals(VERSION.subarray(0, length))) throw new CaseFailed(`no answer of HTTP/1: ${shown(bytes)}`);
  const head = bytes.subarray(0, MAX_HEAD_BYTES);
  if (head.length === MAX_HEAD_BYTES && !head.includes('\r\n\r\n')) throw new CaseFailed(`a head of more than ${MAX_HEAD_BYTES} bytes`);
}

interface Head extends Omit<HttpAnswer, 'body'> {
  /** Where it ends. */
  readonly end: number;
}

function headOf(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(line.split(' ')[1]);
  const headers: Record<string, string> = {};
  for (const text of lines) headers[(text.split(':')[0] as string).toLowerCase()] = text.slice(text.indexOf(':') + 1).trim();
  return { line, status, headers, end: end + 4 };
}

interface Body {
  readonly body: Buffer;
  /** Where it ends. */
  readonly end: number;
}

function bodyOf(bytes: Buffer, start: number, status: number, headers: Record<string, string>, over: boolean): Body | undefined {
  if (status < 200 || status === 204) return { body: Buffer.alloc(0), end: start };
  const length = headers['content-length'];
  if (length === undefined) return over ? { body: bytes.subarray(start), end: bytes.length } : undefined;
  if (!/^\d{1,15}$/.test(length)) throw new CaseFailed(`the content-length is ${length.slice(0, 80)}`);
  const end = start + Number(length);
  return bytes.length < end ? undefined : { body: bytes.subarray(start, end), end };
}

/** Chunks of a body that have been read. */
interface Chunks {
  /** Where the next one begins. */
  at: number;
  /** Beginning and end of the bytes of each. */
  readonly ranges: (readonly [start: number, end: number])[];
}

/** The body, when its last chunk is there. */
function chunksOf(bytes: Buffer, chunks: Chunks): Body | undefined {
  for (;;) {
    const { at, ranges } = chunks;
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const digits = /^[0-9a-f]{1,8}(?=[ \t]*(;|$))/i.exec(bytes.toString('latin1', at, line))?.[0];
    if (digits === undefined) throw new CaseFailed(`the size of a chunk is ${bytes.toString('latin1', at, Math.min(line, at + 80))}`);
    const size = Number.parseInt(digits, 16);
    const end = line + 2 + size + 2;
    if (bytes.length < end) return undefined;
    if (size === 0) return { body: Buffer.concat(ranges.map(([from, to]) => bytes.subarray(from, to))), end };
    chunks.at = end;
    ranges.push([line + 2, end - 2]);
  }
}
