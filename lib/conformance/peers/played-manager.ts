/**
 * A Runtime Manager that the kit plays for the Server that is tried: takes one request at a time, in order, as the original
 * does, and looks at every byte (wire spec §D).
 */
import type { Duplex } from 'node:stream';
import { makeKey } from '../../attestation/certificate.js';
import { makeRequest } from '../../attestation/request.js';
import { ByteQueue } from '../../core/byte-queue.js';
import { clock } from '../../core/clock.js';
import {
  type Bytes,
  decodeRequest,
  encodeRequest,
  encodeResponse,
  joined,
  type Message,
  type Received,
} from '../../layers/bincode/index.js';
import { encodeHeader, FRAME_HEADERS } from '../../layers/frame/index.js';
import { isConnectAddress, parseAddress } from '../../transports/address.js';
import { connectSocket, type Listener, listenSocket } from '../../transports/socket.js';
import { shown } from '../case.js';
import type { LinkSettings } from './link.js';
import { PlayedSession } from './played-session.js';

export type Request = Received<'request'>;
export type Response = Message<'response', Bytes>;

/** Another answer: a message, raw bytes in a right frame, none at all, or the usual one. */
type Other = Response | Buffer | null | undefined;

/** What a case changes of the manager's manners. Each has a default. */
export interface Manners {
  /** Answers in another way; undefined: as ever. `null`: not at all. */
  readonly answer?: (request: Request) => Other | Promise<Other>;
  /** Writes the bytes of an answer in its frame. */
  readonly write?: (bytes: Buffer, pipe: Duplex) => Promise<void>;
}

/** Bytes of the longest request that is taken. */
const MAX_REQUEST_BYTES = 16 * 2 ** 20;
/** Faults of one link, after which it is ended. */
const MAX_LINK_FAULTS = 100;
/** Requests that are kept; further ones are answered and forgotten. */
const MAX_REQUESTS = 100_000;

/** Milliseconds between two tries to connect to a Server that listens. */
const AGAIN_MS = 100;

export class PlayedManager {
  readonly settings: LinkSettings;
  /** What was wrong with what came; each case looks at what is new. */
  readonly faults: string[] = [];
  /** All requests, in their order; without their ciphertext, which their session has. */
  readonly requests: Request[] = [];
  readonly sessions = new Map<number, PlayedSession>();
  /** Evidence and request that were told last. */
  evidence: { readonly token: Buffer; readonly csr: Buffer } | undefined;
  manners: Manners = {};
  /** Links so far. */
  links = 0;
  readonly #open = new Set<Duplex>();
  readonly #signal: AbortSignal;
  #listener: Listener | undefined;
  #lastId = 0;

  private constructor(settings: LinkSettings, signal: AbortSignal) {
    this.settings = settings;
    this.#signal = signal;
  }

