/** The faults of framing, in the words of the layer that a header belongs to. */
import { InvalidArgumentError, LengthMismatchError, LimitError, TruncatedError } from '../../core/errors.js';
import type { FrameHeader } from './header.js';

/**
 * The length that a header told, if it is within `limit`.
 * @throws LimitError; its `got` is exact, a bigint from 2^53 on
 */
export function lengthWithin(header: FrameHeader, length: number | bigint, limit: number): number {
  if (typeof length === 'number' && length <= limit) return length;
  throw tooLong(header, length, limit);
}

/**
 * Refuses a length that a caller announces and that the wire, or the limit, cannot carry.
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

/** A payload of `expected` bytes was announced, and `got` bytes came, or more. */
export function mismatch({ layer, unit }: FrameHeader, expected: number, got: number): LengthMismatchError {
  return new LengthMismatchError(`a ${unit} of ${expected} bytes was announced, ${got} came`, { layer, expected, got });
}

/** The input ended inside a header, or inside what it announced: `got` of `expected` bytes of that part were there. */
export function truncated({ layer, unit }: FrameHeader, part: 'header' | 'payload', expected: number, got: number): TruncatedError {
  const where = part === 'header' ? `the header of a ${unit}` : `a ${unit}`;
  return new TruncatedError(`the input ended inside ${where}: ${got} of ${expected} bytes`, { layer, expected, got });
}

/** What a caller, or a neighbour, gave is no chunk that this layer takes. */
export function notAChunk({ layer }: FrameHeader, expected: string, got: unknown): InvalidArgumentError {
  return new InvalidArgumentError(`a chunk must be ${expected}, got ${typeof got}`, { layer, expected, got: typeof got });
}
