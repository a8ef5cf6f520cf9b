import type { TLSSocket } from 'node:tls';

/** Bytes of plaintext that the TLS socket may hold before the neighbour must wait. The socket joins them into one write. */
const PENDING_BYTES = 262_144;
/** Chunks of up to this size are copied together, because a write for each of them costs more. */
const SMALL_BYTES = 2048;
/** Small chunks are copied together up to this size, that of a full record. */
const JOINED_BYTES = 16_384;
/** The most plaintext that one record holds, in bytes (RFC 8446 §5.1). */
const RECORD_BYTES = 16_384;
/** Bytes that a record adds to its plaintext, with the shortest tag: header 5, content type 1, tag 8. */
const RECORD_OVERHEAD_BYTES = 14;
/** The same with a tag of 16 bytes, which all suites except CCM_8 have. */
const USUAL_OVERHEAD_BYTES = 22;

/**
 * Writes plaintext to the TLS socket of an open session, and tells when its ciphertext is out.
 *
 * All that comes in one tick, up to a mark, is one write to OpenSSL, so a small message and its prefix share a record. OpenSSL
 * encrypts a write within the call. node:tls passes the ciphertext on within the same call, unless an earlier write is not over
 * yet. So `flush` counts the bytes of ciphertext that have come out. If there are at least as many as the plaintext must
 * become, all of it is out. Otherwise the callback of the last write tells, one turn of the event loop later.
 */
export class PlaintextWriter {
  readonly #socket: TLSSocket;
  /** Number of bytes of ciphertext that have come out of the session so far. */
  readonly #given: () => number;
  readonly #overheadBytes: number;
  /** Small chunks of the current tick. */
  #small: Buffer[] = [];
  #smallBytes = 0;
  /** Called when the socket takes more, after a chunk has filled it. */
  #waiting: (() => void) | undefined;
  /** Number of writes to the socket, and number of those whose callback has come. */
  #writes = 0;
  #written = 0;
  /** Number of writes since the socket was corked, and their plaintext bytes. */
  #corkedWrites = 0;
  #corkedBytes = 0;
  /** Number of writes, from the first one on, whose ciphertext is known to be out. */
  #out = 0;
  /** Called when the ciphertext of all writes is out. */
  #flushing: (() => void) | undefined;

  constructor(socket: TLSSocket, given: () => number) {
    this.#socket = socket;
    this.#given = given;
    this.#overheadBytes = socket.getCipher().standardName.endsWith('CCM_8_SHA256') ? RECORD_OVERHEAD_BYTES : USUAL_OVERHEAD_BYTES;
    socket.on('drain', () => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.();
    });
  }

  /** Bytes of plaintext that OpenSSL has not got yet. */
  get pending(): number {
    return this.#smallBytes + this.#socket.writableLength;
  }

  /** `done` is called when the next chunk may come. */
  write(chunk: Buffer, done: () => void): void {
    this.#gather();
    if (chunk.length > SMALL_BYTES) {
      this.#join();
      this.#writeLarge(chunk, done, 0);
      return;
    }
    this.#small.push(chunk);
    this.#smallBytes += chunk.length;
    if (this.#smallBytes < JOINED_BYTES || this.#join()) done();
    else this.#waiting = done;
  }

  /** `done` is called when the ciphertext of all writes is out, usually at once. */
  flush(done: () => void): void {
    this.#release();
    if (this.#out === this.#writes) done();
    else this.#flushing = done;
  }

  /** Writes in pieces, because OpenSSL encrypts a whole write at once and keeps its ciphertext in memory. */
  #writeLarge(chunk: Buffer, done: () => void, from: number): void {
    for (let at = from; at < chunk.length; ) {
      const piece = at === 0 && chunk.length <= PENDING_BYTES ? chunk : chunk.subarray(at, at + PENDING_BYTES);
      at += piece.length;
      if (this.#give(piece)) continue;
      this.#waiting = () => {
        this.#gather();
        this.#writeLarge(chunk, done, at);
      };
      return;
    }
    done();
  }

  /** The session is over. Callbacks that are still due will not be called. */
  forget(): void {
    this.#waiting = undefined;
    this.#flushing = undefined;
    this.#small = [];
    this.#smallBytes = 0;
  }

  #gather(): void {
    const socket = this.#socket;
    if (socket.writableCorked > 0) return;
    socket.cork();
    this.#corkedBytes = 0;
    process.nextTick(this.#release);
  }

  /** Passes what was collected on to OpenSSL. */
  readonly #release = (): void => {
    const socket = this.#socket;
    this.#join();
    if (socket.writableCorked === 0) return;
    const quiet = this.#out === this.#writes - this.#corkedWrites;
    const before = this.#given();
    socket.uncork();
    this.#corkedWrites = 0;
    const records = Math.ceil(this.#corkedBytes / RECORD_BYTES);
    if (quiet && this.#given() - before >= this.#corkedBytes + records * this.#overheadBytes) this.#out = this.#writes;
  };

  /** Writes the small chunks. False means: wait for `drain`. */
  #join(): boolean {
    const small = this.#small;
    if (small.length === 0) return true;
    const joined = small.length === 1 ? (small[0] as Buffer) : Buffer.concat(small, this.#smallBytes);
    this.#small = [];
    this.#smallBytes = 0;
    return this.#give(joined);
  }

  /** False means: wait for `drain`. The limit is far above the socket's own, because what waits there becomes one write. */
  #give(bytes: Buffer): boolean {
    this.#writes++;
    this.#corkedWrites++;
    this.#corkedBytes += bytes.length;
    return this.#socket.write(bytes, this.#onWritten) || this.#socket.writableLength < PENDING_BYTES;
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error) return;
    this.#written++;
    this.#out = Math.max(this.#out, this.#written);
    if (this.#out < this.#writes) return;
    const flushing = this.#flushing;
    this.#flushing = undefined;
    flushing?.();
  };
}
