/**
 * Peers that are not ours: the link's messages by hand-written bytes (wire spec §D), HTTP over a bare socket, and a TCP
 * proxy that looks at what passes. Nothing here goes through a layer of the library.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Test } from 'tap';
import { HANG_MS } from './time.js';

type T = Pick<Test, 'teardown'>;

/** `promise`, or an error that says what hung. */
export async function within<V>(what: string, promise: Promise<V>, ms = HANG_MS): Promise<V> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs: ${what}`)), ms);
  });
  return Promise.race([promise, hang]).finally(() => clearTimeout(timer));
}

/** Waits until `holds`, asking at every turn. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + HANG_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never came about: ${what}`);
    await new Promise((go) => setTimeout(go, 5));
  }
}

/** Counts the requests that the HTTP servers of this process have parsed. */
export function countRequests(t: T): () => number {
  let count = 0;
  const onStart = () => count++;
  subscribe('http.server.request.start', onStart);
  t.teardown(() => unsubscribe('http.server.request.start', onStart));
  return () => count;
}

/** How a TLS session begins: the first bytes of a ClientHello, and `hello`. No manager of the tests looks further. */
export const HELLO = Buffer.concat([Buffer.from('160301020001' + '0001fc0303', 'hex'), Buffer.from('hello')]);
/** Options of a Server whose sessions never get beyond their HELLO, because its manager speaks no TLS. */
export const NO_TLS = Object.freeze({
  maxHandshakeBytes: 0,
  maxHandshakes: 2 ** 20,
  maxUnadmittedSessions: 2 ** 20,
  maxUnadmittedSessionsPerAddress: 0,
});

/** The headers with which the client of the last session in `up`, what it sent, shows the session's secret. */
export function secretOf(up: Buffer): Record<string, string> {
  const secret = [...up.toString('latin1').matchAll(/x-veracruz-session-secret: (\S+)/g)].at(-1)?.[1];
  if (secret === undefined) throw new Error('no secret was shown');
  return { 'x-veracruz-session-secret': secret };
}

// ── The link ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

const vector = (data: Buffer) => Buffer.concat([u64(data.length), data]);

/** `length u64 LE │ 00 │ payload` */
export function framed(payload: Buffer): Buffer {
  return Buffer.concat([u64(payload.length), Buffer.of(0), payload]);
}

