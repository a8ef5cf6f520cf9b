/** Byte vectors that stay in slices until someone needs them in one piece. */
import { givenList } from '../../core/check.js';
import { InvalidArgumentError } from '../../core/errors.js';

/** A byte vector as the slices in which it arrived, in order and not copied. An empty vector has no slices. */
export type Slices = readonly Buffer[];
/** A byte vector of a caller: in one piece or in slices. */
export type Bytes = Buffer | Slices;

/** The empty byte vector. All share this one, so that a list of a hundred thousand of them costs one pointer each. */
export const NO_BYTES: Slices = Object.freeze([]);

/** `bytes` as slices, not copied. Throws `InvalidArgumentError` when it is neither a Buffer nor an array of them. */
export function slicesOf(bytes: Bytes, name = 'bytes'): Slices {
  if (Buffer.isBuffer(bytes)) return [bytes];
  if (Array.isArray(bytes) && bytes.every((slice) => Buffer.isBuffer(slice))) return bytes;
  throw new InvalidArgumentError(`${name} must be a Buffer or an array of Buffers, got ${typeof bytes}`, {
    layer: 'bincode',
    expected: 'Buffer | Buffer[]',
    got: typeof bytes,
  });
}

/** Length of a byte vector in bytes. */
export function sliceBytes(bytes: Bytes): number {
  if (Buffer.isBuffer(bytes)) return bytes.length;
  let total = 0;
  for (const slice of givenList('bytes', bytes)) total += slice.length;
  return total;
}

/** A byte vector as one Buffer: the same Buffer if the vector is in one piece already, else a copy. */
export function joined(bytes: Bytes): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return givenList('bytes', bytes).length === 1 ? (bytes[0] as Buffer) : Buffer.concat(bytes);
}
