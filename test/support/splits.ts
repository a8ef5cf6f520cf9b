/** Ways to cut the same bytes into chunks. A decoder must not care. */

export function wholePiece(bytes: Buffer): Buffer[] {
  return [bytes];
}

export function byteByByte(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}

/** Every way to cut `bytes` in two. */
export function everyCut(bytes: Buffer): Buffer[][] {
  return Array.from({ length: Math.max(bytes.length - 1, 0) }, (_, i) => [bytes.subarray(0, i + 1), bytes.subarray(i + 1)]);
}

/** Cuts at the offsets given as fractions of 2^32 (what fast-check draws), empty pieces included. */
export function cutAt(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const cuts = [...offsets].map((offset) => offset % (bytes.length + 1)).sort((a, b) => a - b);
  const pieces: Buffer[] = [];
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    pieces.push(bytes.subarray(start, cut));
    start = cut;
  }
  return pieces;
}

/** The seed of a random test: printed with a failure by fast-check, and set by `FC_SEED` to replay it. */
export function seeded(runs: number): { numRuns: number; seed?: number } {
  return process.env.FC_SEED === undefined ? { numRuns: runs } : { numRuns: runs, seed: Number(process.env.FC_SEED) };
}
