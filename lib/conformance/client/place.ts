/** Where the client that is tried connects: an HTTP server of the kit's own, or in head bare TCP. */
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcp, type Socket } from 'node:net';
import { clock } from '../../core/clock.js';
import type { Dialect } from '../../layers/formats/dialect.js';
import { parseAddress } from '../../transports/address.js';
import { boundAddress, listen } from '../../transports/socket.js';
import { shown } from '../case.js';
import { writeApart } from '../peers/pipe.js';
import { Enclave, type EnclaveLog, type EnclaveManners } from './enclave.js';

/** A POST that came. */
export interface Post {
  readonly id: string;
  /** Bytes of its body. */
  readonly bytes: number;
  /** Others that were still unanswered when it came. */
  readonly open: number;
}

/** How the place behaves towards one client. */
export interface Manners extends EnclaveManners {
  /** The body of an answer instead of the usual one. A number is a status of refusal. */
  readonly body?: (id: string, output: Buffer, index: number) => string | Buffer | number;
  /** Pieces in which a body (in head: output) leaves. */
  readonly pieces?: (bytes: Buffer) => Iterable<Buffer>;
  /** Says x-veracruz-max-body-bytes, as our Server does. Default false, as the original's. */
  readonly announce?: boolean;
}

/** What is known of one run of the client. */
export interface RunLog extends EnclaveLog {
  readonly posts: Post[];
  /** When something came last, by `clock.monotonic`. */
  last: number;
  /** Connections that are open. */
  connections: number;
  /** Of all. */
  connected: number;
}

/** Turns of the event loop in which TLS has worked through what it was fed. */
const TURNS = 6;
/** Milliseconds between two pieces of an answer. */
const APART_MS = 1;
const MAX_BODY_BYTES = 8 * 2 ** 20;
/** Connections at once: each may have a body under way. */
const MAX_CONNECTIONS = 64;
/** POSTs that are kept of a run. */
const MAX_POSTS = 100_000;

export function newLog(): RunLog {
  return {
    took: [],
    faults: [],
    hellos: [],
    records: [],
    certificates: [],
    secured: 0,
    posts: [],
    last: clock.monotonic(),
    connections: 0,
    connected: 0,
  };
}

export class Place {
  readonly #dialect: Dialect;
  readonly #policyHash: string;
  readonly #server: Server | ReturnType<typeof createTcp>;
  readonly #sockets = new Set<Socket>();
  #sessions = new Map<string, Enclave>();
  #manners: Manners | undefined;
  #log: RunLog = newLog();
  #open = 0;
  #lastId = 0;

  private constructor(dialect: Dialect, policyHash: string) {
    this.#dialect = dialect;
    this.#policyHash = policyHash;
    this.#server =
      dialect === 'head'
        ? createTcp({ noDelay: true, allowHalfOpen: true }, (socket) => this.#serveTcp(socket))
        : createHttp((request, response) => void this.#serveHttp(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('connection', (socket: Socket) => this.#count(socket));
  }

  /** Listens at `tcp-listen://host:port` until `signal` fires. @throws TransportError */
  static async start(address: string, dialect: Dialect, policyHash: string, signal: AbortSignal): Promise<Place> {
    const place = new Place(dialect, policyHash);
    await listen(place.#server, parseAddress(address));
    signal.addEventListener('abort', () => void place.#stop(), { once: true });
    return place;
  }

  /** Where it listens. */
  boundAt(asked: string) {
    return boundAddress(this.#server, parseAddress(asked));
  }

  /** From now on everything belongs to a new run. */
  begin(manners: Manners): RunLog {
    this.#hangUp();
    this.#sessions = new Map();
    this.#manners = manners;
    this.#log = newLog();
    return this.#log;
  }

  /** Ends the connections of the run. */
  end(): void {
    this.#manners = undefined;
    this.#hangUp();
  }

  #hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
    for (const { tls } of this.#sessions.values()) tls.destroy();
  }

  #stop(): void {
    this.#server.close();
    this.#hangUp();
  }

  #count(socket: Socket): void {
    const log = this.#log;
    log.connected++;
    log.connections++;
    log.last = clock.monotonic();
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      log.connections--;
      this.#sockets.delete(socket);
    });
  }

  #enclave(manners: Manners): Enclave {
    return new Enclave(this.#dialect, this.#policyHash, manners, this.#log);
  }

  #serveTcp(socket: Socket): void {
    const manners = this.#manners;
    if (manners === undefined) return void socket.destroy();
    const log = this.#log;
    const enclave = this.#enclave(manners);
    this.#sessions.set(`tcp ${++this.#lastId}`, enclave);
    const { pieces = (bytes: Buffer) => [bytes] } = manners;
    let turn = Promise.resolve();
    socket.on('data', (chunk: Buffer) => {
      log.last = clock.monotonic();
      enclave.feed(chunk);
    });
    socket.on('end', () => enclave.wire.end());
    enclave.wire.on('data', (output: Buffer) => {
      turn = turn.then(() => writeApart(socket, pieces(output)));
    });
    const end = () => void turn.then(() => socket.end());
    enclave.wire.on('end', end);
    enclave.wire.on('close', end);
  }

