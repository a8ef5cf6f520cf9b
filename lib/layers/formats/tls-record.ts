/** The header of a TLS record (RFC 8446 §5.1). The rest of a record cannot be read without keys. */

/** Bytes of a record header. */
export const RECORD_HEADER_BYTES = 5;
/** Bytes of plaintext that one record holds at most (RFC 8446 §5.1). */
export const MAX_RECORD_PLAINTEXT_BYTES = 16_384;
/** Bytes of the largest body of a record: 2^14 of plaintext and 256 of overhead (RFC 8446 §5.2). */
export const MAX_RECORD_BODY_BYTES = MAX_RECORD_PLAINTEXT_BYTES + 256;

/** Names of the record types (RFC 8446 §5.1), by number. */
export const RECORD_TYPES: Readonly<Record<number, string>> = Object.freeze({
  20: 'change_cipher_spec',
  21: 'alert',
  22: 'handshake',
  23: 'application_data',
});

/** The checks of a `RecordHeaderReader`. Each method throws to refuse; `offset` counts bytes from the start of the stream. */
export interface RecordHeaderCheck {
  /** Called for each of the bytes 0 to 2 of a header, as soon as the byte has come. */
  byte(index: number, byte: number, offset: number): void;
  /** Called with the length of a body as soon as it is known. `offset` is that of the first byte of the length field. */
  length(length: number, offset: number): void;
}

/**
 * Reads the headers of TLS records in a stream that may be cut anywhere, and counts the bytes of the bodies between them. It
 * keeps no bytes.
 *
 *     │ type u8 │ version u16 BE │ length u16 BE │ body … │
 *
 * `feed` takes a whole chunk. `header` (or `wholeHeader`) and `body` take the parts of one record at a time, for a caller that
 * must not read beyond the current record.
 *
 * Errors: those of the `check`, if one is given. A reader without a check takes any bytes.
 */
export class RecordHeaderReader {
  readonly #check: RecordHeaderCheck | undefined;
  #type = 0;
  #version = 0;
  #length = 0;
  /** Bytes taken of an unfinished header, 0 to 4. */
  #headerBytes = 0;
  #bodyLeft = 0;
  #offset = 0;
  #records = 0;

  constructor(check?: RecordHeaderCheck) {
    this.#check = check;
  }

  /** Type of the last record, as soon as its first byte has come: 20 to 23 in TLS. */
  get type(): number {
    return this.#type;
  }

  /** Version in the last whole header: 0x0303 or 0x0301 in TLS. */
  get version(): number {
    return this.#version;
  }

  /** Length of the body in the last whole header, in bytes. */
  get length(): number {
    return this.#length;
  }

  /** Number of whole headers read. */
  get records(): number {
    return this.#records;
  }

  /** Bytes taken so far, headers and bodies. */
  get offset(): number {
    return this.#offset;
  }

  /** The header of the current record is whole, and its body is not. */
  get inBody(): boolean {
    return this.#bodyLeft > 0;
  }

  /** Bytes taken of an unfinished record, header included; 0 between records. */
  get got(): number {
    return this.#bodyLeft > 0 ? RECORD_HEADER_BYTES + this.#length - this.#bodyLeft : this.#headerBytes;
  }

  /** Bytes of the unfinished record, header included. Until its header is whole: the bytes of a header. */
  get expected(): number {
    return this.#bodyLeft > 0 ? RECORD_HEADER_BYTES + this.#length : RECORD_HEADER_BYTES;
  }

  /** Takes all of `chunk`. Throws what the check throws; the reader cannot be used after that. */
  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) at += this.body(chunk.length - at);
      else if (this.#headerBytes === 0 && at + RECORD_HEADER_BYTES <= chunk.length) {
        this.wholeHeader(chunk, at);
        at += RECORD_HEADER_BYTES;
      } else this.header(chunk[at++] as number);
    }
  }

  /** Takes the next byte of a header. Only called when no body is unfinished. A byte that the check refuses is not taken. */
  header(byte: number): void {
    const index = this.#headerBytes;
    if (index < 3) this.#check?.byte(index, byte, this.#offset);
    if (index === 0) this.#type = byte;
    else if (index < 3) this.#version = ((this.#version << 8) | byte) & 0xffff;
    else if (index === 3) this.#length = byte;
    else {
      this.#check?.length(this.#length * 256 + byte, this.#offset - 1);
      this.#begin(this.#length * 256 + byte);
    }
    this.#headerBytes = (index + 1) % RECORD_HEADER_BYTES;
    this.#offset++;
  }

  /** Takes up to `count` bytes of the current body. Returns how many it took. */
  body(count: number): number {
    const taken = Math.min(this.#bodyLeft, count);
    this.#bodyLeft -= taken;
    this.#offset += taken;
    return taken;
  }

  /** Takes a whole header, which begins at `at` in `chunk`. Only called between records. A refused header is not taken. */
  wholeHeader(chunk: Buffer, at: number): void {
    const [type, major, minor] = [chunk[at] as number, chunk[at + 1] as number, chunk[at + 2] as number];
    const length = (chunk[at + 3] as number) * 256 + (chunk[at + 4] as number);
    const check = this.#check;
    if (check !== undefined) {
      check.byte(0, type, this.#offset);
      check.byte(1, major, this.#offset + 1);
      check.byte(2, minor, this.#offset + 2);
      check.length(length, this.#offset + 3);
    }
    this.#type = type;
    this.#version = major * 256 + minor;
    this.#begin(length);
    this.#offset += RECORD_HEADER_BYTES;
  }

  #begin(length: number): void {
    this.#length = this.#bodyLeft = length;
    this.#records++;
  }
}
