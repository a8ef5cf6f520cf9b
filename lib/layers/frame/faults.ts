/** The errors of framing. Their messages use the terms of the layer that the header belongs to. */
import { InvalidArgumentError, LengthMismatchError, LimitError, TruncatedError } from '../../core/errors.js';
import type { FrameHeader } from './header.js';

/**
 * The length that was read from a header, if it is within `limit`.
 * @throws LimitError; its `got` is exact, a bigint from 2^53 on
 */
export function lengthWithin(header: FrameHeader, length: number | bigint, limit: number): number {
  if (typeof length === 'number' && length <= limit) return length;
  throw tooLong(header, length, limit);
}

/**
 * Refuses an announced length that is invalid or over the limit.
 * @throws InvalidArgumentError, LimitError
 */
export function checkAnnounced(header: FrameHeader, length: number, limit: number): void {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new InvalidArgumentError(`a ${header.unit} has 0 to 2^53 - 1 bytes, announced ${length}`, {
      layer: header.layer,
      expected: '0..2^53-1',
      got: length,
    });
  }
  if (length > limit) throw tooLong(header, length, limit);
}

function tooLong({ layer, unit, limitOption }: FrameHeader, length: number | bigint, limit: number): LimitError {
  return new LimitError(`a ${unit} of ${length} bytes is announced, ${limitOption} is ${limit}`, { layer, limit, got: length, offset: 0 });
}

/** The error when `expected` bytes of a payload were announced, and `got` bytes came, or more than `got`. */
export function mismatch({ layer, unit }: FrameHeader, expected: number, got: number): LengthMismatchError {
  return new LengthMismatchError(`a ${unit} of ${expected} bytes was announced, ${got} came`, { layer, expected, got });
}

/** The error when the input ends inside a header or a payload: `got` of the `expected` bytes of that part had come. */
export function truncated({ layer, unit }: FrameHeader, part: 'header' | 'payload', expected: number, got: number): TruncatedError {
  const where = part === 'header' ? `the header of a ${unit}` : `a ${unit}`;
  return new TruncatedError(`the input ended inside ${where}: ${got} of ${expected} bytes`, { layer, expected, got });
}

/** The error for a chunk of a type that this layer does not take. */
export function notAChunk({ layer }: FrameHeader, expected: string, got: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`a chunk must be ${expected}, got ${typeof got}`, { layer, expected, got: typeof got });
}