/** The payloads of frames, as their bytes come. */
export class Deframer {
  #bytes: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Buffer[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const payloads: Buffer[] = [];
    while (this.#bytes.length >= 9) {
      const length = Number(this.#bytes.readBigUInt64LE());
      if (this.#bytes.length < 9 + length) break;
      payloads.push(this.#bytes.subarray(9, 9 + length));
      this.#bytes = this.#bytes.subarray(9 + length);
    }
    return payloads;
  }
}

/** Requests of the 2207 dialect. */
export const ask = {
  close: (session: number) => Buffer.concat([u32(1), u32(session)]),
  get: (session: number) => Buffer.concat([u32(2), u32(session)]),
  needed: (session: number) => Buffer.concat([u32(3), u32(session)]),
  open: () => u32(5),
  reset: () => u32(6),
  send: (session: number, data: Buffer) => Buffer.concat([u32(7), u32(session), vector(data)]),
};

/** Answers of the 2207 dialect. */
export const tell = {
  success: Buffer.concat([u32(1), u32(0)]),
  fail: Buffer.concat([u32(1), u32(1)]),
  unimplemented: Buffer.concat([u32(1), u32(2)]),
  data: (data: Buffer, active = true) => Buffer.concat([u32(2), vector(data), Buffer.of(active ? 1 : 0)]),
  needed: (needed: boolean) => Buffer.concat([u32(3), Buffer.of(needed ? 1 : 0)]),
  session: (id: number) => Buffer.concat([u32(4), u32(id)]),
};

/** The ciphertext of a TlsData answer. */
export function dataOf(answer: Buffer): Buffer {
  if (answer.readUInt32LE() !== 2) throw new Error(`no TlsData: ${answer.toString('hex')}`);
  return answer.subarray(12, 12 + Number(answer.readBigUInt64LE(4)));
}

export interface ForeignRequest {
  readonly kind: 'close' | 'get' | 'needed' | 'open' | 'reset' | 'send' | 'other';
  readonly session: number;
  readonly data: Buffer;
  /** All of it, without its frame. */
  readonly payload: Buffer;
}

const KINDS: Readonly<Record<number, ForeignRequest['kind']>> = { 1: 'close', 2: 'get', 3: 'needed', 5: 'open', 6: 'reset', 7: 'send' };

function parse(payload: Buffer): ForeignRequest {
  const kind = KINDS[payload.readUInt32LE()] ?? 'other';
  return {
    kind,
    session: payload.length >= 8 ? payload.readUInt32LE(4) : 0,
    data: kind === 'send' ? payload.subarray(16, 16 + Number(payload.readBigUInt64LE(8))) : Buffer.alloc(0),
    payload,
  };
}

/** What a foreign manager does with a request: an answer, or nothing at all. */
export type Behaviour = (
  request: ForeignRequest,
  socket: Socket,
) => Buffer | readonly Buffer[] | undefined | Promise<Buffer | readonly Buffer[] | undefined>;

/** A Runtime Manager of another make: takes one request at a time, in order, as the original does. */
export interface ForeignManager {
  readonly address: string;
  /** All requests, in the order of arrival. */
  readonly requests: ForeignRequest[];
  readonly links: Set<Socket>;
  /** Bytes that came, frames included. */
  readonly seen: Buffer[];
}

export async function foreignManager(t: T, behave: Behaviour): Promise<ForeignManager> {
  const requests: ForeignRequest[] = [];
  const seen: Buffer[] = [];
  const { port, sockets } = await tcpServer(t, (socket) => {
    const deframer = new Deframer();
    let turn = Promise.resolve();
    socket.on('data', (chunk: Buffer) => {
      seen.push(chunk);
      for (const payload of deframer.push(chunk)) {
        turn = turn.then(async () => {
          const request = parse(payload);
          requests.push(request);
          const answers = await behave(request, socket);
          if (answers === undefined || socket.destroyed) return;
          for (const answer of Buffer.isBuffer(answers) ? [answers] : answers) socket.write(framed(answer));
        });
      }
    });
  });
  return { address: `tcp://127.0.0.1:${port}`, requests, links: sockets, seen };
}

/** Gives back what it is sent, as ciphertext: one TlsData for each SendTlsData. */
export function echoing(more: Partial<Record<ForeignRequest['kind'], Behaviour>> = {}): Behaviour {
  const waiting = new Map<number, Buffer[]>();
  let last = 0;
  return (request, socket) => {
    const own = more[request.kind];
    if (own !== undefined) return own(request, socket);
    const queue = waiting.get(request.session);
    switch (request.kind) {
      case 'open':
        waiting.set(++last, []);
        return tell.session(last);
      case 'send':
        queue?.push(Buffer.from(request.data));
        return queue === undefined ? tell.fail : tell.success;
      case 'needed':
        return queue === undefined ? tell.fail : tell.needed(queue.length > 0);
      case 'get': {
        const data = queue?.shift();
        return data === undefined ? tell.fail : tell.data(data);
      }
      case 'close':
        waiting.delete(request.session);
        return tell.success;
      default:
        return tell.unimplemented;
    }
  };
}

/** A Server of another make: raw requests, answers in order. */
export class ForeignServer {
  readonly socket: Socket;
  readonly #deframer = new Deframer();
  readonly #answers: Buffer[] = [];
  readonly #waiting: ((answer: Buffer) => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const answer of this.#deframer.push(chunk)) {
        const wake = this.#waiting.shift();
        if (wake === undefined) this.#answers.push(answer);
        else wake(answer);
      }
    });
  }

  static async connect(t: T, port: number): Promise<ForeignServer> {
    const server = new ForeignServer(await dial(t, port));
    return server;
  }

  /** Sends requests in one write. */
  post(...requests: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(requests.map(framed)));
  }

  /** The next answer. */
  answer(): Promise<Buffer> {
    const answer = this.#answers.shift();
    const due = answer !== undefined ? Promise.resolve(answer) : new Promise<Buffer>((resolve) => this.#waiting.push(resolve));
    return within('an answer of the manager', due);
  }

  async call(request: Buffer): Promise<Buffer> {
    this.post(request);
    return this.answer();
  }

  /** Opens a session; gives its id. */
  async open(): Promise<number> {
    const answer = await this.call(ask.open());
    if (answer.readUInt32LE() !== 4) throw new Error(`no TlsSession: ${answer.toString('hex')}`);
    return answer.readUInt32LE(4);
  }

  /** Ciphertext that the manager has for the client, as long as it says that there is some. */
  async fetch(session: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    while ((await this.call(ask.needed(session))).equals(tell.needed(true))) pieces.push(dataOf(await this.call(ask.get(session))));
    return Buffer.concat(pieces);
  }
}

// ── TCP ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A listening socket and its connections, gone with the test. */
export async function tcpServer(t: T, onSocket: (socket: Socket) => void): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as { port: number }).port, sockets };
}

