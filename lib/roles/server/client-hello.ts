import { RecordError } from '../../core/errors.js';

/** Bytes that are looked at: record header (5), handshake header (4), version (2). */
const LOOKED_AT_BYTES = 11;
/** A ClientHello without extensions, and one that is larger than any. */
const SHORTEST_BYTES = 41;
const LONGEST_BYTES = 65_536;

/** What each byte may be; undefined: anything. TLS 1.0 to 1.3 write the versions 3.1 to 3.3 here (RFC 8446 §4.1.2, §5.1). */
const BYTES: readonly (readonly [number, number] | undefined)[] = [
  [22, 22], // a record of the handshake
  [3, 3],
  [1, 3],
  undefined, // its length
  undefined,
  [1, 1], // a ClientHello
  [0, 1], // its length
  undefined,
  undefined,
  [3, 3],
  [1, 3],
];

/**
 * Tells from the first bytes of a session whether a TLS ClientHello has begun. A session that has none costs its Runtime
 * Manager nothing.
 *
 *     │ 22 │ 03 01 │ length u16 │ 01 │ length u24 │ 03 03 │ …
 */
export class ClientHelloStart {
  readonly #bytes: number[] = [];

  /** The eleven bytes have come, and they are the beginning of a ClientHello. */
  get begun(): boolean {
    return this.#bytes.length === LOOKED_AT_BYTES;
  }

  /** Takes the next bytes of the session. @throws RecordError as soon as they cannot be a ClientHello */
  push(chunk: Buffer): void {
    for (const byte of chunk.subarray(0, LOOKED_AT_BYTES - this.#bytes.length)) {
      const at = this.#bytes.push(byte) - 1;
      const [least, most] = BYTES[at] ?? [0, 255];
      if (byte < least || byte > most) throw noHello(at, byte);
    }
    if (!this.begun) return;
    const [, , , high = 0, low = 0, , first = 0, second = 0, third = 0] = this.#bytes;
    const record = high * 256 + low;
    const hello = (first * 256 + second) * 256 + third;
    if (record < 4 || record > 16_384) throw noHello(3, record);
    if (hello < SHORTEST_BYTES || hello > LONGEST_BYTES) throw noHello(6, hello);
  }
}

function noHello(offset: number, got: number): RecordError {
  return new RecordError(`the session does not begin with a TLS ClientHello: at offset ${offset}`, { layer: 'server', offset, got });
}
