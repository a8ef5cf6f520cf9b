/**
 * How long a test waits before it takes a wait for a hang. No test passes or fails by how fast anything is: a deadline is
 * there only so that what hangs is named.
 */

/** Where the environment says by how much all deadlines grow. */
const VARIABLE = 'TEST_TIME_FACTOR';

/** The factor of all deadlines: a number above 0. Default: 1. */
export const TIME_FACTOR = factorOf(process.env[VARIABLE]);

function factorOf(text = '1'): number {
  const factor = Number(text);
  if (!(factor > 0 && Number.isFinite(factor))) throw new Error(`${VARIABLE} must be a number above 0, got ${JSON.stringify(text)}`);
  return factor;
}

/** `ms` milliseconds, and more where the machine is known to be slow. */
export function patience(ms: number): number {
  return Math.ceil(ms * TIME_FACTOR);
}

/** Milliseconds after which one wait of a test is a hang: four times what the slowest took with both cores kept busy. */
export const HANG_MS = patience(120_000);

/** Milliseconds that one file of tests may take. */
export const FILE_MS = patience(900_000);