export async function dial(t: T, port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** A proxy that keeps what passes, and can cut it off. */
export interface Tap {
  readonly port: number;
  readonly url: string;
  /** What the clients said, and what they were told. */
  readonly up: () => Buffer;
  readonly down: () => Buffer;
  /** Connections so far. */
  connections: number;
  /** POSTs whose head has passed. */
  readonly posts: () => number;
  /** Ends all connections at once, both sides. */
  readonly cut: () => void;
  /** Called with each piece that a client sent, before it is passed on; `false` keeps it. */
  onUp: ((piece: Buffer) => boolean | undefined) | undefined;
  /** As `onUp`, for the other direction. */
  onDown: ((piece: Buffer) => boolean | undefined) | undefined;
}

export async function tapProxy(t: T, target: number): Promise<Tap> {
  const up: Buffer[] = [];
  const down: Buffer[] = [];
  const both = new Set<Socket>();
  const { port } = await tcpServer(t, (client) => {
    tap.connections++;
    const server = connect({ host: '127.0.0.1', port: target, noDelay: true });
    for (const [from, to, kept, hook] of [
      [client, server, up, 'onUp'],
      [server, client, down, 'onDown'],
    ] as const) {
      both.add(from);
      from.on('error', () => {});
      from.on('data', (piece: Buffer) => {
        kept.push(piece);
        if (tap[hook]?.(piece) === false) return;
        if (!to.write(piece)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('end', () => to.end());
      from.on('close', () => {
        both.delete(from);
        to.destroy();
      });
    }
  });
  const tap: Tap = {
    port,
    url: `http://127.0.0.1:${port}`,
    up: () => Buffer.concat(up),
    down: () => Buffer.concat(down),
    connections: 0,
    posts: () => Buffer.concat(up).toString('latin1').split('POST /runtime_manager HTTP/1.1\r\n').length - 1,
    cut: () => {
      for (const socket of both) socket.destroy();
    },
    onUp: undefined,
    onDown: undefined,
  };
  return tap;
}

// ── HTTP over a bare socket ───────────────────────────────────────────────────────────────────────────────────────────

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A POST of `body`, as a plain client writes it. */
export function post(body: string | Buffer, { path = '/runtime_manager', version = '1.1', headers = '' } = {}): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST ${path} HTTP/${version}\r\nHost: x\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** One connection to an HTTP server. */
export class RawHttp {
  readonly socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #over = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    socket.on('close', () => {
      this.#over = true;
      this.#wake();
    });
    socket.on('end', () => {
      this.#over = true;
      this.#wake();
    });
  }

  static async connect(t: T, port: number): Promise<RawHttp> {
    return new RawHttp(await dial(t, port));
  }

  write(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  /** Sends and waits for the answer. */
  async send(bytes: Buffer | string): Promise<RawAnswer> {
    this.write(bytes);
    return this.answer();
  }

  /** The connection, or a new one where the server has said that it closes it. */
  async next(t: T, { headers }: RawAnswer): Promise<RawHttp> {
    return headers.connection === 'close' ? RawHttp.connect(t, this.socket.remotePort as number) : this;
  }

  /** The next answer, its body unchunked. */
  async answer(): Promise<RawAnswer> {
    for (;;) {
      const found = this.#parse();
      if (found !== undefined) return found;
      await this.#more();
    }
  }

  /** Settles when the server has ended the connection; gives what of its bytes no answer took. */
  async closed(): Promise<Buffer> {
    while (!this.#over) await this.#more();
    return this.#bytes;
  }

  async #more(): Promise<void> {
    if (this.#over) throw new Error(`the connection ended inside an answer: ${this.#bytes.toString('latin1').slice(0, 200)}`);
    await within(
      'an HTTP answer',
      new Promise<void>((resolve) => {
        this.#wake = resolve;
      }),
    );
  }

  #parse(): RawAnswer | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [first = '', ...lines] = this.#bytes.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );
    const status = Number(first.split(' ')[1]);
    const at = end + 4;
    const [body, next] = status < 200 || status === 204 ? ['', at] : this.#body(headers, at);
    if (body === undefined) return undefined;
    this.#bytes = this.#bytes.subarray(next);
    return { status, headers, body };
  }

  #body(headers: Readonly<Record<string, string>>, start: number): [string | undefined, number] {
    if (headers['transfer-encoding'] !== 'chunked') {
      if (headers['content-length'] === undefined)
        return this.#over ? [this.#bytes.subarray(start).toString(), this.#bytes.length] : [undefined, 0];
      const end = start + Number(headers['content-length']);
      return this.#bytes.length < end ? [undefined, 0] : [this.#bytes.subarray(start, end).toString('latin1'), end];
    }
    const pieces: Buffer[] = [];
    for (let at = start; ; ) {
      const line = this.#bytes.indexOf('\r\n', at);
      if (line < 0) return [undefined, 0];
      const size = Number.parseInt(this.#bytes.subarray(at, line).toString('latin1'), 16);
      const end = line + 2 + size + 2;
      if (this.#bytes.length < end) return [undefined, 0];
      if (size === 0) return [Buffer.concat(pieces).toString('latin1'), end];
      pieces.push(this.#bytes.subarray(line + 2, end - 2));
      at = end;
    }
  }
}
