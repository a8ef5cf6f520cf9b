/** What a broken peer is, and which cases must find it. */
import type { Test } from 'tap';
import type { Report, TargetName, Verdict } from '../../../lib/conformance/index.js';

export interface Break {
  readonly role: TargetName;
  /** What is wrong with it. */
  readonly what: string;
  /** The cases meant for it; those that end with a dot are concerns, of which some must find it. */
  readonly found: readonly string[];
  /** What they say of it. Default `failed`. */
  readonly as?: Verdict;
  /** Tries the broken peer. */
  readonly report: (t: Pick<Test, 'teardown'>, only: readonly string[]) => Promise<Report>;
}

/** Deadlines of a kit whose peer may be dead: what hangs is told soon. A wait that is long enough is no failure. */
export const SOON = Object.freeze({ waitMs: 1500, caseMs: 20_000 });
