/** The headers that carry the length of the payload behind them (wire spec §A "Framing" and §D "Framing"). */
import { givenRecord } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';

/** The headers between Server and Runtime Manager: `tcp9` on TCP, Unix sockets and vsock, `icecap4` on IceCap's console. */
export type FrameKind = 'tcp9' | 'icecap4';
/** Every header. `be64` stands before the messages of clients, Runtime Managers and attestation servers. */
export type HeaderKind = 'be64' | FrameKind;

/** The headers that `frame()` takes. */
export const FRAME_KINDS: readonly FrameKind[] = Object.freeze(['tcp9', 'icecap4']);

/** How one kind of header carries a length. The length never counts the header itself. */
export interface FrameHeader {
  /** Length of the header in bytes. */
  readonly bytes: number;
  /** Number of its first bytes that carry the length. The others are written as 0 and never checked. */
  readonly lengthBytes: number;
  /** The longest payload that the header can announce, in bytes. At most 2^53 - 1, because larger numbers are not exact. */
  readonly maxLength: number;
  /** Name of the layer that uses this header, for errors. */
  readonly layer: 'length-prefix' | 'frame';
  /** The name of a payload in that layer. */
  readonly unit: 'message' | 'frame';
  /** The name of that layer's option that limits a payload. */
  readonly limitOption: 'maxMessageBytes' | 'maxFrameBytes';
  /** Writes `length` (0 to `maxLength`) to the start of `target`. */
  readonly write: (target: Buffer, length: number) => void;
  /** Reads the length in the header at `offset` (default 0) of `source`; a bigint from 2^53 on. */
  readonly read: (source: Buffer, offset?: number) => number | bigint;
}

const TWO_POW_32 = 2 ** 32;

/**
 *     be64     │ length u64 BE       │ payload …
 *     tcp9     │ length u64 LE   │ 0 │ payload …     the ninth byte is never looked at
 *     icecap4  │ length u32 LE │ payload …
 */
export const FRAME_HEADERS: Readonly<Record<HeaderKind, FrameHeader>> = Object.freeze({
  be64: Object.freeze({
    bytes: 8,
    lengthBytes: 8,
    maxLength: Number.MAX_SAFE_INTEGER,
    layer: 'length-prefix',
    unit: 'message',
    limitOption: 'maxMessageBytes',
    write(target: Buffer, length: number): void {
      target.writeUInt32BE(Math.floor(length / TWO_POW_32), 0);
      target.writeUInt32BE(length % TWO_POW_32, 4);
    },
    read(source: Buffer, offset = 0): number | bigint {
      const length = source.readUInt32BE(offset) * TWO_POW_32 + source.readUInt32BE(offset + 4);
      return Number.isSafeInteger(length) ? length : source.readBigUInt64BE(offset);
    },
  }),
  tcp9: Object.freeze({
    bytes: 9,
    lengthBytes: 8,
    maxLength: Number.MAX_SAFE_INTEGER,
    layer: 'frame',
    unit: 'frame',
    limitOption: 'maxFrameBytes',
    write(target: Buffer, length: number): void {
      target.writeUInt32LE(length % TWO_POW_32, 0);
      target.writeUInt32LE(Math.floor(length / TWO_POW_32), 4);
      target[8] = 0;
    },
    read(source: Buffer, offset = 0): number | bigint {
      const length = source.readUInt32LE(offset + 4) * TWO_POW_32 + source.readUInt32LE(offset);
      return Number.isSafeInteger(length) ? length : source.readBigUInt64LE(offset);
    },
  }),
  icecap4: Object.freeze({
    bytes: 4,
    lengthBytes: 4,
    maxLength: TWO_POW_32 - 1,
    layer: 'frame',
    unit: 'frame',
    limitOption: 'maxFrameBytes',
    write(target: Buffer, length: number): void {
      target.writeUInt32LE(length, 0);
    },
    read(source: Buffer, offset = 0): number | bigint {
      return source.readUInt32LE(offset);
    },
  }),
});

/** The header of a payload of `length` bytes. @throws InvalidArgumentError for a length that is not from 0 to `maxLength` */
export function encodeHeader(header: FrameHeader, length: number): Buffer {
  const { maxLength } = givenHeader(header);
  if (!Number.isInteger(length) || length < 0 || length > maxLength) {
    throw new InvalidArgumentError(`length is 0 to ${maxLength}, got ${length}`, {
      layer: header.layer,
      expected: `0..${maxLength}`,
      got: length,
    });
  }
  const bytes = Buffer.allocUnsafe(header.bytes);
  header.write(bytes, length);
  return bytes;
}

/** `header` unchanged, if it is one. @throws InvalidArgumentError */
export function givenHeader(header: FrameHeader): FrameHeader {
  const { bytes, maxLength, write } = givenRecord('header', header) as Partial<FrameHeader>;
  if (typeof bytes === 'number' && typeof maxLength === 'number' && typeof write === 'function') return header;
  throw new InvalidArgumentError('header is one of FRAME_HEADERS, or made like them', { layer: 'frame', expected: 'FrameHeader' });
}
