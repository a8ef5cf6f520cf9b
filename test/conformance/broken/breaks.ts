/** What a broken peer is, which cases must find it, and which must not. */
import type { Test } from 'tap';
import { CONFORMANCE_CASES, type Report, type TargetName, type Trying, type Verdict } from '../../../lib/conformance/index.js';
import { UNPROVEN } from './unproven.js';

/** What a broken peer may say besides its fault. */
export interface More {
  /** What the cases that find it say of it. Default `failed`. */
  readonly as?: Verdict;
  /** Cases that are not about it, and pass. */
  readonly spares?: readonly string[];
  /** Deadlines other than `SOON`, for a peer that hangs often. */
  readonly waitMs?: number;
}

export interface Break extends More {
  readonly role: TargetName;
  /** What is wrong with it. */
  readonly what: string;
  /** The cases meant for it; those that end with a dot are concerns, of which some must find it. */
  readonly found: readonly string[];
  /** Tries the broken peer. */
  readonly report: (t: Pick<Test, 'teardown'>, trying: Tried) => Promise<Report>;
}

/** Which cases, and how long they wait. */
export type Tried = Pick<Trying, 'only' | 'ending' | 'waitMs' | 'caseMs'>;

/** Deadlines of a kit whose peer may be dead: what hangs is told soon. A wait that is long enough is no failure. */
export const SOON = Object.freeze({ waitMs: 1500, caseMs: 20_000 });

/** Tries each of the broken peers of a role, and compares the cases that found none with those that are listed. */
export function tryBreaks(t: Test, role: TargetName, breaks: readonly Break[]): void {
  /** Names of the cases that a broken peer was found by. */
  const proven = new Set<string>();
  for (const { what, found, as = 'failed', spares = [], waitMs = SOON.waitMs, report: tried } of breaks) {
    void t.test(`a ${role} that ${what}`, async (t) => {
      const { results } = await tried(t, { ...SOON, waitMs, ending: true, only: [...found, ...spares] });
      const hits = results.filter(({ verdict }) => verdict === as).map(({ name }) => name);
      for (const name of found) {
        const hit = name.endsWith('.') ? hits.some((one) => one.startsWith(name)) : hits.includes(name);
        t.ok(hit, `${name} finds it`, { results: results.filter((result) => result.name.startsWith(name)) });
      }
      for (const name of spares) {
        const result = results.find((one) => one.name === name);
        t.equal(result?.verdict, 'passed', `${name} does not mind it: ${result?.saw}`);
      }
      for (const name of hits) proven.add(name);
    });
  }
  void t.test('the cases that none of them fails are the ones that are listed', async (t) => {
    const names = new Set(CONFORMANCE_CASES[role].map(({ name }) => name));
    const unproven = [...names].filter((name) => !proven.has(name)).sort();
    t.same(unproven, Object.keys(UNPROVEN[role]).sort());
  });
}
