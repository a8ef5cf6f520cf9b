import type { ByteQueue } from '../../core/byte-queue.js';
import { InvalidArgumentError, LimitError } from '../../core/errors.js';

/** Name of the layer. */
export const LENGTH_PREFIX = 'length-prefix';
/** Bytes of a prefix: one big-endian u64 (wire spec §A "Framing"). The prefix does not count itself. */
export const PREFIX_BYTES = 8;
/** A high half above this makes the length more than 2^53 - 1, where a number is no longer exact. */
const MAX_HIGH_HALF = 0x1fffff;
const TWO_POW_32 = 0x1_0000_0000;

/** Writes the prefix of a message of `length` bytes (0 to 2^53 - 1) at the start of `target`. */
export function writePrefix(target: Buffer, length: number): void {
  target.writeUInt32BE(Math.floor(length / TWO_POW_32), 0);
  target.writeUInt32BE(length % TWO_POW_32, 4);
}

/** The prefix of a message of `length` bytes. @see readPrefix */
export function encodePrefix(length: number): Buffer {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  writePrefix(prefix, length);
  return prefix;
}

/**
 * The length that the 8 bytes of `prefix` announce.
 * @throws LimitError when it is over `maxBytes`; `got` is exact, a bigint from 2^53 on.
 * @see encodePrefix
 */
export function readPrefix(prefix: Buffer, maxBytes: number): number {
  return prefixAt(prefix, 0, maxBytes);
}

/** The length that the 8 bytes at `offset` announce. @see readPrefix */
export function prefixAt(bytes: Buffer, offset: number, maxBytes: number): number {
  return lengthOf(bytes.readUInt32BE(offset), bytes.readUInt32BE(offset + 4), maxBytes);
}

/** Takes a prefix, which must be there, off the head of `queue`. @see readPrefix */
export function takePrefix(queue: ByteQueue, maxBytes: number): number {
  const high = queue.uint32At(0);
  const low = queue.uint32At(4);
  queue.skip(PREFIX_BYTES);
  return lengthOf(high, low, maxBytes);
}

function lengthOf(high: number, low: number, maxBytes: number): number {
  const length = high > MAX_HIGH_HALF ? (BigInt(high) << 32n) | BigInt(low) : high * TWO_POW_32 + low;
  if (typeof length === 'bigint' || length > maxBytes) throw tooLong(length, maxBytes);
  return length;
}

/** Refuses a length that a caller announces and the wire, or the limit, cannot carry. */
export function checkLength(length: number, maxBytes: number): void {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new InvalidArgumentError(`a message has 0 to 2^53 - 1 bytes, announced ${length}`, { layer: LENGTH_PREFIX, got: length });
  }
  if (length > maxBytes) throw tooLong(length, maxBytes);
}

function tooLong(length: number | bigint, maxBytes: number): LimitError {
  return new LimitError(`a message of ${length} bytes is announced, maxMessageBytes is ${maxBytes}`, {
    layer: LENGTH_PREFIX,
    limit: maxBytes,
    got: length,
    offset: 0,
  });
}
