/** What the proofs print, and how they end. */
import { thisMachine } from '../harness/machine.js';
import { textTable } from '../harness/text-table.js';

/** What a proof found: its figures as a table, and what is wrong, a line each. */
export interface Proof {
  /** The first row is the head. */
  readonly table: readonly (readonly string[])[];
  readonly violations: readonly string[];
}

/** Prints figures and violations, and sets the exit code: 1 when there is any violation. `seed` is undefined where none decides. */
export function conclude(seed: number | undefined, { table, violations }: Proof): void {
  const { node, platform, date } = thisMachine();
  const verdict = violations.length === 0 ? 'no violation' : `${violations.length} violation${violations.length === 1 ? '' : 's'}`;
  process.stdout.write(
    `${textTable(table)}\n${verdict}${seed === undefined ? '' : `, seed ${seed}`}, Node ${node}, ${platform}, ${date}\n`,
  );
  for (const violation of violations) process.stderr.write(`violation: ${violation}\n`);
  if (violations.length > 0) process.exitCode = 1;
}

/** `1,234,567` */
export const grouped = (count: number): string => count.toLocaleString('en-GB');
