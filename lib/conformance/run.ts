/** Runs cases one after the other, and counts what they find. */
import { clock } from '../core/clock.js';
import { InvalidOptionError } from '../core/errors.js';
import { messageOf } from '../core/message-of.js';
import type { Dialect } from '../layers/formats/dialect.js';
import { type Case, CaseSkipped, type Level, VERDICTS, type Verdict } from './case.js';
import { Scope, type Waits } from './scope.js';

/** What came of one case. */
export interface Result {
  readonly name: string;
  readonly section: string;
  readonly level: Level;
  readonly expects: string;
  readonly verdict: Verdict;
  /** What the peer did; of a case that passed only where there is something to say. */
  readonly saw: string;
  readonly milliseconds: number;
}

/** What came of all. */
export interface Report {
  readonly target: string;
  readonly dialect: Dialect;
  readonly address: string;
  readonly results: readonly Result[];
  readonly counts: Readonly<Record<Verdict, number>>;
}

/** Which cases, and how. */
export interface Running extends Waits {
  readonly target: string;
  readonly dialect: Dialect;
  readonly address: string;
  /** Ends the run: the case under way, and no further one. */
  readonly signal?: AbortSignal;
  /** Hears of each result as it comes. */
  readonly onResult?: (result: Result) => void;
}

/** Which of the cases are to be run. */
export interface Choice {
  readonly dialect: Dialect;
  /** Names, beginnings of names that end with a dot, or sections with or without the sign. Default: all. */
  readonly only?: readonly string[];
  /** Also those that end the peer. Default false. */
  readonly ending?: boolean;
}

/** The cases that are meant. @throws InvalidOptionError when a name or section has none */
export function choose<C>(cases: readonly Case<C>[], { dialect, only = [], ending = false }: Choice): Case<C>[] {
  for (const word of only) {
    if (!cases.some((item) => matches(item, word))) throw new InvalidOptionError(`no case or section ${word}`, { got: word });
  }
  const meant = cases.filter(
    (item) =>
      (item.dialects ?? [dialect]).includes(dialect) &&
      (ending || item.ends !== true) &&
      (only.length === 0 || only.some((word) => matches(item, word))),
  );
  return [...meant.filter(({ ends }) => ends !== true), ...meant.filter(({ ends }) => ends === true)];
}

function matches({ name, section }: Case<never>, word: string): boolean {
  const bare = word.replace(/^§/, '');
  return name === word || (word.endsWith('.') && name.startsWith(word)) || section === bare || section.startsWith(`${bare}.`);
}

/** Characters that are kept of what a case saw: a peer's own words may be long. */
const MAX_SAW_CHARS = 1000;

/** Runs the cases. Never throws for what a peer does. */
export async function run<C>(cases: readonly Case<C>[], context: C, running: Running): Promise<Report> {
  const results: Result[] = [];
  const over = () => running.signal?.aborted ?? false;
  const silence = new Silence(running.waitMs);
  for (const item of cases) {
    if (over()) break;
    const result = await runOne(item, context, running, silence);
    // What was under way when the run was ended says nothing of the peer.
    if (over()) break;
    results.push(result);
    running.onResult?.(result);
  }
  const { target, dialect, address } = running;
  return { target, dialect, address, results, counts: countsOf(results) };
}

/** How many there are of each verdict. */
export function countsOf(results: readonly Pick<Result, 'verdict'>[]): Record<Verdict, number> {
  const counts = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
  for (const { verdict } of results) counts[verdict]++;
  return counts;
}

/** Cases after which a peer that has never said a byte is taken for one that will not. */
const SILENT_CASES = 3;
/** Milliseconds of each wait from then on. */
const SILENT_WAIT_MS = 250;

/** Hundreds of cases would each wait their whole time for a peer that says nothing at all: the later ones wait a moment. */
class Silence {
  readonly #waitMs: number;
  #cases = 0;
  #heard = false;

  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  get waitMs(): number {
    return this.#heard || this.#cases < SILENT_CASES ? this.#waitMs : Math.min(this.#waitMs, SILENT_WAIT_MS);
  }

  /** A case is over in which the peer was heard, or not. */
  count(heard: boolean): void {
    this.#heard ||= heard;
    this.#cases++;
  }
}

async function runOne<C>(item: Case<C>, context: C, { caseMs, signal }: Running, silence: Silence): Promise<Result> {
  const { name, section, level, expects } = item;
  const started = clock.monotonic();
  const scope = new Scope(silence.waitMs, signal);
  const { verdict, saw } = await findingOf(item, context, scope, caseMs);
  await scope.end();
  if (verdict !== 'skipped') silence.count(scope.heard || verdict !== 'failed');
  return {
    name,
    section,
    level,
    expects,
    verdict,
    saw: saw.slice(0, MAX_SAW_CHARS),
    milliseconds: Math.round(clock.monotonic() - started),
  };
}

async function findingOf<C>(item: Case<C>, context: C, scope: Scope, caseMs: number): Promise<Pick<Result, 'verdict' | 'saw'>> {
  try {
    const { verdict, saw = '' } = (await scope.within('end of the case', item.run(context, scope), caseMs)) ?? { verdict: 'passed' };
    return { verdict, saw };
  } catch (thrown) {
    const saw = thrown instanceof Error ? messageOf(thrown) : String(thrown);
    return { verdict: thrown instanceof CaseSkipped ? 'skipped' : 'failed', saw };
  }
}