  async #serveHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [manners, log] = [this.#manners, this.#log];
    if (manners === undefined) return void response.destroy();
    const open = this.#open++;
    try {
      const body = await bodyOf(request);
      log.last = clock.monotonic();
      if (log.posts.length >= MAX_POSTS) throw new Error(`more than ${MAX_POSTS} POSTs`);
      if (body.length > MAX_BODY_BYTES) {
        log.posts.push({ id: '', bytes: body.length, open });
        throw new Error(`a body of more than ${MAX_BODY_BYTES} bytes`);
      }
      if (request.method === 'DELETE') return void response.writeHead(500).end('not offered\n');
      if (request.method !== 'POST' || request.url !== '/runtime_manager') log.faults.push(`${request.method} ${request.url}`);
      if (request.headers['content-length'] !== String(body.length)) log.faults.push('a POST without its content-length');
      await this.#answer(body, open, manners, response);
    } catch (error) {
      log.faults.push((error as Error).message);
      response.writeHead(500).end();
    } finally {
      this.#open--;
    }
  }

  async #answer(body: Buffer, open: number, manners: Manners, response: ServerResponse): Promise<void> {
    const log = this.#log;
    const { id, ciphertext } = readBody(body, log.faults);
    const index = log.posts.push({ id, bytes: body.length, open }) - 1;
    const [own, enclave] = this.#sessionOf(id, manners);
    if (enclave === undefined) return void response.writeHead(500).end('no such session\n');
    if (ciphertext.length > 0) enclave.feed(ciphertext);
    for (let turn = 0; turn < TURNS; turn++) await clock.sleep(0);
    const output = enclave.fetch();
    const text = manners.body?.(own, output, index) ?? usualBody(own, output);
    if (typeof text === 'number') return void response.writeHead(text).end('Status(Fail)');
    if (manners.announce === true) response.setHeader('x-veracruz-max-body-bytes', 2 ** 20);
    await send(response, Buffer.from(text), manners.pieces);
  }

  #sessionOf(id: string, manners: Manners): readonly [string, Enclave | undefined] {
    if (id !== '0') return [id, this.#sessions.get(id)];
    const own = String(++this.#lastId);
    const enclave = this.#enclave(manners);
    this.#sessions.set(own, enclave);
    return [own, enclave];
  }
}

/** What the original's Server answers: nothing at all where there is no output. */
function usualBody(id: string, output: Buffer): string {
  return output.length === 0 ? '' : `${id} ${output.toString('base64')}`;
}

async function send(response: ServerResponse, body: Buffer, pieces: Manners['pieces']): Promise<void> {
  if (pieces === undefined) return void response.setHeader('content-length', body.length).end(body);
  for (const piece of pieces(body)) {
    await new Promise<void>((done) => response.write(piece, () => done()));
    await clock.sleep(APART_MS);
  }
  response.end();
}

function readBody(body: Buffer, faults: string[]): { readonly id: string; readonly ciphertext: Buffer } {
  const found = /^(0|[1-9]\d{0,9}) ([A-Za-z0-9+/=]*)$/.exec(body.toString('latin1'));
  if (found === null) {
    faults.push(`a body that is no id and base64: ${shown(body)}`);
    return { id: '', ciphertext: Buffer.alloc(0) };
  }
  const [, id = '', text = ''] = found;
  const ciphertext = Buffer.from(text, 'base64');
  if (ciphertext.toString('base64') !== text) faults.push(`base64 that is not canonical: ${text.slice(-40)}`);
  return { id, ciphertext };
}

/** The body, up to a little more than is taken. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    pieces.push(piece);
    if (bytes > MAX_BODY_BYTES) break;
  }
  return Buffer.concat(pieces);
}
