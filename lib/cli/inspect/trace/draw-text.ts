import { escapedText } from '../text.js';
import type { Arrow, Sequence } from './sequence.js';

/** Columns between two lanes. */
const GAP = 52;
const TIME_WIDTH = 11;
/** Columns from the left to the first lane. */
const MARGIN = TIME_WIDTH + 4;

/** The lines of a sequence as text: a lane for each who takes part, from top to bottom. */
export function* sequenceLines({ title, lanes, rows, remarks }: Sequence): Generator<string, void, undefined> {
  yield escapedText(title);
  yield '';
  const heads = lanes.map((lane) => clipped(escapedText(lane), GAP - 2).padEnd(GAP)).join('');
  yield `${'ms'.padStart(TIME_WIDTH)}  ${heads}`.trimEnd();
  for (const row of rows) {
    const time = row.ms.toFixed(3).padStart(TIME_WIDTH);
    const drawn = row.kind === 'note' ? `  · ${escapedText(row.text)}` : arrowOf(row, lanes.length);
    yield `${time}${drawn}`.trimEnd();
  }
  for (const remark of remarks) yield `\n${escapedText(remark)}`;
}

/** The lanes of one row, and the arrow over them. */
function arrowOf({ from, to, label }: Arrow, lanes: number): string {
  const line: string[] = Array.from({ length: MARGIN - TIME_WIDTH + (lanes - 1) * GAP + 1 }, () => ' ');
  const columns = Array.from({ length: lanes }, (_, lane) => MARGIN - TIME_WIDTH + lane * GAP);
  for (const column of columns) line[column] = '│';
  const [start, end] = [columns[Math.min(from, to)] as number, columns[Math.max(from, to)] as number];
  for (let at = start + 1; at < end; at++) line[at] = '─';
  if (from < to) line[end - 1] = '▶';
  else line[start + 1] = '◀';
  const text = ` ${clipped(escapedText(label), end - start - 7)} `;
  for (const [i, letter] of [...text].entries()) line[start + 3 + i] = letter;
  return line.join('');
}

function clipped(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, width - 1).join('')}…`;
}
