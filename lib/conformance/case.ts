/** What a case of the conformance kit is, and what it may find. */
import type { Dialect } from '../layers/formats/dialect.js';
import { CaseFailed } from './failure.js';
import type { Scope } from './scope.js';

export { CaseFailed, CaseSkipped } from './failure.js';

/**
 *     passed    does what docs/wire.md says
 *     failed    breaks the wire, answers wrongly, hangs or is gone
 *     stricter  refuses what the original takes, where docs/wire.md says that the original takes it
 *     weaker    takes what it should refuse, or gives way where it should not, as docs/wire.md says that the original does
 *     skipped   could not be tried; the reason says what it needs
 */
export type Verdict = 'passed' | 'failed' | 'stricter' | 'weaker' | 'skipped';
export const VERDICTS: readonly Verdict[] = Object.freeze(['passed', 'failed', 'stricter', 'weaker', 'skipped']);

/**
 *     wire    two implementations do not understand each other without it
 *     robust  what is broken, cut or hostile must harm nobody else
 *     trust   who is let in, and what is believed
 */
export type Level = 'wire' | 'robust' | 'trust';

/** What a case saw, when it did not fail. */
export interface Finding {
  readonly verdict: Exclude<Verdict, 'failed' | 'skipped'>;
  /** What the peer did, in a few words. */
  readonly saw?: string;
}

/** One thing that is tried on a peer. Each case has connections of its own. `C`: what it is given to try it with. */
export interface Case<C = unknown> {
  /** Unique within its target: `concern.what`. */
  readonly name: string;
  /** Section of docs/wire.md, without the sign: `D.4`. */
  readonly section: string;
  readonly level: Level;
  /** What is expected, and what counts as stricter or weaker. */
  readonly expects: string;
  /** The dialects that have it. Default: all. */
  readonly dialects?: readonly Dialect[];
  /** The peer ends by it, so it comes last and only when it was asked for. Default false. */
  readonly ends?: boolean;
  /** @returns nothing when it passed. Throws `CaseFailed` or `CaseSkipped`; any other error is a failure as well. */
  run(context: C, scope: Scope): Promise<Finding | undefined>;
}

/** @throws CaseFailed unless `holds` */
export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new CaseFailed(otherwise);
}

/** @throws CaseFailed unless the bytes are the same */
export function expectBytes(what: string, got: Buffer, expected: Buffer): void {
  if (got.equals(expected)) return;
  throw new CaseFailed(`${what}: expected ${shown(expected)}, got ${shown(got)}`);
}

/** The beginning of some bytes, as text of a report. */
export function shown(bytes: Buffer): string {
  return `${bytes.length} bytes ${bytes.subarray(0, 24).toString('hex')}${bytes.length > 24 ? '…' : ''}`;
}

export const weaker = (saw: string): Finding => ({ verdict: 'weaker', saw });
export const stricter = (saw: string): Finding => ({ verdict: 'stricter', saw });
export const passed = (saw: string): Finding => ({ verdict: 'passed', saw });
