/** `items`, beginning with number `by`. */
export function rotated<T>(items: readonly T[], by: number): T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

/**
 * Runs every case once a round, round after round, so that a machine that is slow for a while is slow for all; each round
 * begins with another case, so that none always has the same one before it.
 *
 * @returns the samples of each case, in the order of `cases`
 */
export async function interleaved<C, S>(cases: readonly C[], rounds: number, run: (item: C, round: number) => Promise<S>): Promise<S[][]> {
  const samples: S[][] = cases.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, item] of rotated([...cases.entries()], round)) (samples[i] as S[]).push(await run(item, round));
  }
  return samples;
}