  /**
   * Plays it until `signal` fires: at `tcp-listen://host:port` a Server connects; at `tcp://host:port` one listens, as in head.
   *
   * @throws TransportError when it cannot listen
   */
  static async start(address: string, settings: LinkSettings, signal: AbortSignal): Promise<PlayedManager> {
    const manager = new PlayedManager(settings, signal);
    const parsed = parseAddress(address);
    if (!isConnectAddress(parsed)) manager.#listener = await listenSocket(parsed, (socket) => void manager.#serve(socket));
    else void manager.#dial(address);
    signal.addEventListener('abort', () => manager.#stop(), { once: true });
    return manager;
  }

  /** Where it listens; undefined where it connects. */
  get address(): Listener['address'] | undefined {
    return this.#listener?.address;
  }

  /** A Server is there. */
  get linked(): boolean {
    return this.#open.size > 0;
  }

  /** Ends all links. */
  cut(): void {
    for (const pipe of this.#open) pipe.destroy();
  }

  /** The session that has been sent these bytes; undefined as long as there is none. */
  sessionWith(bytes: Buffer): PlayedSession | undefined {
    return [...this.sessions.values()].findLast(({ received }) => received.includes(bytes));
  }

  /** A new session under a number of the caller's choice. */
  openAs(id: number): void {
    this.sessions.set(id, new PlayedSession(id));
  }

  #stop(): void {
    void this.#listener?.close();
    this.cut();
  }

  async #dial(address: string): Promise<void> {
    const parsed = parseAddress(address);
    while (!this.#signal.aborted) {
      const socket = await connectSocket(parsed, { signal: this.#signal }).catch(() => undefined);
      if (socket !== undefined) await this.#serve(socket);
      await clock.sleep(AGAIN_MS, { signal: this.#signal }).catch(() => {});
    }
  }

  async #serve(pipe: Duplex): Promise<void> {
    this.links++;
    this.#open.add(pipe);
    pipe.on('error', () => {});
    try {
      await this.#read(pipe);
    } catch {
      // A link that breaks is over, as one that ends.
    } finally {
      this.#open.delete(pipe);
      pipe.destroy();
    }
  }

  async #read(pipe: Duplex): Promise<void> {
    const header = FRAME_HEADERS[this.settings.frame];
    const bytes = new ByteQueue();
    const before = this.faults.length;
    for await (const chunk of pipe as AsyncIterable<Buffer>) {
      bytes.push(chunk);
      while (bytes.length >= header.bytes) {
        const head = bytes.peek(header.bytes);
        const length = Number(header.read(head));
        if (length > MAX_REQUEST_BYTES) return void this.faults.push(`a frame of ${length} bytes: ${shown(head)}`);
        if (bytes.length < header.bytes + length) break;
        if (header.bytes > header.lengthBytes && head[8] !== 0) this.faults.push(`the ninth byte of a header is ${head[8]}`);
        bytes.skip(header.bytes);
        await this.#take(bytes.take(length), pipe);
        if (this.faults.length - before > MAX_LINK_FAULTS) return;
      }
    }
    if (bytes.length > 0) this.faults.push(`the link ended inside a frame: ${shown(bytes.peek(Math.min(bytes.length, 64)))}`);
  }

  async #take(bytes: Buffer, pipe: Duplex): Promise<void> {
    const request = this.#requestOf(bytes);
    if (request === undefined) return;
    if (this.requests.length < MAX_REQUESTS) this.requests.push(request.kind === 'SendTlsData' ? { ...request, data: [] } : request);
    const other = await this.manners.answer?.(request);
    const answer = other === undefined ? this.#answer(request) : other;
    if (answer === null || pipe.destroyed) return;
    const message = Buffer.isBuffer(answer) ? answer : joined(encodeResponse(answer, this.settings.dialect));
    const framed = Buffer.concat([encodeHeader(FRAME_HEADERS[this.settings.frame], message.length), message]);
    await (this.manners.write ?? writeWhole)(framed, pipe);
  }

  #requestOf(bytes: Buffer): Request | undefined {
    const { dialect } = this.settings;
    try {
      const request = decodeRequest([bytes], dialect);
      if (!joined(encodeRequest(request, dialect)).equals(bytes)) this.faults.push(`not the bytes of ${request.kind}: ${shown(bytes)}`);
      return request;
    } catch (error) {
      this.faults.push(`no request of dialect ${dialect}: ${shown(bytes)} (${(error as Error).message})`);
      return undefined;
    }
  }

  /** What the original answers. */
  #answer(request: Request): Response {
    switch (request.kind) {
      case 'NewTlsSession':
        this.openAs(++this.#lastId);
        return { kind: 'TlsSession', session: this.#lastId };
      case 'Attestation':
        return this.#attest();
      case 'Initialize':
        return { kind: 'Status', status: 'Success' };
      case 'ResetEnclave':
        return { kind: 'Status', status: 'Unimplemented' };
      case 'CloseTlsSession':
        return this.#close(request.session);
      default:
        return this.#answerSession(request);
    }
  }

  #attest(): Response {
    const csr = makeRequest(makeKey('ec'));
    this.evidence = { token: Buffer.from('evidence of the conformance kit'), csr };
    return this.settings.dialect === '2207-nitro'
      ? { kind: 'AttestationData', token: this.evidence.token }
      : { kind: 'AttestationData', token: this.evidence.token, csr };
  }

  #close(id: number): Response {
    const session = this.sessions.get(id);
    if (session !== undefined) session.closed = true;
    return { kind: 'Status', status: 'Success' };
  }

  #answerSession(request: Extract<Request, { readonly kind: 'SendTlsData' | 'GetTlsData' | 'GetTlsDataNeeded' }>): Response {
    const session = this.sessions.get(request.session);
    if (session === undefined || session.closed) {
      this.faults.push(`${request.kind} of the session ${request.session}, which is not there`);
      return { kind: 'Status', status: 'Fail' };
    }
    if (request.kind === 'GetTlsDataNeeded') return { kind: 'TlsDataNeeded', needed: session.output.length > 0 };
    if (request.kind === 'SendTlsData') {
      session.take(joined(request.data));
      return { kind: 'Status', status: 'Success' };
    }
    const data = session.output.shift();
    if (data !== undefined) return { kind: 'TlsData', data, active: session.active };
    return this.settings.dialect === 'head'
      ? { kind: 'TlsData', data: Buffer.alloc(0), active: session.active }
      : { kind: 'Status', status: 'Fail' };
  }
}

function writeWhole(bytes: Buffer, pipe: Duplex): Promise<void> {
  return new Promise((done) => {
    pipe.write(bytes, () => done());
  });
}
