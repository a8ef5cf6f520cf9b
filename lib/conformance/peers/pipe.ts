/** Bytes to and from a peer, without any layer: what comes is kept until it is asked for. */
import type { Duplex } from 'node:stream';
import { clock } from '../../core/clock.js';
import { InvalidOptionError } from '../../core/errors.js';
import { formatAddress, isConnectAddress, parseAddress } from '../../transports/address.js';
import { connectSocket } from '../../transports/socket.js';
import { CaseFailed } from '../case.js';
import type { Scope } from '../scope.js';

/** Bytes that a peer may send and no case has taken: twice the longest answer that any case reads. */
export const MAX_PIPE_BYTES = 32 * 2 ** 20;

/**
 * One end of a byte pipe whose other end is the peer that is tried. A peer that sends more than `maxBytes` which no case takes
 * is cut off, and whoever waits at the pipe fails.
 */
export class Pipe {
  readonly stream: Duplex;
  readonly #scope: Scope;
  readonly #maxBytes: number;
  /** Joined when somebody looks, and not with each chunk: that would copy all of it each time. */
  #chunks: Buffer[] = [];
  #length = 0;
  #over = false;
  #flooded = false;

  /** @param maxBytes Default 32 MiB */
  constructor(stream: Duplex, scope: Scope, maxBytes = MAX_PIPE_BYTES) {
    this.stream = stream;
    this.#scope = scope;
    this.#maxBytes = maxBytes;
    stream.on('data', (chunk: Buffer) => this.#keep(chunk));
    const end = () => {
      this.#over = true;
    };
    stream.on('error', end).on('end', end).on('close', end);
    scope.onEnd(() => stream.destroy());
  }

  /** Connects to `tcp://host:port` or `unix:///path`. @throws CaseFailed when nobody is there */
  static async connect(text: string, scope: Scope): Promise<Pipe> {
    const address = parseAddress(text);
    if (!isConnectAddress(address)) throw new InvalidOptionError(`${formatAddress(address)} is no address to connect to`, { got: text });
    const opening = connectSocket(address, { signal: scope.signal }).catch((error: Error) => {
      throw new CaseFailed(`no connection: ${error.message}`);
    });
    return new Pipe(await scope.within('connection', opening), scope);
  }

  #keep(chunk: Buffer): void {
    if (this.#flooded) return;
    this.#scope.heard = true;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length <= this.#maxBytes) return;
    this.#flooded = true;
    this.#over = true;
    this.#chunks = [];
    this.#length = 0;
    this.stream.destroy();
  }

  /** @throws CaseFailed when the peer was cut off */
  #checkFlood(): void {
    if (this.#flooded) throw new CaseFailed(`the peer sent more than ${this.#maxBytes} bytes that nobody had asked for`);
  }

  /** What has come and was not taken. */
  get bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? NOTHING;
  }

  /** The peer has ended the pipe, or it broke. */
  get over(): boolean {
    return this.#over;
  }

  write(bytes: Buffer | string): void {
    if (!this.stream.destroyed) this.stream.write(bytes);
  }

  writePieces(pieces: Iterable<Buffer>): Promise<void> {
    return writeApart(this.stream, pieces);
  }

  /** Ends our direction, as a peer does that has said all. */
  end(): void {
    this.stream.end();
  }

  /** Breaks the connection. */
  destroy(): void {
    this.stream.destroy();
  }

  /** The next `count` bytes. @throws CaseFailed when they do not come, or the pipe ends before */
  async take(count: number, what: string): Promise<Buffer> {
    await this.#scope.until(what, () => this.#length >= count || this.#over);
    this.#checkFlood();
    if (this.#length < count) throw new CaseFailed(`the connection ended after ${this.#length} of ${count} bytes of ${what}`);
    const taken = this.bytes.subarray(0, count);
    this.drop(count);
    return taken;
  }

  /** Whether the peer ends the pipe in time. @throws CaseFailed when it sends without end */
  async ends(ms?: number): Promise<boolean> {
    const ended = await this.#scope.comes(() => this.#over, ms);
    this.#checkFlood();
    return ended;
  }

  /** Waits until `holds` for what has come. False: the pipe ended, or it did not come. @throws CaseFailed when it has no end */
  async comes(holds: (bytes: Buffer) => boolean, ms?: number): Promise<boolean> {
    await this.#scope.comes(() => this.#over || holds(this.bytes), ms);
    this.#checkFlood();
    return holds(this.bytes);
  }

  /** Takes what has been looked at. */
  drop(count: number): void {
    const rest = this.bytes.subarray(count);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
  }
}

const NOTHING = Buffer.alloc(0);

/** Milliseconds between two pieces, in which the peer reads the first. */
const APART_MS = 2;

/** Writes pieces that the peer reads one by one, unless it is very busy. */
export async function writeApart(stream: Duplex, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) {
    if (stream.destroyed) return;
    await new Promise<void>((done) => {
      stream.write(piece, () => done());
    });
    await clock.sleep(APART_MS);
  }
}

/** `bytes` in pieces of `size` bytes. */
export function* piecesOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
