/** The two headers that stand before a bincode message on a byte pipe (wire spec §D, "Framing"). */

/** `tcp9` on TCP, Unix sockets and vsock; `icecap4` on the console of IceCap. */
export type FrameKind = 'tcp9' | 'icecap4';

export interface FrameHeader {
  /** Length of the header in bytes. */
  readonly bytes: number;
  /** The longest payload that it can tell, in bytes. */
  readonly maxLength: number;
  /** Writes `length` to the start of `target`. */
  write(target: Buffer, length: number): void;
  /** The length that `header` tells; a bigint from 2^53 on. */
  read(header: Buffer): number | bigint;
}

/**
 *     tcp9     │ length u64 LE   │ 0 │ payload …     the ninth byte is never looked at
 *     icecap4  │ length u32 LE       │ payload …
 */
export const FRAME_HEADERS: Readonly<Record<FrameKind, FrameHeader>> = Object.freeze({
  tcp9: Object.freeze({
    bytes: 9,
    maxLength: Number.MAX_SAFE_INTEGER,
    write(target: Buffer, length: number): void {
      target.writeUInt32LE(length % 2 ** 32, 0);
      target.writeUInt32LE(Math.floor(length / 2 ** 32), 4);
      target[8] = 0;
    },
    read(header: Buffer): number | bigint {
      const length = header.readUInt32LE(4) * 2 ** 32 + header.readUInt32LE(0);
      return Number.isSafeInteger(length) ? length : header.readBigUInt64LE(0);
    },
  }),
  icecap4: Object.freeze({
    bytes: 4,
    maxLength: 2 ** 32 - 1,
    write(target: Buffer, length: number): void {
      target.writeUInt32LE(length, 0);
    },
    read(header: Buffer): number | bigint {
      return header.readUInt32LE(0);
    },
  }),
});
