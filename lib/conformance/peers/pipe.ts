/** Bytes to and from a peer, without any layer: what comes is kept until it is asked for. */
import type { Duplex } from 'node:stream';
import { clock } from '../../core/clock.js';
import { InvalidOptionError } from '../../core/errors.js';
import { formatAddress, isConnectAddress, parseAddress } from '../../transports/address.js';
import { connectSocket } from '../../transports/socket.js';
import { CaseFailed } from '../case.js';
import type { Scope } from '../scope.js';

/** One end of a byte pipe whose other end is the peer that is tried. */
export class Pipe {
  readonly stream: Duplex;
  readonly #scope: Scope;
  #bytes: Buffer = Buffer.alloc(0);
  #over = false;

  constructor(stream: Duplex, scope: Scope) {
    this.stream = stream;
    this.#scope = scope;
    stream.on('data', (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    });
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

  /** What has come and was not taken. */
  get bytes(): Buffer {
    return this.#bytes;
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
    await this.#scope.until(what, () => this.#bytes.length >= count || this.#over);
    if (this.#bytes.length < count) throw new CaseFailed(`the connection ended after ${this.#bytes.length} of ${count} bytes of ${what}`);
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  /** Whether the peer ends the pipe in time. */
  ends(ms?: number): Promise<boolean> {
    return this.#scope.comes(() => this.#over, ms);
  }

  /** Waits until `holds` for what has come. False: the pipe ended, or it did not come. */
  async comes(holds: (bytes: Buffer) => boolean, ms?: number): Promise<boolean> {
    await this.#scope.comes(() => this.#over || holds(this.#bytes), ms);
    return holds(this.#bytes);
  }

  /** Takes what has been looked at. */
  drop(count: number): void {
    this.#bytes = this.#bytes.subarray(count);
  }
}

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
