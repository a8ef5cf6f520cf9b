/** A report for people: a line a case, and a counted table. */
import { VERDICTS, type Verdict } from '../case.js';
import { countsOf, type Report, type Result } from '../run.js';

/** One case: its section, its verdict, its name, what was seen; and what was expected, where it did not pass. */
export function lineOf({ section, verdict, name, saw, expects }: Result): string {
  const line = `§${section.padEnd(5)} ${verdict.padEnd(9)} ${name}${saw === '' ? '' : `: ${oneLine(saw)}`}`;
  return verdict === 'passed' || verdict === 'skipped' ? line : `${line}\n${' '.repeat(17)}expected: ${expects}`;
}

/** Control characters of a peer's own words do not reach the terminal. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

/** How many of each verdict, by concern, and in all. */
export function tableOf({ results }: Pick<Report, 'results'>): string {
  const byConcern = new Map<string, Result[]>();
  for (const result of results) {
    const concern = result.name.split('.')[0] as string;
    byConcern.set(concern, [...(byConcern.get(concern) ?? []), result]);
  }
  const rows = [...byConcern].map(([concern, list]) => rowOf(concern, countsOf(list)));
  return [headOf(), ...rows, rowOf('all', countsOf(results))].join('\n');
}

const WIDTH = Math.max(...VERDICTS.map(({ length }) => length)) + 1;
const NAME_WIDTH = 14;

function headOf(): string {
  return ['cases'.padEnd(NAME_WIDTH), ...VERDICTS.map((verdict) => verdict.padStart(WIDTH))].join('');
}

function rowOf(name: string, counts: Readonly<Record<Verdict, number>>): string {
  return [name.padEnd(NAME_WIDTH), ...VERDICTS.map((verdict) => String(counts[verdict]).padStart(WIDTH))].join('');
}
