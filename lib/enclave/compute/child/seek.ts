import type { OpenFile } from './descriptors.js';
import type { Host } from './host.js';
import { ERRNO } from './preview1.js';
import { sizeOf } from './transfer.js';

/** Moves the position by `offset` bytes, counted from the start (0), the position itself (1) or the end (2), and tells it. */
export function seek({ memory }: Host, file: OpenFile, offset: bigint, whence: number, pointer: number): number {
  const answer = memory.bytes(pointer, 8);
  if (answer === undefined) return ERRNO.FAULT;
  const from = [() => 0, () => file.position, () => sizeOf(file)][whence];
  if (from === undefined) return ERRNO.INVAL;
  const position = BigInt(from()) + offset;
  // Positions are kept as numbers, and no file is as long as the largest of them that is exact.
  if (position < 0n || position > Number.MAX_SAFE_INTEGER) return ERRNO.INVAL;
  file.position = Number(position);
  answer.writeBigUInt64LE(position);
  return ERRNO.SUCCESS;
}
