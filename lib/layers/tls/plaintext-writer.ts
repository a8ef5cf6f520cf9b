import type { TLSSocket } from 'node:tls';

/** Bytes of plaintext that the TLS socket holds for us before we make the neighbour wait: it gathers them into one write. */
const PENDING_BYTES = 262_144;
/** Chunks up to this size are copied together: to hand over each by itself costs more. */
const SMALL_BYTES = 2048;
/** Small chunks that are copied together: a full record. */
const JOINED_BYTES = 16_384;
/** Plaintext bytes of a record at most (RFC 8446 §5.1). */
const RECORD_BYTES = 16_384;
/** Bytes that a record has besides its plaintext, with the shortest tag there is: header 5, content type 1, tag 8. */
const RECORD_OVERHEAD_BYTES = 14;
/** The same with a tag of 16 bytes, which all suites but CCM_8 have. */
const USUAL_OVERHEAD_BYTES = 22;

/**
 * Hands plaintext to the TLS socket of a session that is open, and tells when its ciphertext is out.
 *
 * What comes in one tick, up to a mark, is one write to OpenSSL: a small message and its prefix share a record. OpenSSL
 * encrypts a write within the call, and node:tls passes the ciphertext on within it too, unless it is still busy with a
 * write before that. So `flush` looks at the bytes that have come out: where there are as many as all of it must have, it is
 * out. Where not, the callback of the last write tells, a turn of the event loop later.
 */
export class PlaintextWriter {
  readonly #socket: TLSSocket;
  /** Bytes of ciphertext that have come out of the session so far. */
  readonly #given: () => number;
  readonly #overheadBytes: number;
  /** Small chunks of this tick. */
  #small: Buffer[] = [];
  #smallBytes = 0;
  /** Goes on with the chunk that filled the socket. */
  #waiting: (() => void) | undefined;
  /** Writes to the socket that have been made, and those whose callback has come. */
  #writes = 0;
  #written = 0;
  /** Of the writes since the socket was corked: how many, and their plaintext bytes. */
  #corkedWrites = 0;
  #corkedBytes = 0;
  /** The writes before this one are known to be out. */
  #out = 0;
  /** Told when all writes are. */
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

  /** Plaintext that OpenSSL has not had yet, bytes. */
  get pending(): number {
    return this.#smallBytes + this.#socket.writableLength;
  }

  /** `done` comes when there may be another. */
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

  /** `done` comes when the ciphertext of all that was written is out: at once as a rule. */
  flush(done: () => void): void {
    this.#release();
    if (this.#out === this.#writes) done();
    else this.#flushing = done;
  }

  /** In pieces: OpenSSL encrypts all it is given at once, and holds it. */
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

  /** The session is over: whoever waits is not called any more. */
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

  /** Lets what was gathered go to OpenSSL. */
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

  /** Hands over the small chunks. False: wait for `drain`. */
  #join(): boolean {
    const small = this.#small;
    if (small.length === 0) return true;
    const joined = small.length === 1 ? (small[0] as Buffer) : Buffer.concat(small, this.#smallBytes);
    this.#small = [];
    this.#smallBytes = 0;
    return this.#give(joined);
  }

  /** False: wait for `drain`. That is far beyond the socket's own mark, because what gathers in it goes to OpenSSL together. */
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
