/** HTTP/1.1 by hand: what is sent is exactly what a case says. */
import { CaseFailed } from '../case.js';
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

/** One connection to an HTTP server. */
export class Http {
  readonly pipe: Pipe;

  constructor(pipe: Pipe) {
    this.pipe = pipe;
  }

  /** @param url `http://host:port` */
  static async connect(url: string, scope: Scope): Promise<Http> {
    return new Http(await Pipe.connect(url.replace(/^http:/, 'tcp:').replace(/\/$/, ''), scope));
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
      found = parse(bytes, this.pipe.over);
      return found !== undefined;
    });
    if (whole && found !== undefined) {
      this.pipe.drop(found.bytes);
      return found.answer;
    }
    if (this.pipe.over) return undefined;
    throw new CaseFailed(this.pipe.bytes.length === 0 ? 'no answer, the peer hangs' : 'half an answer, the peer hangs');
  }
}

interface Parsed {
  readonly answer: HttpAnswer;
  readonly bytes: number;
}

function parse(bytes: Buffer, over: boolean): Parsed | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const status = Number(line.split(' ')[1]);
  const headers: Record<string, string> = {};
  for (const text of lines) headers[(text.split(':')[0] as string).toLowerCase()] = text.slice(text.indexOf(':') + 1).trim();
  const found = bodyOf(bytes, end + 4, status, headers, over);
  return found === undefined ? undefined : { answer: { line, status, headers, body: found.body }, bytes: found.end };
}

interface Body {
  readonly body: Buffer;
  /** Where it ends. */
  readonly end: number;
}

function bodyOf(bytes: Buffer, start: number, status: number, headers: Record<string, string>, over: boolean): Body | undefined {
  if (status < 200 || status === 204) return { body: Buffer.alloc(0), end: start };
  if (headers['transfer-encoding'] === 'chunked') return chunksOf(bytes, start);
  const length = headers['content-length'];
  if (length === undefined) return over ? { body: bytes.subarray(start), end: bytes.length } : undefined;
  const end = start + Number(length);
  return bytes.length < end ? undefined : { body: bytes.subarray(start, end), end };
}

function chunksOf(bytes: Buffer, start: number): Body | undefined {
  const pieces: Buffer[] = [];
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    const end = line + 2 + size + 2;
    if (!(bytes.length >= end)) return undefined;
    if (size === 0) return { body: Buffer.concat(pieces), end };
    pieces.push(bytes.subarray(line + 2, end - 2));
    at = end;
  }
}
