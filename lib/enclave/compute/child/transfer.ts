import { fstatSync, ftruncateSync, readvSync, writevSync } from 'node:fs';
import type { OpenFile } from './descriptors.js';
import { attempt } from './errno.js';
import type { Host } from './host.js';
import { ERRNO, FDFLAG_APPEND } from './preview1.js';

/** Pieces that the system takes at once. What a program hands over beyond is left for its next call. */
const MAX_PIECES = 1024;

/** Where a program's bytes are, and where it is told how many went. */
export interface Vector {
  readonly iovs: number;
  readonly count: number;
  /** Pointer to the answer, a u32. */
  readonly moved: number;
}

/** Reads from `offset`, or else from the position, which moves on. */
export function readInto({ memory }: Host, file: OpenFile, { iovs, count, moved }: Vector, offset?: bigint): number {
  const pieces = memory.vector(iovs, count);
  const answer = memory.bytes(moved, 4);
  if (pieces === undefined || answer === undefined) return ERRNO.FAULT;
  const from = offset === undefined ? file.position : Number(offset);
  if (!Number.isSafeInteger(from)) return ERRNO.INVAL;
  return attempt(() => {
    const read = transfer(pieces, (some) => readvSync(file.fd, some, from));
    if (offset === undefined) file.position = from + read;
    answer.writeUInt32LE(read);
  });
}

/** Writes to `offset`, or else to the position, which moves on; to the end of what is open to append, whatever they say. */
export function writeFrom(host: Host, file: OpenFile, { iovs, count, moved }: Vector, offset?: bigint): number {
  const pieces = host.memory.vector(iovs, count);
  const answer = host.memory.bytes(moved, 4);
  if (pieces === undefined || answer === undefined) return ERRNO.FAULT;
  const to = file.flags & FDFLAG_APPEND ? sizeOf(file) : Number(offset ?? file.position);
  const errno = charge(
    host,
    file,
    to,
    pieces.reduce((sum, { length }) => sum + length, 0),
  );
  if (errno !== ERRNO.SUCCESS) return errno;
  if (!Number.isSafeInteger(to)) return ERRNO.FBIG;
  return attempt(() => {
    const written = transfer(pieces, (some) => writevSync(file.fd, some, to));
    if (offset === undefined) file.position = to + written;
    answer.writeUInt32LE(written);
  });
}

export function setSize(host: Host, file: OpenFile, size: bigint): number {
  const bytes = Number(BigInt.asUintN(64, size));
  return charge(host, file, bytes, 0) || attempt(() => ftruncateSync(file.fd, bytes));
}

/** Makes the file `offset + length` bytes long, if it is shorter. The bytes between are 0. */
export function allocate(host: Host, file: OpenFile, offset: bigint, length: bigint): number {
  const [from, bytes] = [BigInt.asUintN(64, offset), BigInt.asUintN(64, length)];
  if (bytes === 0n) return ERRNO.INVAL;
  if (from + bytes > Number.MAX_SAFE_INTEGER) return ERRNO.FBIG;
  return from + bytes <= BigInt(sizeOf(file)) ? ERRNO.SUCCESS : setSize(host, file, from + bytes);
}

export function sizeOf({ fd }: OpenFile): number {
  return fstatSync(fd).size;
}

function transfer(pieces: readonly Buffer[], move: (pieces: Buffer[]) => number): number {
  const some = pieces.filter(({ length }) => length > 0).slice(0, MAX_PIECES);
  return some.length === 0 ? 0 : move(some);
}

/**
 * Takes from the budget what it costs to put `bytes` at `from`: them, and the hole that is left between the end of the file
 * and `from`. A length that is set is that hole alone.
 */
function charge({ budget }: Host, file: OpenFile, from: number, bytes: number): number {
  const hole = Math.max(0, from - sizeOf(file));
  return budget.takeBytes(hole + bytes) ? ERRNO.SUCCESS : ERRNO.NOSPC;
}
